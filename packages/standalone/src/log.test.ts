import { describe, expect, it } from 'vitest'
import { createLog } from './log.js'

function capture(isTTY: boolean): { lines: string[]; stream: { isTTY: boolean; write: (text: string) => number } } {
  const lines: string[] = []
  return { lines, stream: { isTTY, write: (text) => lines.push(text) } }
}

describe('log', () => {
  it('writes one JSON object a line where no person is reading', () => {
    const { lines, stream } = capture(false)
    createLog({ level: 'info', format: 'auto' }, stream).info({ connection: 'c1' }, 'connected')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, connection: 'c1', msg: 'connected' })
    expect(lines[0]?.endsWith('\n')).toBe(true)
  })

  it('writes readable lines on a terminal, without the power to command it', () => {
    const { lines, stream } = capture(true)
    createLog({ level: 'info', format: 'auto' }, stream).warn({ user: '\u001B[2Jada' }, 'refused')
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn  refused user=\uFFFD\[2Jada\n$/)
  })

  it('keeps silent below its level', () => {
    const { lines, stream } = capture(false)
    createLog({ level: 'warn', format: 'json' }, stream).info({}, 'connected')
    expect(lines).toEqual([])
  })
})
