import { SETTING_TABLE } from './setting-table.js'

/** What a name of one or several segments means. */
export type NameMeaning =
  /** Settings: mostly one; an older name may stand for two. */
  | { readonly kind: 'settings'; readonly paths: readonly string[] }
  /** The beginning of names of settings. */
  | { readonly kind: 'group' }
  | { readonly kind: 'unknown' }

/** Names are alike whatever their case, underscores and hyphens. */
const keyOf = (segment: string): string => segment.toLowerCase().replace(/[_-]/g, '')

const { settings, groups } = allNames()

/** What the segments of a name mean, by the table of settings. */
export function meaningOf(segments: readonly string[]): NameMeaning {
  const key = segments.map(keyOf).join('.')
  const paths = settings.get(key)
  if (paths !== undefined) return { kind: 'settings', paths }
  return groups.has(key) ? { kind: 'group' } : { kind: 'unknown' }
}

/** The setting whose name, or last part of it, is most like this; undefined when none is much like it. */
export function nearestSetting(segments: readonly string[]): string | undefined {
  const wanted = [segments, segments.slice(-1)].map((part) => part.map(keyOf).join('.').slice(0, 80))
  let best: string | undefined
  let bestDistance = Infinity
  for (const [key, [path]] of settings) {
    const last = key.slice(key.lastIndexOf('.') + 1)
    const distance = Math.min(...[key, last].flatMap((known) => wanted.map((text) => editDistance(text, known))))
    if (distance < bestDistance && distance <= Math.max(2, last.length / 3)) [best, bestDistance] = [path, distance]
  }
  return best
}

function allNames(): { settings: Map<string, string[]>; groups: Set<string> } {
  const settings = new Map<string, string[]>()
  const groups = new Set<string>()
  for (const [path, { olderNames = [] }] of Object.entries(SETTING_TABLE)) {
    for (const name of [path, ...olderNames]) {
      const segments = name.split('.').map(keyOf)
      const key = segments.join('.')
      settings.set(key, [...(settings.get(key) ?? []), path])
      for (let length = 1; length < segments.length; length += 1) groups.add(segments.slice(0, length).join('.'))
    }
  }
  return { settings, groups }
}

/** How many characters have to be put in, left out or replaced to make one text the other (Levenshtein 1965). */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [row, character] of [...one].entries()) {
    const line = [row + 1]
    for (const [column, own] of [...other].entries()) {
      const replaced = (above[column] ?? 0) + (character === own ? 0 : 1)
      line.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1))
    }
    above = line
  }
  return above.at(-1) ?? 0
}
