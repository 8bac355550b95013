import { visible } from './reports/visible-text.js'

/** As much of a text as a message can hold, without what could steer a terminal. */
export function excerpt(text: string): string {
  return visible(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

/** What was received, for a message: texts in quotes, of lists and mappings only that they are. */
export function received(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return `"${excerpt(value)}"`
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'a mapping' : excerpt(String(value as number | boolean | null))
}
