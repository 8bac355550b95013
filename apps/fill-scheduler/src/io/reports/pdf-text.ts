import { visible } from './visible-text.js'

/** What the standard fonts of PDF can show: the characters of Windows-1252. */
const DRAWABLE = /[^\u0020-\u007E\u00A0-\u00FF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]/gu

/** Text as the standard fonts of PDF can draw it. Every other character is written by its number, `‹41B›` for U+041B: two names that differ stay different. */
export function drawable(text: string): string {
  return visible(text).replaceAll(DRAWABLE, (character) => `‹${character.codePointAt(0)?.toString(16).toUpperCase()}›`)
}

/** Whether `drawable` changes it. */
export function isUndrawable(text: string): boolean {
  return drawable(text) !== text
}
