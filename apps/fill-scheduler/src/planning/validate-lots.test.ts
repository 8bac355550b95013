import { describe, expect, it } from 'vitest'
import { shiftCalendar } from '../testing/plan-arbitraries.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf } from '../testing/reference-lots.js'
import type { Lot } from './lot.js'
import type { Rules } from './rules.js'
import { validateLots } from './validate-lots.js'

function codes(lots: readonly Lot[], rules: Rules = DEFAULT_RULES): readonly string[] {
  return validateLots(lots, rules).map(({ code }) => code)
}

describe('lots', () => {
  it('that are right have no problem', () => {
    expect(codes(EXAMPLE_LOTS)).toEqual([])
  })

  it.each<[string, Lot]>([
    ['empty_id', lotOf(' ', 'E', 1)],
    ['empty_type', lotOf('A', '', 1)],
    ['too_long', lotOf('A'.repeat(65), 'E', 1)],
    ['too_long', lotOf('A', 'E'.repeat(65), 1)],
    ['bad_vials', { id: 'A', type: 'E', vials: -5, fillHours: 1 }],
    ['bad_vials', { id: 'A', type: 'E', vials: 1.5, fillHours: 1 }],
    ['bad_vials', { id: 'A', type: 'E', vials: Number.NaN, fillHours: 1 }],
    ['bad_fill_hours', { id: 'A', type: 'E', vials: 5, fillHours: 0 }],
    ['bad_fill_hours', { id: 'A', type: 'E', vials: 5, fillHours: Number.NaN }],
    ['bad_due', lotOf('A', 'E', 1, { dueHours: Number.NaN })],
    ['bad_priority', lotOf('A', 'E', 1, { priority: -1 })],
  ])('are refused: %s', (code, lot) => {
    expect(codes([lot, ...EXAMPLE_LOTS.slice(1)])).toContain(code)
  })

  it('are refused when an id comes twice', () => {
    const problems = validateLots([lotOf('A', 'E', 1), lotOf('B', 'E', 1), lotOf('A', 'H', 2)], DEFAULT_RULES)
    expect(problems).toEqual([
      { severity: 'error', code: 'duplicate_lot', message: 'Duplicate Lot ID detected: A', lotId: 'A' },
    ])
  })

  it('are refused when one is too large, with the most that fits', () => {
    expect(validateLots([lotOf('A', 'E', 2_390_401)], DEFAULT_RULES)).toEqual([
      {
        severity: 'error',
        code: 'oversize_lot',
        message:
          'Lot A: 2390401 vials take 120.00 h, which exceeds the 120 h clean window. Max vials per lot at current rate: 2390400.',
        lotId: 'A',
      },
    ])
    expect(codes([lotOf('A', 'E', 2_390_400)])).toEqual(['long_fill'])
  })

  it('are refused when there are none, but not where begun work is all there is', () => {
    expect(codes([])).toEqual(['no_lots'])
    expect(codes([], { ...DEFAULT_RULES, starts: [{ activities: [], freeHours: 5 }] })).toEqual([])
  })

  it('that take long are worth a warning', () => {
    expect(validateLots([lotOf('A', 'E', 2_200_000)], DEFAULT_RULES)).toMatchObject([
      { severity: 'warning', code: 'long_fill', lotId: 'A' },
    ])
  })

  it('are refused when working time never holds one', () => {
    const rules = { ...DEFAULT_RULES, calendar: shiftCalendar(80, 50) }
    expect(codes([lotOf('A', 'E', 19_920 * 60)], rules)).toEqual([])
    expect(validateLots([lotOf('A', 'E', 19_920 * 81)], rules)).toMatchObject([
      { severity: 'error', code: 'outside_working_time', lotId: 'A' },
    ])
  })
})

describe('rules', () => {
  it.each(['windowHours', 'cleanHours'] as const)('are refused when %s is not positive', (field) => {
    const problems = validateLots(EXAMPLE_LOTS, { ...DEFAULT_RULES, [field]: 0 })
    expect(problems[0]).toEqual({
      severity: 'error',
      code: 'bad_rule',
      message: `${field} must be > 0, received 0`,
      field,
    })
  })
})
