import type { Cancel, Clock } from '../../clock.js'
import type { Engine, LogTop, Retention, Stream } from '../../engine/engine.js'

/** Logs asked for in one question to the engine. */
const BATCH = 100

/** Batches under way at once. */
const BATCHES_MAX = 4

/** How long until a question that the engine refused is asked again. */
const RETRY_MS = 1_000

/** A channel whose place in its log can be compared. */
export interface Checked {
  readonly stream: Stream
  /** Undefined on a channel without history: there is nothing to compare. */
  readonly retention: Retention | undefined
  /** When the channel last heard something of its log, or was last compared. */
  readonly heardAt: number
  /** Where it stands now. */
  readonly position: LogTop | undefined
  /** The log stands elsewhere than the channel did when the question was asked. */
  astray(): void
  /** The log stands where the channel does. */
  confirmed(): void
}

/**
 * Compares where channels stand with the tops of their logs, in batches: all of them after announcements may have been lost, and at a low rate those that
 * have been quiet, because a loss that nothing follows would never show.
 */
export class PositionChecks {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #onError: (error: unknown) => void
  readonly #waiting = new Set<Checked>()
  #asking = 0
  readonly #idle: (() => void)[] = []
  #stop: Cancel | undefined
  #retry: Cancel | undefined

  /** A channel that heard nothing for `intervalMs` is compared. */
  constructor(engine: Engine, clock: Clock, intervalMs: number, onError: (error: unknown) => void) {
    this.#engine = engine
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#onError = onError
  }

  /** Looks for quiet channels four times in each interval. `channels` are those to look at. */
  start(channels: () => Iterable<Checked>): void {
    this.#stop ??= this.#clock.every(this.#intervalMs / 4, () => {
      const before = this.#clock.now() - this.#intervalMs * 0.75
      for (const channel of channels()) if (channel.heardAt <= before) this.ask(channel)
    })
  }

  stop(): void {
    this.#stop?.()
    this.#retry?.()
    this.#stop = this.#retry = undefined
    this.#waiting.clear()
    this.#settle()
  }

  /** Compares a channel soon. */
  ask(channel: Checked): void {
    if (channel.retention === undefined || channel.position === undefined) return
    this.#waiting.add(channel)
    // Gathered for the turn: a link that breaks makes every channel uncertain at once.
    if (this.#waiting.size === 1) queueMicrotask(() => this.#next())
  }

  /** The channel is gone. */
  forget(channel: Checked): void {
    this.#waiting.delete(channel)
  }

  /** Resolves when nothing waits to be compared. */
  settled(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  get #isIdle(): boolean {
    return this.#waiting.size === 0 && this.#asking === 0
  }

  #next(): void {
    while (this.#waiting.size > 0 && this.#asking < BATCHES_MAX && this.#retry === undefined) void this.#compare()
    this.#settle()
  }

  #settle(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #compare(): Promise<void> {
    const batch = this.#take()
    this.#asking += 1
    try {
      const tops = await this.#engine.tops(
        batch.map(({ channel, retention }) => ({ stream: channel.stream, retention })),
      )
      batch.forEach(({ channel, position }, index) => judge(channel, position, tops[index]))
    } catch (error) {
      this.#onError(error)
      for (const { channel } of batch) this.#waiting.add(channel)
      this.#retry ??= this.#clock.after(RETRY_MS, () => {
        this.#retry = undefined
        this.#next()
      })
    }
    this.#asking -= 1
    this.#next()
  }

  #take(): { channel: Checked; retention: Retention; position: LogTop }[] {
    const batch: { channel: Checked; retention: Retention; position: LogTop }[] = []
    for (const channel of this.#waiting) {
      if (batch.length >= BATCH) break
      this.#waiting.delete(channel)
      const { retention, position } = channel
      if (retention !== undefined && position !== undefined) batch.push({ channel, retention, position })
    }
    return batch
  }
}

/** Compared with where the channel was when the question was asked: what came since then is not in the answer. */
function judge(channel: Checked, asked: LogTop, top: LogTop | undefined): void {
  if (channel.position === undefined || top === undefined) return
  const same =
    top.epoch === asked.epoch &&
    top.top.offset === asked.top.offset &&
    (asked.top.id === '' || top.top.id === asked.top.id)
  const { epoch, top: at } = channel.position
  // Announced and taken in while the question was on its way.
  const overtaken = top.epoch === epoch && top.top.offset > asked.top.offset && top.top.offset <= at.offset
  if (same || overtaken) channel.confirmed()
  else channel.astray()
}
