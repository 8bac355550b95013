import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../planning/settings.js'
import { lotsFromJson } from './lots-json.js'

const read = (value: unknown): ReturnType<typeof lotsFromJson> => lotsFromJson(value, DEFAULT_SETTINGS)
const lot = { lot_id: 'A', lot_type: 'E', vials: 19_920 }

describe('a list of lots', () => {
  it('is read by the rules of files', () => {
    const { lots, problems } = read([
      { ...lot, due: '2025-01-02', priority: 'high', fill_hours: 1 },
      { ...lot, lot_id: ' B ', due: null, priority: 2, fill_hours: 1.0001 },
      { lot_id: 'constructor', lot_type: '__proto__', vials: 1, priority: null },
    ])
    expect(problems).toEqual([])
    expect(lots).toEqual([
      { id: 'A', type: 'E', vials: 19_920, fillHours: 1, dueHours: 40, priority: 3 },
      { id: 'B', type: 'E', vials: 19_920, fillHours: 1, priority: 2 },
      { id: 'constructor', type: '__proto__', vials: 1, fillHours: 1 / 19_920 },
    ])
  })

  it.each([
    ['bad_lots', undefined, 'The lots must be a list.', { lots: [] }],
    ['no_lots', undefined, 'No lots provided', []],
    ['bad_lot', 2, 'received "x".', [lot, 'x']],
    ['bad_lot', 1, 'received null.', [null]],
    ['bad_lot_id', 1, 'lot_id must be a text, received 17.', [{ ...lot, lot_id: 17 }]],
    ['bad_vials', 1, 'vials must be a number, received "10".', [{ ...lot, vials: '10' }]],
    ['bad_vials', 1, 'positive integer, received "1.5".', [{ ...lot, vials: 1.5 }]],
    ['bad_vials', 1, 'received "1e+21"', [{ ...lot, vials: 1e21 }]],
    ['bad_priority', 1, 'priority must be a number or a text, received a list of 0.', [{ ...lot, priority: [] }]],
    ['missing_vials', 1, 'missing Vials', [{ lot_id: 'A', lot_type: 'E' }]],
    ['empty_id', 1, 'empty Lot ID', [{ lot_type: 'E', vials: 1 }]],
    ['bad_fill_hours', 1, 'the fill rate, 1.0000, or be left out; received 2', [{ ...lot, fill_hours: 2 }]],
    ['unknown_member', 1, 'received amount.', [{ ...lot, amount: 3 }]],
    ['duplicate_lot', 2, 'row 1', [lot, lot]],
    ['oversize_lot', 1, '120 h clean window', [{ ...lot, vials: 3_000_000 }]],
    ['too_many_lots', undefined, 'There are 5001 lots', Array.from({ length: 5_001 }, () => lot)],
  ])('is refused with the position: %s', (code, row, message, value) => {
    const { problems } = read(value)
    expect(problems).toMatchObject([{ code, severity: 'error', ...(row === undefined ? {} : { row }) }])
    expect(problems[0]?.message).toContain(message)
  })

  it('is read or refused with reason, whatever is in it', () => {
    const member = fc.oneof(fc.anything(), fc.constantFrom('A', 'E', 10, 1_000, null))
    const odd = fc.record(
      { lot_id: member, lot_type: member, vials: member, due: member, priority: member },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.array(fc.oneof(odd, fc.anything()), { maxLength: 5 })), (value) => {
        const { lots, problems } = read(value)
        expect(lots.length + problems.length).toBeGreaterThan(0)
        for (const { vials } of lots) expect(Number.isSafeInteger(vials) && vials > 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
