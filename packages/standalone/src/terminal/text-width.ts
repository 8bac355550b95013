/** Controls and the characters that reorder text: printed as they are, a name could rewrite the screen around it. */
const UNPRINTABLE = /[\p{Cc}\p{Surrogate}\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/gu
const INVISIBLE = /\p{Mn}|\p{Me}|\p{Cf}/u
/** East Asian wide and full-width blocks and the pictographs, coarsely: being a column off is harmless here. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}]|[\u{20000}-\u{3FFFD}]/u

/** The text with everything replaced that would move the cursor, colour the screen or reorder what is around it. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD')
}

/** Columns that the text takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOfCharacter(character)
  return columns
}

function columnsOfCharacter(character: string): number {
  if (INVISIBLE.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

const COLUMNS_DEFAULT = 80

/** Columns that stay free: for the cursor, and for the `^C` that a terminal writes behind it. */
const COLUMNS_FREE = 3

/** Columns for a line that is drawn in place, on a terminal of so many (80 where it does not say). */
export function lineColumns(columns: number | undefined): number {
  return (columns ?? COLUMNS_DEFAULT) - COLUMNS_FREE
}

/** The beginning of the text in at most `columns` columns; what was cut off is shown as one `…` behind. */
export function keepStart(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let kept = ''
  let used = 1
  for (const character of text) {
    used += columnsOfCharacter(character)
    if (used > columns) break
    kept += character
  }
  return columns > 0 ? `${kept}…` : ''
}

/** The end of the text in at most `columns` columns; what was cut off is shown as one `…` in front. */
export function keepEnd(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  const kept: string[] = []
  let used = 1
  for (const character of [...text].reverse()) {
    used += columnsOfCharacter(character)
    if (used > columns) break
    kept.unshift(character)
  }
  return columns > 0 ? `…${kept.join('')}` : ''
}
