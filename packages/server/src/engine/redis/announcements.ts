import type { Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { type Logger, errorFields } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { type AnnouncementLimits, AnnouncementLink, type AnnouncementLinkParts } from './announcement-link.js'
import type { Connector } from './connector.js'
import { type Hearer, Interest } from './interest.js'
import type { Keys } from './keys.js'
import type { Shard, ShardCommands, Topology } from './shard.js'
import { slotOf } from './slot.js'

/** What announcements need of the rest of the engine. */
export interface AnnouncementParts {
  readonly topology: Topology
  readonly connector: Connector
  readonly commands: ShardCommands
  readonly keys: Keys
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly limits: AnnouncementLimits
  /** Whether channels of different slots may not stand in one command. */
  readonly isCluster: boolean
  /** `problem` may have changed. */
  changed(): void
}

/** Names that are tried for the probe of a shard. One that holds a thousandth of the key space is found all but surely. */
const PROBE_TRIES = 20_000

/** All that this node hears from Redis: one link for each shard, wherever it moves, and who on this node listens to what. */
export class Announcements {
  readonly #parts: AnnouncementParts
  readonly #interest: Interest
  readonly #links = new Map<string, AnnouncementLink>()
  readonly #tried: (() => void)[] = []
  readonly #self: string
  #malformed = 0
  #stopWatching: (() => void) | undefined
  #isClosed = false

  constructor(parts: AnnouncementParts) {
    this.#parts = parts
    this.#self = parts.random.id(12)
    this.#interest = new Interest({
      malformed: (channel) => this.#dropped(channel),
      failed: (error) => parts.log.error(errorFields(error), 'a listener failed'),
    })
  }

  /** Channels that are listened to. */
  get size(): number {
    return this.#interest.size
  }

  /** Texts that were no announcements, and were dropped. */
  get malformed(): number {
    return this.#malformed
  }

  start(): void {
    this.#stopWatching = this.#parts.topology.watch(() => this.#reconcile())
    this.#reconcile()
  }

  close(): void {
    this.#isClosed = true
    this.#stopWatching?.()
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    this.#settle()
  }

  /** Resolves when every link that there is hears, or has failed three times. */
  tried(): Promise<void> {
    return new Promise((resolve) => {
      this.#tried.push(resolve)
      this.#settle()
    })
  }

  /** Undefined while the announcements of every shard arrive; else what is wrong, in one sentence. */
  problem(): string | undefined {
    for (const link of this.#links.values()) if (link.problem !== undefined) return link.problem
    return this.#links.size === 0 ? 'no server was found yet whose announcements could be heard' : undefined
  }

  /** The command link of a shard came up or broke: whether announcements arrive is proved anew. Nobody is told of anything lost. */
  doubt(shard: Shard): void {
    this.#links.get(shard.id)?.doubt(`announcements of ${shard.address.host}:${shard.address.port} may not arrive`)
  }

  /**
   * From the moment it resolves what is announced on the channel reaches `hearer`. Resolves to the end of that.
   *
   * @throws EngineUnavailableError when the server cannot be asked now.
   */
  async listen(channel: string, hearer: Hearer): Promise<() => void> {
    const link = this.#linkOf(channel)
    if (link === undefined || !link.isConnected) throw new EngineUnavailableError(this.problem() ?? 'not connected')
    this.#interest.add(channel, hearer)
    let isListening = true
    const end = (): void => {
      if (!isListening) return
      isListening = false
      if (this.#interest.remove(channel, hearer)) this.#touch(channel)
    }
    if (link.holds(channel)) return end
    const confirmed = this.#interest.confirmation(channel)
    link.touch(channel)
    try {
      await confirmed
    } catch (error) {
      end()
      throw error
    }
    return end
  }

  #linkOf(channel: string): AnnouncementLink | undefined {
    const shard = this.#parts.topology.shardOf(channel)
    return shard && this.#links.get(shard.id)
  }

  /** Where the channel is had it may have to go; where it belongs it may have to come. */
  #touch(channel: string): void {
    const home = this.#linkOf(channel)
    for (const link of this.#links.values()) if (link === home || link.holds(channel)) link.touch(channel)
  }

  #reconcile(): void {
    if (this.#isClosed) return
    const shards = this.#parts.topology.shards()
    for (const [id, link] of this.#links) {
      if (shards.some((shard) => shard.id === id)) continue
      this.#links.delete(id)
      link.close()
    }
    for (const shard of shards) {
      const known = this.#links.get(shard.id)
      if (known === undefined) this.#open(shard)
      else known.moveTo(shard.address)
    }
    if (this.#parts.isCluster) this.#rehome()
    this.#changed()
  }

  /** Slots may have moved: each channel goes to the link that has to bring it. */
  #rehome(): void {
    for (const channel of this.#interest.channels()) {
      const home = this.#linkOf(channel)
      for (const link of this.#links.values()) if ((link === home) !== link.holds(channel)) link.touch(channel)
    }
  }

  #open(shard: Shard): void {
    const link = new AnnouncementLink(shard.id, shard.address, this.#linkParts(shard.id))
    this.#links.set(shard.id, link)
    link.start()
  }

  #linkParts(id: string): AnnouncementLinkParts {
    const { topology, commands } = this.#parts
    return {
      ...this.#parts,
      interest: this.#interest,
      belongs: (channel) => topology.shardOf(channel)?.id === id,
      groups: (channels) => (this.#parts.isCluster ? bySlot(channels) : channels.length === 0 ? [] : [channels]),
      probeChannel: () => this.#probeChannel(id),
      publish: (channel, text) => commands.shard(id).send(['SPUBLISH', channel, text]),
      resolve: () => topology.refresh(),
      changed: () => this.#changed(),
    }
  }

  /** Where a name lands cannot be chosen, so names are tried until one lands on the shard. */
  #probeChannel(id: string): string | undefined {
    for (let tries = 0; tries < PROBE_TRIES; tries += 1) {
      const channel = this.#parts.keys.own('probe', `${this.#self}${tries}`)
      if (this.#parts.topology.shardOf(channel)?.id === id) return channel
    }
    return undefined
  }

  #changed(): void {
    this.#settle()
    if (!this.#isClosed) this.#parts.changed()
  }

  #settle(): void {
    if (!this.#isClosed && ![...this.#links.values()].every((link) => link.hasTried)) return
    for (const resolve of this.#tried.splice(0)) resolve()
  }

  #dropped(channel: string): void {
    this.#malformed += 1
    // The first of many is enough to look for who publishes there.
    if (Math.log10(this.#malformed) % 1 === 0)
      this.#parts.log.warn({ channel, count: this.#malformed }, 'dropped what is no announcement of holdfast')
  }
}

function bySlot(channels: readonly string[]): readonly (readonly string[])[] {
  const groups = new Map<number, string[]>()
  for (const channel of channels) {
    const slot = slotOf(channel)
    const group = groups.get(slot)
    if (group === undefined) groups.set(slot, [channel])
    else group.push(channel)
  }
  return [...groups.values()]
}
