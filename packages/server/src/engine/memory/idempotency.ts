import { createHash } from 'node:crypto'
import type { Clock } from '../../clock.js'
import type { PublishOutcome, PublishRequest } from '../engine.js'

/** How long a key is remembered. */
const KEPT_MS = 5 * 60_000

/** Keys remembered at most; beyond it the oldest is forgotten early. */
const KEYS_MAX = 1_000_000

interface Remembered {
  readonly until: number
  readonly fingerprint: string
  readonly outcome: PublishOutcome
}

/** The publishes of the last five minutes that carried a key. */
export class IdempotencyTable {
  readonly #clock: Clock
  readonly #table = new Map<string, Remembered>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  /** What the same publish was answered before, or the conflict; undefined when it is new. */
  find(stream: string, request: PublishRequest): PublishOutcome | undefined {
    const earlier = request.idempotency && this.#table.get(tableKey(stream, request.idempotency))
    if (earlier === undefined || earlier.until <= this.#clock.now()) return undefined
    if (earlier.fingerprint !== fingerprint(request)) return { kind: 'idempotency_conflict' }
    return earlier.outcome.kind === 'published' ? { ...earlier.outcome, duplicate: true } : earlier.outcome
  }

  remember(stream: string, request: PublishRequest, outcome: PublishOutcome): void {
    if (request.idempotency === undefined) return
    const key = tableKey(stream, request.idempotency)
    // Deleted first, so that the table stays in order of age.
    this.#table.delete(key)
    this.#table.set(key, { until: this.#clock.now() + KEPT_MS, fingerprint: fingerprint(request), outcome })
    if (this.#table.size > KEYS_MAX) this.#forgetOldest()
  }

  sweep(): void {
    const now = this.#clock.now()
    for (const [key, { until }] of this.#table) {
      if (until > now) return
      this.#table.delete(key)
    }
  }

  #forgetOldest(): void {
    for (const key of this.#table.keys()) {
      this.#table.delete(key)
      return
    }
  }
}

function tableKey(stream: string, idempotency: { scope: string; key: string }): string {
  return `${stream.length}:${stream}${idempotency.scope.length}:${idempotency.scope}${idempotency.key}`
}

/** A digest rather than the data: a table of keys must not keep the messages. */
function fingerprint(request: PublishRequest): string {
  return createHash('sha256').update(`${request.event}\n${request.data}`).digest('base64')
}
