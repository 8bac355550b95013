import { describe, expect, it } from 'vitest'
import { lotOf } from '../../testing/reference-lots.js'
import type { Lot } from '../lot.js'
import { earliestDueFirst, frequentTypesThenShortest, longestFirst, typeByType } from './lot-order.js'

const LOTS = [
  lotOf('6', 'H', 300),
  lotOf('5', 'E', 200),
  lotOf('4', 'X', 900),
  lotOf('3', 'H', 100),
  lotOf('2', 'E', 300),
  lotOf('1', 'E', 300),
  lotOf('0', 'H', 250),
]
const ids = (lots: readonly Lot[]): string => lots.map(({ type, id }) => `${type}${id}`).join(' ')

describe('lots in order', () => {
  it('have types with equally many lots mixed, the shortest first', () => {
    expect(ids(frequentTypesThenShortest(LOTS))).toBe('H3 E5 H0 H6 E2 E1 X4')
  })

  it('have the longest first, then by type, then by id', () => {
    expect(ids(longestFirst(LOTS))).toBe('X4 E1 E2 H6 H0 E5 H3')
  })

  it.each([
    ['by_count', 'LPT', 'E1 E2 E5 H6 H0 H3 X4'],
    ['by_count', 'SPT', 'E5 E1 E2 H3 H0 H6 X4'],
    ['by_total_hours', 'LPT', 'X4 E1 E2 E5 H6 H0 H3'],
  ] as const)('stand type by type, %s and %s inside', (clusterOrder, within, expected) => {
    expect(ids(typeByType(LOTS, { clusterOrder, within }))).toBe(expected)
  })

  it('have what is never due behind what is, and keep their order otherwise', () => {
    const due = LOTS.map((lot, index) => (index % 3 === 0 ? { ...lot, dueHours: 100 - index } : lot))
    expect(ids(earliestDueFirst(due))).toBe('H0 H3 H6 E5 X4 E2 E1')
  })
})
