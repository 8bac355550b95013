import type { Verb } from './channel-rules.js'

/** Every verb that a grant may name. */
export const VERBS: readonly Verb[] = ['subscribe', 'publish', 'signal', 'presence', 'history']

/** Whether this is one verb or more, and nothing else. */
export function areVerbs(value: unknown): value is readonly Verb[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= VERBS.length &&
    value.every((verb) => VERBS.includes(verb as Verb))
  )
}
