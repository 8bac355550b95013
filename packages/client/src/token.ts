import type { Clock } from './clock.js'
import { answerOf } from './deadline.js'

/** The credential: text, or a function that fetches it. `undefined` and `null` stand for none. */
export type TokenOption = string | (() => Token | Promise<Token>)

type Token = string | undefined | null

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
    const getter = this.#option
    if (typeof getter !== 'function') return getter
    return (await answerOf(this.#clock, 'token_failed', 'token()', getter)) ?? undefined
  }
}
