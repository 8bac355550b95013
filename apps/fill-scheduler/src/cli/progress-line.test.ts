import { describe, expect, it } from 'vitest'
import { ProgressLine, progressText } from './progress-line.js'

describe('the progress of planning', () => {
  it('says how far it is, and what is known of the best plan', () => {
    expect(progressText('smart-pack', { done: 3, total: 12, unit: 'lots' })).toBe(
      'smart-pack ▕█████               ▏ 25 %  3/12 lots',
    )
    expect(progressText('exact', { done: 50, total: 100, unit: 'percent', bestHours: 497.16, boundHours: 480 })).toBe(
      'exact ▕██████████          ▏ 50 %  best 497.16 h  no less than 480.00 h',
    )
  })

  it('is one line of a terminal, never wider than that, and gone at the end', () => {
    const written: string[] = []
    const line = new ProgressLine({ isTTY: true, columns: 30, write: (text) => written.push(text) })
    line.show('exact', { done: 1, total: 2, unit: 'lots', message: 'a long story' })
    line.clear()
    line.clear()
    expect(written).toEqual([`\r\u001B[Kexact ▕██████████          ▏ `, '\r\u001B[K'])
  })

  it('is silent where there is no terminal', () => {
    const written: string[] = []
    const line = new ProgressLine({ write: (text) => written.push(text) })
    line.show('exact', { done: 1, total: 2, unit: 'lots' })
    line.clear()
    expect(written).toEqual([])
  })
})
