import type { Clock } from './clock.js'
import { answerOf } from './deadline.js'

/** The credential: text, or a function that fetches it. `undefined` and `null` stand for none. */
export type TokenOption = string | (() => Token | Promise<Token>)

type Token = string | undefined | null

/** A fresh token, or that of the call in flight. Rejects with `token_failed`, or with the HoldfastError that the getter threw. */
export type TokenSource = () => Promise<string | undefined>

/** Asks the application for its token: one call at a time, whoever asks, and never longer than ten seconds. */
export function tokenSource(option: TokenOption | undefined, clock: Clock): TokenSource {
  let asked: Promise<string | undefined> | undefined
  const ask = async (): Promise<string | undefined> => {
    if (typeof option !== 'function') return option
    return (await answerOf(clock, 'token_failed', 'token()', option)) ?? undefined
  }
  return () => (asked ??= ask().finally(() => (asked = undefined)))
}
