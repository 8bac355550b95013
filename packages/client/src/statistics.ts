/** Milliseconds between a question and its answer, over the last 128 answers. Absent before the first. */
export interface Latency {
  readonly last: number
  readonly mean: number
  readonly p95: number
}

/** What a client has seen since it was made. */
export interface Statistics {
  /** Connections tried. */
  readonly attempts: number
  /** Connections that were welcomed. */
  readonly successes: number
  /** `successes / attempts`, 0 before the first attempt. */
  readonly successRate: number
  /** Connections after the first, hand-overs excepted. */
  readonly reconnects: number
  /** Moves to another node without a break. */
  readonly handovers: number
  /** Messages handed to channels, signals excepted. */
  readonly messages: number
  /** Messages that had been seen already. */
  readonly duplicatesDropped: number
  /** Gaps announced. */
  readonly gaps: number
  /** Subscriptions and publishes that the server could not take just then; each is asked for again. */
  readonly retries: number
  /** The node says that its store is away: what is published waits, what is subscribed may have to. */
  readonly degraded: boolean
  /** Commands waiting to be sent. */
  readonly queued: number
  /** Bytes of the commands waiting to be sent. */
  readonly queuedBytes: number
  readonly latency: Latency | undefined
}

const SAMPLES_MAX = 128

/** Counts what happens. */
export class Tally {
  attempts = 0
  successes = 0
  reconnects = 0
  handovers = 0
  messages = 0
  duplicatesDropped = 0
  gaps = 0
  retries = 0
  degraded = false
  readonly #samples: number[] = []

  /** Notes that an answer took `ms`. */
  answered(ms: number): void {
    this.#samples.push(ms)
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift()
  }

  /** The figures of this moment, with what waits to be sent. */
  read({ count, bytes }: { readonly count: number; readonly bytes: number }): Statistics {
    const successRate = this.successes / this.attempts || 0
    // oxlint-disable-next-line typescript/no-misused-spread -- its public members are the figures
    return { ...this, successRate, queued: count, queuedBytes: bytes, latency: latencyOf(this.#samples) }
  }
}

function latencyOf(samples: readonly number[]): Latency | undefined {
  const last = samples.at(-1)
  if (last === undefined) return undefined
  const sorted = [...samples].sort((a, b) => a - b)
  const mean = samples.reduce((sum, ms) => sum + ms, 0) / samples.length
  // The nearest rank: the smallest sample that at least 95 % do not exceed.
  return { last, mean, p95: sorted[Math.ceil(sorted.length * 0.95) - 1]! }
}
