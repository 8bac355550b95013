import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyLots, shiftCalendar } from '../../testing/plan-arbitraries.js'
import { DEFAULT_RULES, lotOf } from '../../testing/reference-lots.js'
import { givenOrder } from '../given-order.js'
import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import { timetable } from '../timetable.js'
import { validatePlan } from '../validate-plan.js'
import { exchanged } from './exchange.js'

const nothing = (): void => undefined

function lot(id: string, type: string, hours: number): Lot {
  return lotOf(id, type, hours * 19_920)
}

function idsOf(arrangement: Arrangement | undefined): readonly string[] | undefined {
  return arrangement?.flat().map((block) => block.map(({ id }) => id).join(' '))
}

describe('exchanging lots between blocks', () => {
  it('brings a type together', () => {
    const mixed = [
      [
        [lot('E1', 'E', 40), lot('H1', 'H', 40)],
        [lot('E2', 'E', 40), lot('H2', 'H', 40)],
      ],
    ]
    expect(idsOf(exchanged(mixed, DEFAULT_RULES, nothing))).toEqual(['H1 H2', 'E2 E1'])
  })

  it('does away with a block whose lots fit into another', () => {
    const loose = [[[lot('E1', 'E', 10)], [lot('E2', 'E', 90)]]]
    expect(idsOf(exchanged(loose, DEFAULT_RULES, nothing))).toEqual(['E2 E1'])
  })

  it('leaves alone the block that goes on from begun work', () => {
    const starts = [{ activities: [], freeHours: 5, open: { usedHours: 100, previousType: 'E' } }]
    const begun = [[[lot('E1', 'E', 10)], [lot('E2', 'E', 10)], [lot('E3', 'E', 10)]]]
    expect(idsOf(exchanged(begun, { ...DEFAULT_RULES, starts }, nothing))).toEqual(['E1', 'E3 E2'])
    expect(idsOf(exchanged([[[], [lot('E2', 'E', 10)]]], { ...DEFAULT_RULES, starts }, nothing))).toEqual(['', 'E2'])
  })

  it('leaves alone what is as good as it can be', () => {
    const good = [[[lot('E1', 'E', 60), lot('E2', 'E', 50)], [lot('H1', 'H', 70)]]]
    expect(exchanged(good, DEFAULT_RULES, nothing)).toEqual(good)
  })

  it('is not tried where it is not known what it saves', () => {
    const matrix = { ...DEFAULT_RULES, changeover: { ...DEFAULT_RULES.changeover, matrix: { E: { H: 1 } } } }
    const inverse = { ...DEFAULT_RULES, changeover: { ...DEFAULT_RULES.changeover, sameTypeHours: 9 } }
    const resting = { ...DEFAULT_RULES, calendar: shiftCalendar(150, 18) }
    for (const rules of [matrix, inverse, resting])
      expect(exchanged([[[lot('E1', 'E', 1)]]], rules, nothing)).toBeUndefined()
  })

  it('saves hours or leaves them, and keeps every lot', () => {
    fc.assert(
      fc.property(anyLots(25, 60), fc.integer({ min: 1, max: 3 }), (lots, lines) => {
        const rules = { ...DEFAULT_RULES, lines }
        const before = givenOrder(lots, rules)
        const after = exchanged(before, rules, nothing) ?? []
        expect(validatePlan(timetable(after, rules), lots, rules)).toEqual([])
        expect(workHours(after)).toBeLessThanOrEqual(workHours(before) + 1e-6)
      }),
      { numRuns: 300 },
    )
  })

  it('stops when the check throws', () => {
    const enough = (): never => {
      throw new Error('enough')
    }
    expect(() => exchanged([[[lot('E1', 'E', 1)]]], DEFAULT_RULES, enough)).toThrow('enough')
  })
})

function workHours(arrangement: Arrangement): number {
  const { activities } = timetable([arrangement.flat()], DEFAULT_RULES)
  return activities.reduce((sum, { startHours, endHours }) => sum + endHours - startHours, 0)
}
