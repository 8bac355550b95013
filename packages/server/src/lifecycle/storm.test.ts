import { describe, expect, it } from 'vitest'
import { Connection } from '../core/connection/connection.js'
import type { Engine } from '../engine/engine.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from '../testing/simulated-cluster.js'
import { LIFECYCLE_TYPES, type LifecycleEvent } from './event.js'

// Whatever happens to nodes and engine: what was told last is true in the end, and of each connection, channel and member beginnings and ends take turns.

interface Place {
  readonly name: string
  node: SimulatedNode
  isCut: boolean
}

interface Client {
  readonly peer: Peer
  readonly place: Place
  readonly node: SimulatedNode
  readonly user: string
  readonly connection: string
  isOpen: boolean
}

/** Numbers from 0 up to but not including 1 that follow from a seed. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

class Storm {
  readonly cluster = new SimulatedCluster()
  readonly told: LifecycleEvent[] = []
  readonly clients: Client[] = []
  readonly places: Place[] = []
  readonly next: () => number
  isRough = true
  #names = 0

  constructor(seed: number) {
    this.next = numbersFrom(seed)
    this.#trouble(this.cluster.engine)
  }

  /** Some of what the engine is asked fails, before or after it was done. */
  #trouble(engine: Engine): void {
    const fails = (): boolean => this.isRough && this.next() < 0.03
    const away = (): never => {
      throw Object.assign(new Error('away'), { code: 'engine_unavailable' })
    }
    const around =
      <A extends unknown[], R>(work: (...parts: A) => Promise<R>) =>
      async (...parts: A): Promise<R> => {
        if (fails()) away()
        const answer = await work(...parts)
        return fails() ? away() : answer
      }
    const { registers, records } = engine
    registers.put = around(registers.put.bind(registers))
    registers.remove = around(registers.remove.bind(registers))
    registers.list = around(registers.list.bind(registers))
    records.get = around(records.get.bind(records))
    records.put = around(records.put.bind(records))
    engine.publish = around(engine.publish.bind(engine))
  }

  async begin(): Promise<void> {
    for (const name of ['n1', 'n2', 'n3']) {
      const place = { name, isCut: false, node: await this.#start(name) }
      this.places.push(place)
    }
    await this.pass(1_000)
  }

  async #start(name: string): Promise<SimulatedNode> {
    const random = { id: (bytes: number) => `${(this.#names += 1)}`.padStart(bytes, '0'), fraction: this.next }
    const node = await this.cluster.start(name, { presence: { graceMs: 1_000 }, random })
    for (const type of LIFECYCLE_TYPES)
      node.holdfast.on(type, (event) => {
        if (this.isRough && this.next() < 0.05) throw new Error('no')
        this.told.push(event)
      })
    return node
  }

  pass(ms: number): Promise<void> {
    return this.cluster.clock.pass(ms, 20)
  }

  #pick<T>(some: readonly T[]): T | undefined {
    return some[Math.floor(this.next() * some.length)]
  }

  async step(): Promise<void> {
    const chance = this.next()
    if (chance < 0.3) await this.#join()
    else if (chance < 0.6) this.#roam()
    else if (chance < 0.75) this.#leave()
    else if (chance < 0.8) this.#cut()
    else if (chance < 0.9) this.#heal()
    else if (chance < 0.92) await this.#kill()
    await this.pass(Math.floor(this.next() ** 4 * 6_000))
  }

  async #join(): Promise<void> {
    const place = this.#pick(this.places.filter(({ isCut }) => !isCut))
    if (place === undefined || this.clients.filter(({ isOpen }) => isOpen).length > 12) return
    const user = `u${Math.floor(this.next() * 4)}`
    const known = this.#pick(this.clients.filter((client) => client.user === user))
    const resume = known !== undefined && this.next() < 0.5 ? { resume: known.peer.resume() } : {}
    const peer = await place.node.join(user, resume)
    const [welcome] = peer.got('welcome')
    if (welcome === undefined) return
    const client = { peer, place, node: place.node, user, connection: String(welcome['connection']), isOpen: true }
    this.clients.push(client)
  }

  #roam(): void {
    const client = this.#pick(this.clients.filter(({ isOpen }) => isOpen))
    const channel = `room:${Math.floor(this.next() * 3)}`
    const type = this.next() < 0.6 ? 'subscribe' : 'unsubscribe'
    client?.peer.say(type === 'subscribe' ? { type, channel, presence: this.next() < 0.7 } : { type, channel })
  }

  #leave(): void {
    const client = this.#pick(this.clients.filter(({ isOpen }) => isOpen))
    if (client === undefined) return
    client.isOpen = false
    const isClean = this.next() < 0.5
    client.peer.handler.closed(isClean ? 1000 : 1006, isClean)
  }

  #cut(): void {
    const place = this.#pick(this.places)
    if (place === undefined || this.places.filter(({ isCut }) => isCut).length > 1) return
    place.isCut = true
    place.node.cut()
  }

  #heal(): void {
    const place = this.#pick(this.places.filter(({ isCut }) => isCut))
    if (place === undefined) return
    place.isCut = false
    place.node.heal()
  }

  /** A node that is cut off for ever, as is whoever is connected to it; another process may take its place under its name. */
  async #kill(): Promise<void> {
    const place = this.#pick(this.places)
    if (place === undefined) return
    place.node.cut()
    place.isCut = false
    const keepsName = this.next() < 0.5
    // Sooner it would get the members of the one before, in an engine that is the memory of one process.
    if (keepsName) await this.pass(12_000)
    place.node = await this.#start(keepsName ? place.name : `m${(this.#names += 1)}`)
  }

  /** Everything goes well for so long that nothing is left to be told. */
  async calm(): Promise<void> {
    this.isRough = false
    for (const place of this.places) place.node.heal()
    await this.pass(90_000)
  }

  /** The events of one thing, each once, in the order of their first delivery. */
  words(of: (event: LifecycleEvent) => boolean): string[] {
    const events = new Map(
      this.told
        .filter(of)
        .toReversed()
        .map((event) => [event.id, event]),
    )
    const first = [...events.values()].toReversed()
    return first.map(({ type }) => (['connected', 'resumed', 'occupied', 'joined'].includes(type) ? 'begins' : 'ends'))
  }

  isLive(client: Client): boolean {
    const isThere = this.places.some(({ node }) => node === client.node)
    return isThere && client.isOpen && client.peer.socket.closedWith === undefined
  }
}

function takesTurns(words: readonly string[], isOn: boolean): boolean {
  const isInTurn = words.every((word, at) => word === (at % 2 === 0 ? 'begins' : 'ends'))
  return isInTurn && (words.at(-1) === 'begins') === isOn
}

const SEEDS = Array.from({ length: Number(process.env['STORMS'] ?? 20) }, (_, at) => at + 1)

describe('nodes that are cut off, come back, die and are replaced while the engine fails now and then', () => {
  it.each(SEEDS)('are told of truly in the end, seed %i', async (seed) => {
    const storm = new Storm(seed)
    await storm.begin()
    for (let step = 0; step < 120; step += 1) await storm.step()
    await storm.calm()
    const wrong: string[] = []
    const judge = (name: string, of: (event: LifecycleEvent) => boolean, isOn: boolean): void => {
      const words = storm.words(of)
      if (!takesTurns(words, isOn)) wrong.push(`${name} is ${isOn ? 'on' : 'off'}, told ${words.join(' ')}`)
    }
    for (const client of storm.clients)
      judge(
        client.connection,
        (event) => 'connection' in event && event.connection === client.connection,
        storm.isLive(client),
      )
    const [place] = storm.places
    for (let at = 0; at < 3; at += 1) {
      const channel = `room:${at}`
      const isHeard = storm.clients.some((client) => storm.isLive(client) && hears(client, channel))
      judge(channel, ({ key, type }) => key === channel && (type === 'occupied' || type === 'vacated'), isHeard)
      const presence = await place?.node.holdfast.tenant('acme').presence(channel)
      for (let user = 0; user < 4; user += 1) {
        const name = `u${user}`
        const isThere = presence?.members.some((member) => member.user === name) ?? false
        judge(
          `${name} in ${channel}`,
          (event) => (event.type === 'joined' || event.type === 'left') && event.user === name && event.key === channel,
          isThere,
        )
      }
    }
    expect(wrong).toEqual([])
    await storm.cluster.close()
  })
})

function hears({ peer }: Client, channel: string): boolean {
  return peer.handler instanceof Connection && peer.handler.subscriptions.has(channel)
}
