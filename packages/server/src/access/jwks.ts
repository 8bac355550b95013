import type { Cancel, Clock } from '../clock.js'
import { CircuitBreaker, CircuitOpenError } from '../outbound/circuit-breaker.js'
import { type Outbound, OutboundError } from '../outbound/outbound.js'
import type { Audit } from '../telemetry/audit.js'
import { readKeySet } from './jwks-document.js'
import type { PublicAlgorithm, TokenAlgorithm } from './token-algorithm.js'
import type { KeyRing } from './token-key-ring.js'

/** Where a key set is, and what it may hold. */
export interface KeySetSetup {
  /** The only address that is ever asked: nothing in a token leads to another. */
  readonly url: URL
  readonly algorithms: readonly PublicAlgorithm[]
  /** Between refreshes that nobody asked for. */
  readonly refreshMs: number
  /** Whether the address may lie in a network of one's own. */
  readonly allowPrivate: boolean
}

/** What key sets work with. */
export interface KeySetParts {
  readonly clock: Clock
  readonly audit: Audit
  readonly outbound: Outbound
}

/** A set is fetched at most once in this time, whoever sends whichever tokens. */
export const REFRESH_GAP_MS = 30_000

/** After failures in a row the host is left alone for a time. */
const FAILURES_MAX = 3
const REST_MS = 60_000

/**
 * The public keys that an issuer publishes (RFC 7517 5). Fetched at the start, from time to time, and when a token names a key that is not known yet. On any
 * error the last good set stays in force; one that was never loaded verifies nothing.
 */
export class KeySet {
  readonly #setup: KeySetSetup
  readonly #parts: KeySetParts
  readonly #circuit: CircuitBreaker
  #ring: KeyRing | undefined
  #fetchedAt: number | undefined
  #fetching: Promise<void> | undefined
  #cancel: Cancel | undefined
  #isStarted = false

  constructor(setup: KeySetSetup, parts: KeySetParts) {
    this.#setup = setup
    this.#parts = parts
    this.#circuit = new CircuitBreaker({ clock: parts.clock, failuresMax: FAILURES_MAX, openMs: REST_MS })
  }

  /** The last good set; undefined: none was loaded yet. */
  get ring(): KeyRing | undefined {
    return this.#ring
  }

  /** Whether the set may hold keys for an algorithm: it never holds secrets. */
  mayHold(algorithm: TokenAlgorithm): boolean {
    return (this.#setup.algorithms as readonly TokenAlgorithm[]).includes(algorithm)
  }

  /** Loads the set, and keeps it fresh from now on. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.refresh().finally(() => this.#schedule())
  }

  stop(): void {
    this.#isStarted = false
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Resolves when the set was fetched, or could not be, or was too lately to be fetched again. All who ask at a time share one fetch. Never rejects. */
  refresh(): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching
    if (!this.#isDue()) return Promise.resolve()
    this.#fetchedAt = this.#parts.clock.now()
    this.#fetching = this.#load().finally(() => (this.#fetching = undefined))
    return this.#fetching
  }

  #isDue(): boolean {
    if (this.#fetchedAt === undefined) return true
    const since = this.#parts.clock.now() - this.#fetchedAt
    // A clock that was set back must not keep it from being fetched.
    return since >= REFRESH_GAP_MS || since < 0
  }

  async #load(): Promise<void> {
    const { audit } = this.#parts
    const { url } = this.#setup
    try {
      this.#ring = await this.#circuit.run(() => this.#fetch())
      audit.record('jwks.refreshed', { rule: url.host, count: this.#ring.size })
    } catch (error) {
      if (!(error instanceof CircuitOpenError)) audit.record('jwks.failed', { rule: url.host, reason: reasonOf(error) })
    }
  }

  async #fetch(): Promise<KeyRing> {
    const { url, algorithms } = this.#setup
    const { status, body } = await this.#parts.outbound({ url, method: 'GET', headers: { accept: 'application/json' } })
    if (status !== 200) throw new RangeError(`answered ${status}`)
    return readKeySet(body, algorithms)
  }

  /** A set that could not be loaded is asked for again soon. */
  #schedule(): void {
    if (!this.#isStarted) return
    // Of one that was stopped and started meanwhile there may be another.
    this.#cancel?.()
    const isGood = this.#circuit.state === 'closed' && this.#ring !== undefined
    this.#cancel = this.#parts.clock.after(isGood ? this.#setup.refreshMs : REFRESH_GAP_MS, () => {
      void this.refresh().finally(() => this.#schedule())
    })
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof OutboundError) return `${error.code}: ${error.message}`
  return error instanceof RangeError ? error.message : 'failed'
}
