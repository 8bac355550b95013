import { describe, expect, it } from 'vitest'
import type { PlannedActivity } from '../api/answers.js'
import { chartOf } from './chart-data.js'

const START = Date.parse('2025-01-01T08:00:00Z')

function activity(
  kind: PlannedActivity['kind'],
  from: number,
  to: number,
  more: Partial<PlannedActivity> = {},
): PlannedActivity {
  const iso = (hours: number): string => new Date(START + hours * 3_600_000).toISOString()
  return { kind, line: 1, start: iso(from), end: iso(to), start_hours: from, end_hours: to, ...more }
}

describe('the data of a chart', () => {
  it('has lines, blocks with what is used of their windows, and types in order', () => {
    const { lanes, types, startMs, endHours } = chartOf([
      activity('CLEAN', 0, 24, { line: 2 }),
      activity('FILL', 24, 50, { line: 2, lot_type: 'B' }),
      activity('CLEAN', 0, 24),
      activity('FILL', 24, 74, { lot_type: 'A' }),
      activity('CHANGEOVER', 74, 82, { lot_type: 'A->B' }),
      activity('FILL', 82, 92, { lot_type: 'B' }),
      activity('CLOSED', 92, 100),
      activity('CLEAN', 100, 124),
      activity('FILL', 124, 130, { lot_type: 'A' }),
    ])
    expect({ types, startMs, endHours }).toEqual({ types: ['A', 'B'], startMs: START, endHours: 130 })
    expect(lanes.map(({ line, activities }) => [line, activities.length])).toEqual([
      [1, 7],
      [2, 2],
    ])
    expect(
      lanes[0]?.blocks.map(({ number, windowHours, usedHours, lots }) => [number, windowHours, usedHours, lots]),
    ).toEqual([
      [1, 24, 68, 2],
      [2, 124, 6, 1],
    ])
    // Of the 130 hours of the plan, also where a line is ready sooner.
    expect(lanes.map(({ fillHours, usedPercent }) => [fillHours, usedPercent.toFixed(1)])).toEqual([
      [66, '50.8'],
      [26, '20.0'],
    ])
  })

  it('is empty for a plan of nothing', () => {
    expect(chartOf([])).toEqual({ lanes: [], types: [], startMs: 0, endHours: 0 })
  })
})
