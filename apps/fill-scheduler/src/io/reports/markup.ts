import { visible } from './visible-text.js'

/** Text that is markup already. Only `markup` and `trusted` make it. */
export interface Markup {
  readonly html: string
}

/** What may stand in a template: texts and numbers are escaped, markup is not. */
export type MarkupPart = string | number | Markup | readonly Markup[] | undefined

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template in which everything put in is escaped, for text and for quoted attributes alike. */
export function markup(strings: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  return { html: strings.map((literal, at) => literal + htmlOf(parts[at])).join('') }
}

/** Markup that this program wrote itself. */
export function trusted(html: string): Markup {
  return { html }
}

function htmlOf(part: MarkupPart): string {
  if (part === undefined) return ''
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return visible(part).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
  return 'html' in part ? part.html : part.map(({ html }) => html).join('')
}
