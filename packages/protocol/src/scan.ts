import type { FrameLimits } from './limits.js'

/** Where the bytes of the top-level `data` member stand in a command, and nothing else: validity is the parser's business. */
export interface DataSpan {
  readonly start: number
  readonly end: number
}

/** What a scan found: the span of `data` if there is one, or why the text must not be parsed. */
export type ScanResult = { readonly data: DataSpan | undefined } | { readonly problem: string }

const QUOTE = 34
const BACKSLASH = 92
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const COLON = 58
const COMMA = 44

/**
 * One pass over the text of one command, before it is parsed: bounds nesting and the members of each object without recursion
 * or allocation, refuses what JSON allows but we do not (a lone surrogate escape, a number that is not finite, `data` twice), and
 * finds the span of the top-level `data`, so that it can travel on as the bytes it was.
 *
 * On text that is not JSON the result means nothing but "bounded"; the parser refuses it afterwards.
 */
export function scanCommand(text: string, limits: Pick<FrameLimits, 'jsonDepthMax' | 'objectKeysMax'>): ScanResult {
  const keys: number[] = []
  let depth = 0
  let data: DataSpan | undefined
  let dataStart = -1
  let token = ''
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at)
        if (end < 0) return { problem: 'holds a lone surrogate' }
        if (depth === 1) token = text.slice(at, end + 1)
        at = end
        break
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        depth += 1
        if (depth > limits.jsonDepthMax) return { problem: `is nested deeper than ${limits.jsonDepthMax}` }
        keys[depth] = 0
        break
      case COLON: {
        const count = (keys[depth] ?? 0) + 1
        keys[depth] = count
        if (count > limits.objectKeysMax)
          return { problem: `has an object with more than ${limits.objectKeysMax} members` }
        if (depth === 1 && token === '"data"') {
          if (data !== undefined) return { problem: 'names data twice' }
          dataStart = at + 1
        }
        break
      }
      case COMMA:
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (depth === 1 && dataStart >= 0) {
          data = { start: dataStart, end: at }
          dataStart = -1
        }
        if (text.charCodeAt(at) !== COMMA) depth -= 1
        break
      default: {
        const end = endOfNumber(text, at)
        if (end > at && !Number.isFinite(Number(text.slice(at, end))))
          return { problem: 'holds a number that is not finite' }
        if (end > at) at = end - 1
      }
    }
  }
  return { data }
}

/** The index of the closing quote (or the last index of text that never closes); -1 for a lone surrogate escape. */
function endOfString(text: string, open: number): number {
  let at = open + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) {
      const width = escapeWidth(text, at)
      if (width < 0) return -1
      at += width
    } else {
      at += 1
    }
  }
  return text.length - 1
}

/** Characters of the escape at `at`, its partner included when it is half of a surrogate pair; -1 for a half alone. */
function escapeWidth(text: string, at: number): number {
  if (text[at + 1] !== 'u') return 2
  const unit = Number.parseInt(text.slice(at + 2, at + 6), 16)
  if (unit >= 0xdc00 && unit <= 0xdfff) return -1
  if (!(unit >= 0xd800 && unit <= 0xdbff)) return 6
  const partner = text.startsWith('\\u', at + 6) ? Number.parseInt(text.slice(at + 8, at + 12), 16) : 0
  return partner >= 0xdc00 && partner <= 0xdfff ? 12 : -1
}

/** The index after the number that starts at `at`; `at` itself when none does. */
function endOfNumber(text: string, at: number): number {
  let end = at
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end += 1
  return end
}

/** Digits, and `+ - . E e`: what a JSON number is made of. The letters of `true`, `false` and `null` other than e are not. */
function isNumberPart(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46 || code === 69 || code === 101
}
