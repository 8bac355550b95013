import { beforeEach, describe, expect, it } from 'vitest'
import type { LogTop, Receiver, StreamMessage } from '../../engine/engine.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import type { FrameEncoder } from '../../transport/transport.js'
import type { ChannelRule } from '../../access/channel-rules.js'
import { compileChannelPattern } from '../../access/channel-pattern.js'
import { Flusher } from '../connection/flusher.js'
import { Hub } from './hub.js'
import { Outbox } from '../connection/outbox.js'
import { OutboxBudget } from '../connection/outbox-budget.js'
import { Retries } from '../retries.js'
import { Subscription } from './subscription.js'
import type { Topic } from './topic.js'

const STREAM = { tenant: 'acme', channel: 'room:1' }
const RETENTION = { size: 1_000, ttlMs: 3_600_000 }
const QUIET_MS = 25_000

const RULE: ChannelRule = {
  pattern: compileChannelPattern('room:*'),
  access: { subscribe: ['member'], publish: ['member'], signal: [], presence: [], history: ['member'] },
  retention: RETENTION,
  slow: 'resume',
  whenDegraded: 'refuse',
  inbox: false,
  identity: undefined,
}

const LIMITS = {
  gate: { messagesMax: 50, bytesMax: 100_000 },
  recovery: { messagesMax: 100, bytesMax: 1_000_000 },
}

interface Heard {
  readonly type: string
  readonly offset?: number
  readonly data?: number
  readonly from?: number
  readonly to?: number | null
  readonly reason?: string
  readonly position?: { epoch: string; offset: number }
}

type Announcement = { readonly epoch: string; readonly message: StreamMessage }

/** A node whose announcements pass through our hands, one reader each. */
class World {
  readonly clock = new SimulatedClock()
  readonly memory = new MemoryEngine({ clock: this.clock })
  /** What was announced and not handed on yet, while `hold` is set. */
  readonly announced: Announcement[] = []
  hold = false
  refuse: (method: string) => boolean = () => false
  canDiverge = false
  asked: string[] = []
  readonly hub: Hub
  readonly #flusher = new Flusher(this.clock)
  #topic: Topic | undefined

  constructor() {
    const frames: FrameEncoder = { text: (content) => Buffer.from(`${content}\n`), ping: () => Buffer.alloc(0) }
    const faulty = faultyEngine(this.memory, async (method) => {
      this.asked.push(method)
      if (this.refuse(method)) throw Object.assign(new Error('away'), { code: 'engine_unavailable' })
    })
    const { memory } = this
    const engine = {
      ...faulty,
      listen: (_: unknown, receiver: Receiver) => memory.listen(STREAM, this.#intercept(receiver)),
    }
    Object.defineProperty(engine, 'canDiverge', { get: () => this.canDiverge })
    this.hub = new Hub({
      engine,
      clock: this.clock,
      frames,
      retries: new Retries(this.clock, () => undefined),
      limits: { subscription: LIMITS, presence: { graceMs: 0, coalesceMs: 1, sampleMax: 100 } },
      quietMs: QUIET_MS,
      onError: () => undefined,
    })
    this.hub.start()
  }

  get topic(): Topic {
    if (this.#topic === undefined) throw new Error('nobody listens')
    return this.#topic
  }

  /** Subscribes; answers everything that the reader hears. */
  async reader(): Promise<Heard[]> {
    const heard: Heard[] = []
    const socket = {
      address: '',
      pendingBytes: () => 0,
      isReady: () => true,
      write(bytes: Uint8Array) {
        for (const line of Buffer.from(bytes).toString().trim().split('\n')) heard.push(JSON.parse(line) as Heard)
      },
      pause() {},
      resume() {},
      close() {},
      hangUp() {},
    }
    const owner = { tooSlow() {}, encodeGap: () => ({ bytes: Buffer.alloc(0), importance: 'kept' as const }) }
    const outbox = new Outbox(this.#flusher, new OutboxBudget(10_000_000), socket, owner, 1_000_000)
    this.#topic = this.hub.topic(STREAM)
    const subscription = new Subscription({ outbox, streamEnded() {} }, this.#topic, RULE, { presence: false })
    await subscription.recover(this.memory, undefined, LIMITS, ({ verdict: { position } }) => {
      heard.push({ type: 'start', offset: position.offset })
    })
    return heard
  }

  async publish(count = 1): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      this.#published += 1
      await this.memory.publish({
        stream: STREAM,
        event: 'e',
        data: String(this.#published),
        from: { user: 'u' },
        at: '',
        retention: RETENTION,
      })
    }
  }

  #published = 0

  /** Hands on what was held back, all or those of these offsets, in this order. */
  announce(offsets?: readonly number[]): void {
    const all = this.announced.splice(0)
    const chosen = offsets?.map((offset) => all.find(({ message }) => message.offset === offset)) ?? all
    for (const one of chosen) if (one) this.topic.message(one.epoch, one.message)
  }

  /** Lets everything come to rest that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) {
      await settle()
      this.clock.endTick()
    }
  }

  #intercept(receiver: Receiver): Receiver {
    return {
      message: (epoch, message) => {
        if (this.hold) this.announced.push({ epoch, message })
        else receiver.message(epoch, message)
      },
      signal: (signal) => receiver.signal(signal),
      members: (change) => receiver.members(change),
      rotated: (epoch) => {
        if (!this.hold) receiver.rotated(epoch)
      },
      uncertain: () => receiver.uncertain(),
    }
  }
}

let world: World

beforeEach(() => {
  world = new World()
})

const offsets = (heard: readonly Heard[]): number[] =>
  heard.filter(({ type }) => type === 'message').map(({ offset }) => offset ?? 0)

describe('a topic whose announcements are not to be trusted', () => {
  it('F-19 fills a hole from the log before it goes on', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(5)
    world.announce([1, 4])
    await world.settle()
    expect(offsets(heard)).toEqual([1, 2, 3, 4, 5])
    expect(world.asked.filter((method) => method === 'read')).toHaveLength(1)
  })

  it('F-19 drops what is announced twice, and what comes late', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(4)
    world.announce([1, 1, 3, 2, 4])
    await world.settle()
    expect(offsets(heard)).toEqual([1, 2, 3, 4])
  })

  it('joins what is announced during a repair with what it reads', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(3)
    world.announce([3])
    world.hold = false
    await world.publish(4)
    await world.settle()
    expect(offsets(heard)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('repairs a hole that is longer than one read, in order', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(450)
    world.announce([450])
    await world.settle()
    expect(offsets(heard)).toEqual(Array.from({ length: 450 }, (_, n) => n + 1))
  })

  it('F-15 says what it could not repair, and where the stream goes on', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(1_100)
    world.announce([1_100])
    await world.settle()
    expect(heard[1]).toMatchObject({ type: 'gap', from: 1, to: 100, reason: 'trimmed', position: { offset: 100 } })
    expect(offsets(heard)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 101))
  })

  it('tries a repair until the engine answers, and loses nothing meanwhile', async () => {
    const heard = await world.reader()
    world.refuse = (method) => method === 'read'
    world.hold = true
    await world.publish(2)
    world.announce([2])
    world.hold = false
    await world.publish(100)
    await world.clock.pass(10_000)
    expect(offsets(heard)).toEqual([])
    world.refuse = () => false
    await world.clock.pass(10_000)
    await world.settle()
    expect(offsets(heard)).toEqual(Array.from({ length: 102 }, (_, n) => n + 1))
  })

  it('F-19 notices a loss that nothing follows, by comparing quiet channels with their logs', async () => {
    const heard = await world.reader()
    await world.publish(1)
    world.hold = true
    await world.publish(1)
    await world.clock.pass(QUIET_MS * 1.1)
    await world.settle()
    expect(offsets(heard)).toEqual([1, 2])
  })

  it('leaves channels alone that talk', async () => {
    await world.reader()
    for (let n = 0; n < 20; n += 1) {
      await world.publish()
      await world.clock.pass(QUIET_MS / 5)
    }
    expect(world.asked).not.toContain('tops')
  })

  it('compares itself at once when the link broke', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(3)
    world.topic.uncertain()
    await world.settle()
    await world.hub.compared()
    await world.settle()
    expect(offsets(heard)).toEqual([1, 2, 3])
  })

  it('asks once for all that became uncertain together, and again until it is answered', async () => {
    await world.reader()
    world.refuse = (method) => method === 'tops'
    for (let n = 0; n < 10; n += 1) world.topic.uncertain()
    await world.settle()
    expect(world.asked.filter((method) => method === 'tops')).toHaveLength(1)
    world.refuse = () => false
    await world.clock.pass(2_000)
    await world.hub.compared()
    expect(world.asked.filter((method) => method === 'tops')).toHaveLength(2)
    expect(world.asked).not.toContain('read')
  })

  it('F-03 tells of an epoch that ended unannounced, and goes on with the new one from its beginning', async () => {
    const heard = await world.reader()
    await world.publish(3)
    const { epoch } = world.topic.position as LogTop
    world.hold = true
    const next = await world.memory.rotate(STREAM, epoch)
    await world.publish(4)
    world.announce([3, 4])
    await world.settle()
    expect(heard.map(({ type, offset, reason }) => reason ?? offset ?? type)).toEqual([
      0,
      1,
      2,
      3,
      'epoch_changed',
      1,
      2,
      3,
      4,
    ])
    expect(heard.find(({ type }) => type === 'gap')).toMatchObject({ from: 4, position: { epoch: next, offset: 0 } })
  })

  it('does not go back to an epoch that is over when something of it comes late', async () => {
    const heard = await world.reader()
    world.hold = true
    await world.publish(2)
    const late = [...world.announced]
    const { epoch } = world.topic.position as LogTop
    await world.memory.rotate(STREAM, epoch)
    world.hold = false
    world.announced.length = 0
    await world.publish(1)
    await world.settle()
    for (const one of late) world.topic.message(one.epoch, one.message)
    world.topic.rotated(epoch)
    await world.publish(1)
    await world.settle()
    expect(heard.map(({ reason, offset }) => reason ?? offset)).toEqual([0, 'epoch_changed', 1, 2])
  })

  it('F-07 ends the epoch of a log that went back, where an engine can', async () => {
    world.canDiverge = true
    const heard = await world.reader()
    await world.publish(2)
    const { epoch } = world.topic.position as LogTop
    world.topic.message(epoch, { ...message(3), id: 'lost' })
    await world.publish(1)
    await world.settle()
    expect(heard.map(({ reason, offset }) => reason ?? offset)).toEqual([0, 1, 2, 3, 'epoch_changed'])
    expect((world.topic.position as LogTop).epoch).not.toBe(epoch)
  })

  it('tells of a log that went back, where an engine cannot end it', async () => {
    const heard = await world.reader()
    await world.publish(1)
    const { epoch } = world.topic.position as LogTop
    world.topic.message(epoch, message(2))
    world.topic.message(epoch, message(3))
    world.topic.uncertain()
    await world.settle()
    await world.settle()
    expect(heard.at(-1)).toMatchObject({ type: 'gap', from: 2, to: 3, reason: 'ahead', position: { offset: 1 } })
    await world.publish(1)
    await world.settle()
    expect(offsets(heard)).toEqual([1, 2, 3, 2])
  })
})

describe('a subscription that read further than announcements have come', () => {
  it('hears nothing twice, and nothing is lost to the others', async () => {
    const first = await world.reader()
    world.hold = true
    await world.publish(3)
    const second = await world.reader()
    expect(second).toEqual([{ type: 'start', offset: 3 }])
    await world.publish(1)
    world.announce()
    await world.settle()
    expect([offsets(first), offsets(second)]).toEqual([[1, 2, 3, 4], [4]])
  })

  it('brings the others up when the announcements do not come', async () => {
    const first = await world.reader()
    world.hold = true
    await world.publish(3)
    const second = await world.reader()
    await world.clock.pass(1_100)
    await world.settle()
    world.announced.length = 0
    world.hold = false
    await world.publish(1)
    await world.settle()
    expect([offsets(first), offsets(second)]).toEqual([[1, 2, 3, 4], [4]])
  })

  it('takes the others along into an epoch that they have not heard of', async () => {
    const first = await world.reader()
    await world.publish(2)
    const { epoch } = world.topic.position as LogTop
    world.hold = true
    await world.memory.rotate(STREAM, epoch)
    await world.publish(2)
    const second = await world.reader()
    world.hold = false
    await world.publish(1)
    await world.settle()
    expect(first.map(({ reason, offset }) => reason ?? offset)).toEqual([0, 1, 2, 'epoch_changed', 1, 2, 3])
    expect(second.map(({ reason, offset }) => reason ?? offset)).toEqual([2, 3])
  })
})

function message(offset: number): StreamMessage {
  return { id: `x${offset}`, offset, event: 'e', data: '0', from: { user: 'u' }, at: '' }
}
