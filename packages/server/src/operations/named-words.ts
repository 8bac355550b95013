/** Reports that were said under a name, and when, in milliseconds since 1970; the oldest first: plain data. */
export type NamedWords = readonly (readonly [name: string, at: number])[]

/** How many names of an operation are known, and for how many milliseconds. */
const NAMES_MAX = 64
const KEPT_MS = 86_400_000

/** Whether something was said under this name before. */
export function isNamed(named: NamedWords, name: string | undefined, now: number): boolean {
  return name !== undefined && named.some(([other, at]) => other === name && now - at < KEPT_MS)
}

/** With what is said now under a name. */
export function nameWord(named: NamedWords, name: string | undefined, now: number): NamedWords {
  if (name === undefined) return named
  const kept = named.filter(([other, at]) => other !== name && now - at < KEPT_MS)
  return [...kept, [name, now] as const].slice(-NAMES_MAX)
}
