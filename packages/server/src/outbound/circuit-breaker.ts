import type { Clock } from '../clock.js'

/** `closed`: work is done. `open`: it is refused at once. `half-open`: one attempt is under way, all others are refused. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** Thrown in place of work while the circuit is open. Whoever asks takes it as a refusal: no answer is never an allowance. */
export class CircuitOpenError extends Error {
  /** Milliseconds until the next attempt; 0 while one is under way. */
  readonly retryAfterMs: number

  constructor(retryAfterMs: number) {
    super('refused at once: the last attempts failed')
    this.name = 'CircuitOpenError'
    this.retryAfterMs = retryAfterMs
  }
}

/** What a circuit breaker works with. */
export interface CircuitBreakerOptions {
  readonly clock: Pick<Clock, 'now'>
  /** Failures in a row that open it (default 5). */
  readonly failuresMax?: number
  /** How long it stays open before one attempt is made (default 10,000). */
  readonly openMs?: number
  /** Told of every change of state, at once. */
  readonly onChange?: (state: CircuitState) => void
}

/** Spares a server that does not answer, and those who would wait for it. The work must come to an end by itself. */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  #state: CircuitState = 'closed'
  #failures = 0
  #openedAt = 0
  /** Counts the changes of state: what was begun in another period says nothing about this one. */
  #period = 0

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
  }

  get state(): CircuitState {
    return this.#state
  }

  /** Does the work, and rejects as it does; rejects with a `CircuitOpenError` without beginning it while the circuit is open. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#admit()
    const period = this.#period
    try {
      const result = await work()
      if (period === this.#period) this.#succeeded()
      return result
    } catch (error) {
      if (period === this.#period) this.#failed()
      throw error
    }
  }

  #admit(): void {
    if (this.#state === 'closed') return
    const { clock, openMs = 10_000 } = this.#options
    const left = this.#openedAt + openMs - clock.now()
    if (this.#state === 'half-open') throw new CircuitOpenError(0)
    // A clock that was set back must not keep it open.
    if (left > 0 && left <= openMs) throw new CircuitOpenError(left)
    this.#enter('half-open')
  }

  #succeeded(): void {
    this.#failures = 0
    if (this.#state !== 'closed') this.#enter('closed')
  }

  #failed(): void {
    const { failuresMax = 5, clock } = this.#options
    this.#failures += 1
    if (this.#state === 'closed' && this.#failures < failuresMax) return
    this.#openedAt = clock.now()
    this.#enter('open')
  }

  #enter(state: CircuitState): void {
    this.#period += 1
    this.#state = state
    this.#options.onChange?.(state)
  }
}
