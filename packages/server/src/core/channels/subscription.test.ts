import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Since } from '@holdfast/protocol'
import { resolveChannelRule } from '../../access/channel-rules.js'
import type { Engine, LogPage, PublishRequest, ReadRange, Receiver, Retention, Stream } from '../../engine/engine.js'
import { systemClock } from '../../clock.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import type { FrameEncoder } from '../../transport/transport.js'
import type { Verdict } from './recovery.js'
import { HoldfastError } from '../errors.js'
import { Flusher } from '../connection/flusher.js'
import { Hub } from './hub.js'
import { OutboxBudget } from '../connection/outbox-budget.js'
import { Outbox } from '../connection/outbox.js'
import { Retries } from '../retries.js'
import { Subscription } from './subscription.js'

const STREAM: Stream = { tenant: 't', channel: 'room:1' }
const RULE = resolveChannelRule('room:*', { history: { size: 4, ttl: 60_000 } }, Number)
const LIMITS = { gate: { messagesMax: 100, bytesMax: 10_000 }, recovery: { messagesMax: 100, bytesMax: 10_000 } }

/** The memory engine behind a slow line: listening, the reading itself and the arrival of what was read each wait to be let through. */
class SlowLine {
  readonly engine: Engine
  readonly memory: MemoryEngine = new MemoryEngine({ clock: new SimulatedClock() })
  readonly #waiting: (() => void)[] = []
  /** How often a listener has left. */
  unlistened = 0

  constructor() {
    this.engine = Object.create(this.memory, {
      listen: { value: (stream: Stream, receiver: Receiver) => this.#listen(stream, receiver) },
      read: { value: (stream: Stream, retention: Retention, range: ReadRange) => this.#read(stream, retention, range) },
      publish: { value: (request: PublishRequest) => this.memory.publish(request) },
      rotate: { value: (stream: Stream, epoch: string) => this.memory.rotate(stream, epoch) },
    }) as Engine
  }

  /** Lets the oldest waiting step through; false when none waits. */
  async letThrough(): Promise<boolean> {
    const next = this.#waiting.shift()
    next?.()
    await settle()
    return next !== undefined
  }

  async letAllThrough(): Promise<void> {
    while (await this.letThrough());
  }

  async #listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>> {
    await this.#wait()
    const unlisten = await this.memory.listen(stream, receiver)
    return () => {
      this.unlistened += 1
      return unlisten()
    }
  }

  async #read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    await this.#wait()
    const page = await this.memory.read(stream, retention, range)
    await this.#wait()
    return page
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

interface Heard {
  readonly type: string
  readonly offset?: number
  readonly data?: number
  readonly position?: { epoch: string; offset: number }
}

/** One channel, one subscriber, and everything it hears, in order. */
class World {
  readonly line = new SlowLine()
  readonly heard: Heard[] = []
  readonly published = new Map<string, number>()
  verdict: Verdict | undefined
  failure: unknown
  /** Whether telling the verdict ends the connection. */
  endsAtStart = false
  subscription: Subscription | undefined
  #count = 0
  readonly #clock = new SimulatedClock()
  readonly #hub: Hub
  readonly #outbox: Outbox

  constructor() {
    const frames: FrameEncoder = { text: (content) => Buffer.from(`${content}\n`), ping: () => Buffer.alloc(0) }
    const flusher = new Flusher(this.#clock)
    const socket = {
      address: '',
      pendingBytes: () => 0,
      isReady: () => true,
      write: (bytes: Uint8Array) => this.#hear(Buffer.from(bytes).toString()),
      pause() {},
      resume() {},
      close() {},
      hangUp() {},
    }
    const owner = { tooSlow() {}, encodeGap: () => ({ bytes: Buffer.alloc(0), importance: 'kept' as const }) }
    this.#outbox = new Outbox(flusher, new OutboxBudget(10_000_000), socket, owner, 1_000_000)
    this.#hub = new Hub({
      engine: this.line.engine,
      clock: this.#clock,
      frames,
      retries: new Retries(systemClock, () => undefined),
      limits: { subscription: LIMITS, presence: { graceMs: 0, coalesceMs: 1, sampleMax: 100 } },
      quietMs: 25_000,
      onError: () => undefined,
    })
  }

  async publish(
    retention: Retention | undefined = RULE.retention,
  ): Promise<{ epoch: string; offset: number; id: string }> {
    this.#count += 1
    const outcome = await this.line.memory.publish({
      stream: STREAM,
      event: 'e',
      data: String(this.#count),
      from: { user: 'u' },
      at: '',
      retention,
    })
    if (outcome.kind !== 'published') throw new Error(outcome.kind)
    this.published.set(`${outcome.epoch} ${outcome.offset}`, this.#count)
    await settle()
    return outcome
  }

  async rotate(): Promise<void> {
    const { epoch } = await this.page()
    await this.line.memory.rotate(STREAM, epoch)
    await settle()
  }

  /** As where announcements travel more slowly than reads. */
  async rotateUnannounced(): Promise<void> {
    const { epoch } = await this.page()
    const topic = this.#hub.topic(STREAM)
    const told = topic.rotated.bind(topic)
    topic.rotated = () => undefined
    await this.line.memory.rotate(STREAM, epoch)
    topic.rotated = told
  }

  page(): Promise<LogPage> {
    return this.line.memory.read(STREAM, RULE.retention as Retention, {
      limit: 100,
      bytesMax: Infinity,
      keep: 'newest',
    })
  }

  async subscribe(
    since: Since | undefined,
    options: { limits?: typeof LIMITS; rule?: typeof RULE; presence?: boolean } = {},
  ): Promise<void> {
    const { limits = LIMITS, rule = RULE, presence = false } = options
    await this.begin(this.prepare(rule, presence), since, limits)
  }

  prepare(rule: typeof RULE = RULE, presence: boolean = false): Subscription {
    const subscriber = {
      outbox: this.#outbox,
      streamEnded: (channel: string) => void this.heard.push({ type: `ended ${channel}` }),
    }
    this.subscription = new Subscription(subscriber, this.#hub.topic(STREAM), rule, { presence })
    return this.subscription
  }

  async begin(subscription: Subscription, since: Since | undefined, limits: typeof LIMITS): Promise<void> {
    subscription
      .recover(this.line.engine, since, limits, ({ verdict }) => {
        this.flush()
        this.verdict = verdict
        this.heard.push({ type: 'start' })
        if (this.endsAtStart) subscription.end()
      })
      .catch((error: unknown) => {
        this.failure = error
      })
    await settle()
  }

  async announce(user: string): Promise<void> {
    this.#hub.topic(STREAM).watch({ members: [], counts: { members: 0, connections: 0 }, version: 0 })
    const entry = { session: user, connection: user, node: 'n1', user, info: undefined }
    await this.line.memory.members.enter(STREAM, entry)
    await this.#clock.pass(1)
  }

  topics(): number {
    return this.#hub.size
  }

  flush(): void {
    this.#clock.endTick()
  }

  #hear(text: string): void {
    for (const line of text.trim().split('\n')) this.heard.push(JSON.parse(line) as Heard)
  }
}

/** What every subscriber may rely on, checked against the log itself: no silent gap, no duplicate, in order, the right payload. */
async function checkPromises(world: World, since: Since | undefined): Promise<void> {
  world.flush()
  const { verdict } = world
  if (verdict === undefined) throw new Error('the subscription never began')
  expect(world.heard[0]?.type).toBe('start')
  let at = checkStart(world, verdict, since)
  for (const message of world.heard.slice(1)) {
    if (message.type === 'gap') {
      at = { epoch: message.position?.epoch ?? '', offset: message.position?.offset ?? NaN }
    } else {
      expect(message.offset).toBe(at.offset + 1)
      at = { ...at, offset: at.offset + 1 }
      expect(message.data).toBe(world.published.get(`${at.epoch} ${at.offset}`))
    }
  }
  const { epoch, top } = await world.page()
  expect(at).toEqual({ epoch, offset: top.offset })
}

function checkStart(world: World, verdict: Verdict, since: Since | undefined): { epoch: string; offset: number } {
  const { messages, position, gap, recovered } = verdict
  const first = messages[0]?.offset ?? position.offset + 1
  messages.forEach((message, index) => {
    expect(message.offset).toBe(first + index)
    expect(Number(message.data)).toBe(world.published.get(`${position.epoch} ${message.offset}`))
  })
  expect(first + messages.length).toBe(position.offset + 1)
  if (typeof since === 'object') {
    if (recovered === 'full')
      expect({ epoch: position.epoch, next: first }).toEqual({ epoch: since.epoch, next: since.offset + 1 })
    else if (position.epoch === since.epoch) expect(gap).toMatchObject({ from: since.offset + 1, to: first - 1 })
    else expect(gap).toEqual({ from: since.offset + 1, to: null, reason: 'epoch_changed' })
  } else {
    expect(recovered).toBe('new')
  }
  return { epoch: position.epoch, offset: position.offset }
}

type Step = 'publish' | 'rotate' | 'line'
const STEPS: readonly Step[] = ['publish', 'rotate', 'line']

async function take(world: World, step: Step): Promise<void> {
  if (step === 'publish') await world.publish()
  else if (step === 'rotate') await world.rotate()
  else await world.line.letThrough()
}

/** Three messages are there before the subscriber comes; it has read `read` of them, or is new. */
async function play(steps: readonly Step[], read: number | 'new' | 'newest' | 'old epoch'): Promise<void> {
  const world = new World()
  const positions = [{ epoch: (await world.page()).epoch, offset: 0, id: '' }]
  for (let n = 0; n < 3; n += 1) positions.push(await world.publish())
  if (read === 'old epoch') await world.rotate()
  const since =
    typeof read === 'number'
      ? positions[read]
      : read === 'old epoch'
        ? positions[2]
        : read === 'newest'
          ? ('newest:2' as const)
          : undefined
  const start = since && typeof since === 'object' ? { epoch: since.epoch, offset: since.offset, id: since.id } : since
  await world.subscribe(start)
  for (const step of steps) await take(world, step)
  await world.line.letAllThrough()
  await world.publish()
  // What the last one showed to be missing is read, too.
  await world.line.letAllThrough()
  await checkPromises(world, start)
}

/** Every sequence of `length` steps. */
function* sequences(length: number): Generator<Step[]> {
  if (length === 0) yield []
  else for (const rest of sequences(length - 1)) for (const step of STEPS) yield [step, ...rest]
}

describe('a subscription', () => {
  it('keeps its promises in every order of six events', async () => {
    for (const steps of sequences(6)) for (const read of [2, 'new'] as const) await play(steps, read)
  })

  it.each([0, 1, 3, 'newest', 'old epoch'] as const)(
    'keeps its promises in every order of four events, starting from %s',
    async (read) => {
      for (const steps of sequences(4)) await play(steps, read)
    },
  )

  it('keeps its promises through long random histories', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...STEPS, 'publish' as const), { maxLength: 20 }),
        fc.constantFrom(0, 1, 2, 3, 'new' as const, 'newest' as const, 'old epoch' as const),
        play,
      ),
      { numRuns: 300 },
    )
  })

  it('F-65 holds what is announced while the log is read, and starts with it', async () => {
    const world = new World()
    const since = await world.publish()
    await world.subscribe(since)
    await world.line.letThrough()
    await world.line.letThrough()
    await world.publish()
    await world.line.letThrough()
    world.flush()
    expect(world.verdict?.messages.map(({ offset }) => offset)).toEqual([2])
    expect(world.verdict?.position).toMatchObject({ offset: 2, id: (await world.page()).top.id })
    expect(world.heard.map(({ type }) => type)).toEqual(['start'])
    expect(world.subscription?.state).toBe('live')
    expect(world.subscription?.gate).toBeUndefined()
  })

  it('ends with a retryable error when its gate is full', async () => {
    const world = new World()
    await world.subscribe(undefined, { limits: { ...LIMITS, gate: { messagesMax: 2, bytesMax: 10_000 } } })
    await world.line.letThrough()
    for (let n = 0; n < 3; n += 1) await world.publish()
    await world.line.letAllThrough()
    expect(world.failure).toMatchObject({ code: 'recovery_overflow', retryable: true, retryAfter: 1_000 })
    expect(world.verdict).toBeUndefined()
  })

  it('joins a log whose new epoch was not announced yet', async () => {
    const world = new World()
    const since = await world.publish()
    await world.subscribe(since)
    await world.line.letThrough()
    await world.publish()
    await world.rotateUnannounced()
    await world.line.letAllThrough()
    expect(world.verdict).toMatchObject({ recovered: 'gap', gap: { reason: 'epoch_changed' }, messages: [] })
  })

  it('gives up, with a retryable error, on a log that changes faster than it can be read', async () => {
    const world = new World()
    await world.subscribe(undefined)
    await world.line.letThrough()
    for (let n = 0; n < 20 && world.failure === undefined; n += 1) {
      await world.line.letThrough()
      await world.rotate()
      await world.line.letThrough()
    }
    expect(world.failure).toBeInstanceOf(HoldfastError)
    expect(world.failure).toMatchObject({ code: 'recovery_overflow' })
  })

  it('says nothing when it was ended before its log was read', async () => {
    const world = new World()
    await world.subscribe(undefined)
    await world.line.letThrough()
    world.subscription?.end()
    await world.line.letAllThrough()
    await world.publish()
    world.flush()
    expect([world.heard, world.verdict, world.failure, world.topics()]).toEqual([[], undefined, undefined, 0])
  })

  it('keeps what the member tells of itself, for its entry among the members', () => {
    const world = new World()
    const subscriber = world.prepare().subscriber
    const { info } = new Subscription(subscriber, world.prepare().topic, RULE, {
      presence: true,
      info: '{"mood":"fine"}',
    })
    expect(info).toBe('{"mood":"fine"}')
  })

  it('does not go live when telling its verdict ended it, and leaves nothing behind beside another', async () => {
    const world = new World()
    world.prepare()
    world.endsAtStart = true
    const subscription = world.prepare()
    await world.begin(subscription, undefined, LIMITS)
    await world.line.letAllThrough()
    await world.publish()
    world.flush()
    expect(subscription.state).toBe('ended')
    expect(subscription.topic.size).toBe(1)
    expect(world.heard.map(({ type }) => type)).toEqual(['start'])
  })

  it('says nothing when it was ended before it began', async () => {
    const world = new World()
    const subscription = world.prepare()
    subscription.end()
    await world.begin(subscription, undefined, LIMITS)
    await world.line.letAllThrough()
    await world.publish()
    world.flush()
    expect([world.heard, world.verdict, world.topics()]).toEqual([[], undefined, 0])
  })

  it('keeps its topic alive from the moment it exists, though everybody else leaves', async () => {
    const world = new World()
    const other = world.prepare()
    const subscription = world.prepare()
    other.end()
    await world.begin(subscription, undefined, LIMITS)
    await world.line.letAllThrough()
    await world.publish()
    world.flush()
    expect([world.heard.map(({ type }) => type), world.topics()]).toEqual([['start', 'message'], 1])
  })

  it('says nothing when it was ended while it began to listen, on a channel without history', async () => {
    const world = new World()
    await world.subscribe(undefined, { rule: { ...RULE, retention: undefined } })
    world.subscription?.end()
    await world.line.letAllThrough()
    await world.publish(undefined)
    world.flush()
    expect([world.heard, world.verdict, world.topics()]).toEqual([[], undefined, 0])
  })

  it('hears nothing after its end, and ending twice is ending once', async () => {
    const world = new World()
    await world.subscribe(undefined)
    await world.line.letAllThrough()
    world.subscription?.end()
    world.subscription?.end()
    await world.publish()
    world.flush()
    expect(world.heard.map(({ type }) => type)).toEqual(['start'])
    expect([world.subscription?.state, world.topics(), world.line.unlistened]).toEqual(['ended', 0, 1])
  })

  it('starts at once on a channel without history, with nothing to come back to', async () => {
    const world = new World()
    await world.subscribe({ epoch: 'e', offset: 7, id: 'x' }, { rule: { ...RULE, retention: undefined } })
    await world.line.letThrough()
    await world.publish(undefined)
    world.flush()
    expect(world.verdict).toEqual({
      recovered: 'new',
      gap: undefined,
      messages: [],
      position: { epoch: 'none', offset: 0, id: '' },
    })
    expect(world.heard.map(({ type }) => type)).toEqual(['start', 'message'])
  })

  it('tells of members that came while it recovered, after its start, if it asked to be told', async () => {
    for (const presence of [true, false]) {
      const world = new World()
      await world.subscribe(undefined, { presence })
      await world.line.letThrough()
      await world.announce('bob')
      await world.line.letAllThrough()
      await world.announce('carol')
      world.flush()
      expect(world.heard.map(({ type }) => type)).toEqual(presence ? ['start', 'joined', 'joined'] : ['start'])
    }
  })
})
