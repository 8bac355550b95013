import { createHash } from 'node:crypto'
import type { Clock } from '../../clock.js'
import type { PublishOutcome, PublishRequest } from '../engine.js'

/** How long a key is remembered. */
export const IDEMPOTENCY_KEPT_MS: number = 5 * 60_000

/** Keys remembered at most; beyond it the oldest is forgotten early. */
const KEYS_MAX = 1_000_000

/** A publish that carried a key. */
export interface Remembered {
  /** When it is forgotten, in milliseconds since 1970. */
  readonly until: number
  readonly fingerprint: string
  readonly outcome: Extract<PublishOutcome, { kind: 'published' }>
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

  /** All entries, the oldest first. */
  entries(): IterableIterator<[string, Remembered]> {
    return this.#table.entries()
  }

  /** What the same publish was answered before, or the conflict; undefined when it is new. */
  find(stream: string, request: PublishRequest): PublishOutcome | undefined {
    const earlier = request.idempotency && this.get(idempotencyKey(stream, request.idempotency))
    if (earlier === undefined) return undefined
    if (earlier.fingerprint !== fingerprint(request)) return { kind: 'idempotency_conflict' }
    return { ...earlier.outcome, duplicate: true }
  }

  remember(stream: string, request: PublishRequest, outcome: Remembered['outcome']): void {
    if (request.idempotency === undefined) return
    const until = this.#clock.now() + IDEMPOTENCY_KEPT_MS
    this.set(idempotencyKey(stream, request.idempotency), { until, fingerprint: fingerprint(request), outcome })
  }

  /** What is remembered under a key that `idempotencyKey` made. */
  get(key: string): Remembered | undefined {
    const earlier = this.#table.get(key)
    return earlier !== undefined && earlier.until > this.#clock.now() ? earlier : undefined
  }

  set(key: string, remembered: Remembered): void {
    // Deleted first, so that the table stays in order of age.
    this.#table.delete(key)
    this.#table.set(key, remembered)
    if (this.#table.size > KEYS_MAX) this.#forgetOldest()
  }

  /** What was published in an epoch was published in the one that took its place. */
  renameEpochs(renamed: ReadonlyMap<string, string>): void {
    for (const [key, earlier] of this.#table) {
      const epoch = renamed.get(earlier.outcome.epoch)
      if (epoch !== undefined) this.#table.set(key, { ...earlier, outcome: { ...earlier.outcome, epoch } })
    }
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

/** The name under which a publish is remembered. `stream` is the stream's key. */
export function idempotencyKey(stream: string, idempotency: { scope: string; key: string }): string {
  return `${stream.length}:${stream}${idempotency.scope.length}:${idempotency.scope}${idempotency.key}`
}

/** A digest rather than the data: a table of keys must not keep the messages. */
export function fingerprint(request: PublishRequest): string {
  return createHash('sha256').update(`${request.event}\n${request.data}`).digest('base64')
}
