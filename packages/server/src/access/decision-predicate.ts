import type { Cancel, Clock } from '../clock.js'
import type { Identity } from './identity.js'

/** How long a predicate is waited for. */
export const PREDICATE_MS_MAX = 5_000

/** Asks a predicate. One that throws, rejects, answers anything but `true`, or nothing in time has not allowed anything: the answer never rejects. */
export function askPredicate(
  predicate: (identity: Identity, channel: string) => unknown,
  { identity, channel }: { readonly identity: Identity; readonly channel: string },
  clock: Pick<Clock, 'after'>,
): boolean | Promise<boolean> {
  try {
    const answer = predicate(identity, channel)
    return isThenable(answer) ? trueInTime(answer, clock) : answer === true
  } catch {
    return false
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function trueInTime(answer: PromiseLike<unknown>, clock: Pick<Clock, 'after'>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel: Cancel = clock.after(PREDICATE_MS_MAX, () => resolve(false))
    const end = (isAllowed: boolean): void => {
      cancel()
      resolve(isAllowed)
    }
    Promise.resolve(answer).then(
      (value) => end(value === true),
      () => end(false),
    )
  })
}
