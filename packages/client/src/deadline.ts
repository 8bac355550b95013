import type { Clock } from './clock.js'
import { type ClientErrorCode, asHoldfastError } from './errors.js'

/** Milliseconds that a function of the application may take. */
const ANSWER_MS = 10_000

/**
 * What a function of the application returns, or its promise resolves with. Rejects with `code` when it throws or takes longer than ten
 * seconds, and with the HoldfastError that it threw.
 */
export async function answerOf<T>(
  clock: Clock,
  code: ClientErrorCode,
  name: string,
  call: () => T | Promise<T>,
): Promise<T> {
  let stop = (): void => {}
  const late = new Promise<never>((_, reject) => {
    stop = clock.after(ANSWER_MS, () => reject(new Error(`No answer within ${ANSWER_MS} ms`)))
  })
  try {
    return await Promise.race([(async () => call())(), late])
  } catch (error) {
    throw asHoldfastError(error, code, `${name} failed`)
  } finally {
    stop()
  }
}
