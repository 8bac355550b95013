import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../clock.js'
import { Supervisor } from './supervisor.js'
import type { WorkerEnd, WorkerProcess } from './worker-process.js'
import type { Order, Serving } from './worker-tie.js'

/** Time that passes when it is told to. */
class ManualClock implements Clock {
  #now = 0
  #tasks: { at: number; task: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + ms, task }
    this.#tasks.push(entry)
    return () => void (this.#tasks = this.#tasks.filter((one) => one !== entry))
  }

  every(): () => void {
    throw new Error('nothing here repeats')
  }

  /** Lets time pass, and everything that follows from it happen. */
  async pass(ms: number): Promise<void> {
    await settled()
    const end = this.#now + ms
    for (;;) {
      const next = this.#tasks.toSorted((one, other) => one.at - other.at)[0]
      if (next === undefined || next.at > end) break
      this.#tasks = this.#tasks.filter((one) => one !== next)
      this.#now = next.at
      next.task()
      await settled()
    }
    this.#now = end
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const SERVING: Serving = { url: 'http://127.0.0.1:1', webSocketUrl: 'ws://127.0.0.1:1/ws', demo: false }

/** A worker without a process. */
class Worker implements WorkerProcess {
  readonly pid: number
  readonly orders: Order[] = []
  readonly listening: Promise<Serving>
  readonly ready: Promise<void>
  readonly ended: Promise<WorkerEnd>
  listen: () => void = () => {}
  end: (end: WorkerEnd) => void = () => {}

  constructor(pid: number, becomesReady: boolean) {
    this.pid = pid
    this.listening = new Promise((resolve) => {
      this.listen = () => resolve(SERVING)
    })
    this.ready = becomesReady ? this.listening.then(() => undefined) : new Promise(() => {})
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  tell(order: Order): void {
    this.orders.push(order)
  }

  kill(): void {
    this.end({ code: null, signal: 'SIGKILL' })
  }
}

function supervise(count: number): {
  clock: ManualClock
  supervisor: Supervisor
  forked: { place: number; worker: Worker }[]
  state: { becomesReady: boolean }
} {
  const clock = new ManualClock()
  const forked: { place: number; worker: Worker }[] = []
  const state = { becomesReady: true }
  const fork = (place: number): Worker => {
    const worker = new Worker(forked.length + 1, state.becomesReady)
    forked.push({ place, worker })
    return worker
  }
  const log = pino({ level: 'silent' })
  return { clock, supervisor: new Supervisor({ count, fork, clock, log, endsWithinMs: 40_000 }), forked, state }
}

async function begin(count: number): Promise<ReturnType<typeof supervise>> {
  const parts = supervise(count)
  const started = parts.supervisor.start()
  parts.forked[0]?.worker.listen()
  expect(await started).toEqual(SERVING)
  for (const { worker } of parts.forked) worker.listen()
  return parts
}

const CRASH: WorkerEnd = { code: 1, signal: null }

describe('a supervisor', () => {
  it('starts the others when the first listens', async () => {
    const { supervisor, forked } = supervise(3)
    const started = supervisor.start()
    await settled()
    expect(forked.map(({ place }) => place)).toEqual([1])
    forked[0]?.worker.listen()
    await started
    expect(forked.map(({ place }) => place)).toEqual([1, 2, 3])
  })

  it('answers the exit code of a first worker that never listened, and starts nobody', async () => {
    const { supervisor, forked, clock } = supervise(3)
    const started = supervisor.start()
    forked[0]?.worker.end({ code: 2, signal: null })
    expect(await started).toBe(2)
    await clock.pass(60_000)
    expect(forked).toHaveLength(1)
  })

  it('starts a worker again that crashed', async () => {
    const { forked, clock } = await begin(2)
    forked[1]?.worker.end({ code: null, signal: 'SIGKILL' })
    await clock.pass(99)
    expect(forked).toHaveLength(2)
    await clock.pass(1)
    expect(forked.map(({ place }) => place)).toEqual([1, 2, 2])
  })

  it('gives up when a worker crashes again and again, and says which', async () => {
    const { supervisor, forked, clock } = await begin(2)
    for (let crashes = 0; crashes < 6; crashes += 1) {
      forked.at(crashes === 0 ? 1 : -1)?.worker.end(CRASH)
      await clock.pass(3_000)
    }
    expect(await supervisor.gaveUp).toBe('worker 2 ended 6 times in short order, last with code 1')
    expect(forked).toHaveLength(7)
  })

  it('restarts one worker at a time, each when its successor is ready', async () => {
    const { supervisor, forked } = await begin(2)
    const restarted = supervisor.restart()
    expect(forked.map(({ place }) => place)).toEqual([1, 2, 1])
    await settled()
    expect(forked[0]?.worker.orders).toEqual([])
    forked[2]?.worker.listen()
    await settled()
    expect(forked[0]?.worker.orders).toEqual(['retire'])
    expect(forked).toHaveLength(3)
    forked[0]?.worker.end({ code: 0, signal: null })
    await settled()
    forked[3]?.worker.listen()
    await settled()
    forked[1]?.worker.end({ code: 0, signal: null })
    await restarted
    expect(forked.map(({ place }) => place)).toEqual([1, 2, 1, 2])
  })

  it('calls a restart off when a successor does not become ready, and leaves the old ones running', async () => {
    const { supervisor, forked, clock, state } = await begin(2)
    state.becomesReady = false
    const restarted = supervisor.restart()
    await clock.pass(30_000)
    await restarted
    expect(forked).toHaveLength(3)
    expect(forked.map(({ worker }) => worker.orders)).toEqual([[], [], []])
    expect(await forked[2]?.worker.ended).toEqual({ code: null, signal: 'SIGKILL' })
    state.becomesReady = true
    forked[0]?.worker.end(CRASH)
    await clock.pass(100)
    expect(forked.at(-1)?.place).toBe(1)
  })

  it('keeps one worker in a place whose old one crashes while its successor starts', async () => {
    const { supervisor, forked, clock } = await begin(1)
    const restarted = supervisor.restart()
    forked[0]?.worker.end(CRASH)
    forked[1]?.worker.listen()
    await clock.pass(10_000)
    await restarted
    expect(forked).toHaveLength(2)
  })

  it('drains all workers together, and says that each ended well', async () => {
    const { supervisor, forked, clock } = await begin(3)
    const stopped = supervisor.stop()
    expect(forked.map(({ worker }) => worker.orders)).toEqual([['drain'], ['drain'], ['drain']])
    for (const { worker } of forked) worker.end({ code: 0, signal: null })
    expect(await stopped).toBe(true)
    await clock.pass(60_000)
    expect(forked).toHaveLength(3)
  })

  it('kills a worker that does not end in time, and says so', async () => {
    const { supervisor, forked, clock } = await begin(2)
    const stopped = supervisor.stop()
    forked[0]?.worker.end({ code: 0, signal: null })
    await clock.pass(40_000)
    expect(await stopped).toBe(false)
    expect(await forked[1]?.worker.ended).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('ends who retires and who comes when it is stopped in the middle of a restart', async () => {
    const { supervisor, forked } = await begin(1)
    void supervisor.restart()
    forked[1]?.worker.listen()
    await settled()
    const stopped = supervisor.stop()
    expect(forked.map(({ worker }) => worker.orders)).toEqual([['retire', 'drain'], ['drain']])
    for (const { worker } of forked) worker.end({ code: 0, signal: null })
    expect(await stopped).toBe(true)
  })
})
