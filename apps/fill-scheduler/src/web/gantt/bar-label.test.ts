import { describe, expect, it } from 'vitest'
import { barLabel } from './bar-label.js'

describe('the label of a bar', () => {
  it('is the whole name where there is room', () => {
    expect(barLabel('A1', 18)).toBe('A1')
    expect(barLabel('LOT-2026-0018-EU', 200)).toBe('LOT-2026-0018-EU')
  })

  it('is the end of a longer one, by which lots differ', () => {
    const label = barLabel('LOT-2026-0018-EU', 80)
    expect(label).toMatch(/^….{3,}$/)
    expect('LOT-2026-0018-EU'.endsWith(label.slice(1))).toBe(true)
    expect(barLabel('LOT-2026-0018-EU', 60).length).toBeLessThan(label.length)
  })

  it('is nothing where next to nothing would be left', () => {
    expect(barLabel('LOT-2026-0018-EU', 25)).toBe('')
    expect(barLabel('A1', 10)).toBe('')
    expect(barLabel('', 100)).toBe('')
    expect(barLabel('A1', -20)).toBe('')
  })

  it('cuts no character in two', () => expect(barLabel('🧪'.repeat(8), 50)).toMatch(/^…(?:🧪){3,7}$/u))
})
