import type { Clock } from './clock.js'
import { HoldfastError, asHoldfastError } from './errors.js'

/** The credential: text, or a function that fetches it. `undefined` and `null` stand for none. */
export type TokenOption = string | (() => Token | Promise<Token>)

type Token = string | undefined | null

/** Milliseconds that a getter may take. */
export const TOKEN_TIMEOUT_MS = 10_000

/** Asks the application for its token: one call at a time, whoever asks, and never longer than ten seconds. */
export class TokenSource {
  readonly #option: TokenOption | undefined
  readonly #clock: Clock
  #asked: Promise<string | undefined> | undefined

  constructor(option: TokenOption | undefined, clock: Clock) {
    this.#option = option
    this.#clock = clock
  }

  /** A fresh token, or that of the call in flight. Rejects with `token_failed`, or with the HoldfastError that the getter threw. */
  get(): Promise<string | undefined> {
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined
    })
    return this.#asked
  }

  async #ask(): Promise<string | undefined> {
    if (typeof this.#option !== 'function') return this.#option
    const getter = this.#option
    let stop = (): void => {}
    const late = new Promise<never>((_, reject) => {
      const error = new HoldfastError('token_failed', 'token() took longer than 10 s', { retryable: true })
      stop = this.#clock.after(TOKEN_TIMEOUT_MS, () => reject(error))
    })
    try {
      return (await Promise.race([(async () => getter())(), late])) ?? undefined
    } catch (error) {
      throw asHoldfastError(error, 'token_failed', 'token() failed')
    } finally {
      stop()
    }
  }
}
