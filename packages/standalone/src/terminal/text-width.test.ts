import { describe, expect, it } from 'vitest'
import { columnsOf, keepEnd, printable } from './text-width.js'

describe('text on a terminal', () => {
  it('takes the power from escape sequences and from characters that reorder text', () => {
    expect(printable('a\u001B[2Jb\nc\u202Ed')).toBe('a\uFFFD[2Jb\uFFFDc\uFFFDd')
    expect(printable('\uD800')).toBe('\uFFFD')
  })

  it('counts wide characters twice and combining ones not at all', () => {
    expect(columnsOf('abc')).toBe(3)
    expect(columnsOf('日本')).toBe(4)
    expect(columnsOf('e\u0301')).toBe(1)
  })

  it('keeps the end of a text that is too long', () => {
    expect(keepEnd('node_modules/zod/index.js', 10)).toBe('…/index.js')
    expect(keepEnd('short', 10)).toBe('short')
    expect(columnsOf(keepEnd('日本日本日本', 6))).toBeLessThanOrEqual(6)
    expect(keepEnd('abc', 0)).toBe('')
  })
})
