import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../planning/settings.js'
import { generateLots, lotsAsCsv } from './generate.js'
import { readLots } from './lots-csv.js'

describe('generated lots', () => {
  it('are 500 of four types and from 20,000 to 2,300,000 vials', () => {
    const rows = generateLots()
    expect(rows).toHaveLength(500)
    expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(['VialE', 'VialH', 'VialF', 'VialX']))
    const vials = rows.map(({ vials }) => vials)
    expect(Math.min(...vials)).toBeGreaterThanOrEqual(20_000)
    expect(Math.max(...vials)).toBeLessThanOrEqual(2_300_000)
    expect([rows[0]?.id, rows[499]?.id]).toEqual(['L001', 'L500'])
  })

  it('are the same for the same seed, everywhere', () => {
    expect(generateLots({ count: 3 })).toEqual(generateLots().slice(0, 3))
    expect(generateLots({ count: 3 })).toEqual(KNOWN)
    expect(generateLots({ count: 3, seed: 7 })).not.toEqual(KNOWN)
  })

  it('are read again from their CSV, whatever the types are called', () => {
    const rows = generateLots({ count: 50, types: ['A, "b"', 'ü;x'], vialsMin: 1, vialsMax: 3 })
    const { lots, problems } = readLots(lotsAsCsv(rows), DEFAULT_SETTINGS)
    expect(problems).toEqual([])
    expect(lots.map(({ id, type, vials }) => ({ id, type, vials }))).toEqual(rows)
  })

  it.each([
    [{ count: 0 }, 'count must be a whole number from 1 to 5000, received 0'],
    [{ seed: -1 }, 'seed must be'],
    [{ vialsMin: 5, vialsMax: 4 }, 'vialsMax must be a whole number from 5 to 1000000000, received 4'],
    [{ types: [] }, 'the number of types must be'],
  ])('are refused for %j', (recipe, message) => {
    expect(() => generateLots(recipe)).toThrow(message)
  })
})

const KNOWN = [
  { id: 'L001', type: 'VialF', vials: 1_042_102 },
  { id: 'L002', type: 'VialX', vials: 1_546_994 },
  { id: 'L003', type: 'VialE', vials: 1_220_631 },
]
