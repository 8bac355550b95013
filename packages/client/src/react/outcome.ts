import { type HoldfastError, asHoldfastError } from '../errors.js'

/** How something that may fail came out; looked at, not caught. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: HoldfastError }

/** What a promise came to, as a value. Never rejects. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await promise }
  } catch (thrown) {
    return { ok: false, error: asHoldfastError(thrown, 'transport_failed', 'Not done') }
  }
}
