import type { FrameLimits } from './limits.js'

/** Where the text of the top-level `data` member stands in a command, white space around it included. */
export interface DataSpan {
  readonly start: number
  readonly end: number
}

/** What a scan found: the span of `data` if there is one, or why the text must not be parsed. */
export type ScanResult = { readonly data: DataSpan | undefined } | { readonly problem: string }

const QUOTE = 34
const MINUS = 45
const BACKSLASH = 92
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const COLON = 58
const COMMA = 44

/** Text without these has no escapes and no surrogates: its strings end at the next quote. */
const NEEDS_CARE = /[\\\ud800-\udfff]/

/**
 * One pass over the text of one command, before it is parsed: bounds nesting and the members of each object without recursion,
 * and refuses what JSON allows but we do not, because two readers could understand it differently: a lone surrogate, a number
 * that is not finite, `data` twice, a top-level member name written with escapes. Finds the span of the top-level `data`, so
 * that it can travel on as the text it was.
 *
 * On text that is not JSON the result means nothing but "bounded"; the parser refuses it afterwards.
 */
export function scanCommand(text: string, limits: Pick<FrameLimits, 'jsonDepthMax' | 'objectKeysMax'>): ScanResult {
  const isSimple = !NEEDS_CARE.test(text)
  const keys: number[] = []
  let depth = 0
  let data: DataSpan | undefined
  let dataStart = -1
  let nameStart = 0
  let nameEnd = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    switch (code) {
      case QUOTE: {
        const end = isSimple ? endOfSimpleString(text, at) : endOfString(text, at)
        if (end < 0) return { problem: 'holds a lone surrogate' }
        if (depth === 1) {
          nameStart = at
          nameEnd = end
        }
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
        if (depth > 1) break
        if (!isSimple && text.slice(nameStart, nameEnd).includes('\\'))
          return { problem: 'writes a member name with escapes' }
        if (nameEnd - nameStart !== 5 || !text.startsWith('"data"', nameStart)) break
        if (data !== undefined) return { problem: 'names data twice' }
        dataStart = at + 1
        break
      }
      case COMMA:
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (depth === 1 && dataStart >= 0) {
          data = { start: dataStart, end: at }
          dataStart = -1
        }
        if (code === COMMA) break
        depth -= 1
        if (depth < 0) return { problem: 'closes what it did not open' }
        break
      default:
        if (isNumberStart(code)) {
          const end = endOfNumber(text, at)
          if (isInfinite(text, at, end)) return { problem: 'holds a number that is not finite' }
          at = end - 1
        }
    }
  }
  return { data }
}

function endOfSimpleString(text: string, open: number): number {
  const close = text.indexOf('"', open + 1)
  return close < 0 ? text.length - 1 : close
}

/** The index of the closing quote (or the last index of text that never closes); -1 for a lone surrogate, escaped or not. */
function endOfString(text: string, open: number): number {
  let at = open + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    const width = code === BACKSLASH ? escapeWidth(text, at) : isSurrogate(code) ? pairWidth(text, at, code) : 1
    if (width < 0) return -1
    at += width
  }
  return text.length - 1
}

/** Characters of the escape at `at`, its partner included when it is half of a surrogate pair; -1 for a half alone. */
function escapeWidth(text: string, at: number): number {
  if (text[at + 1] !== 'u') return 2
  const unit = Number.parseInt(text.slice(at + 2, at + 6), 16)
  if (!isSurrogate(unit)) return 6
  const partner = text.startsWith('\\u', at + 6) ? Number.parseInt(text.slice(at + 8, at + 12), 16) : 0
  return isHigh(unit) && isLow(partner) ? 12 : -1
}

/** 2 for a surrogate pair at `at`; -1 for a half alone. */
function pairWidth(text: string, at: number, code: number): number {
  return isHigh(code) && isLow(text.charCodeAt(at + 1)) ? 2 : -1
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

function isNumberStart(code: number): boolean {
  return code === MINUS || (code >= 48 && code <= 57)
}

/** The index after the number that starts at `at`. */
function endOfNumber(text: string, at: number): number {
  let end = at + 1
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end += 1
  return end
}

/** Digits, and `+ - . E e`: what a JSON number is made of. */
function isNumberPart(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 43 || code === MINUS || code === 46 || code === 69 || code === 101
}

/** `1e400` needs five characters; shorter text of digits, points and exponents is always a finite number, or none. */
function isInfinite(text: string, start: number, end: number): boolean {
  return end - start >= 5 && Math.abs(Number(text.slice(start, end))) === Infinity
}
