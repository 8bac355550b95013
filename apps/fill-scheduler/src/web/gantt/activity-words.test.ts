import { describe, expect, it } from 'vitest'
import type { PlannedActivity } from '../api/answers.js'
import { factsOf, headingOf } from './activity-words.js'
import { chartOf } from './chart-data.js'

const START = Date.parse('2025-03-28T05:00:00Z')

function activity(kind: PlannedActivity['kind'], from: number, to: number, more: object = {}): PlannedActivity {
  const iso = (hours: number): string => new Date(START + hours * 3_600_000).toISOString()
  return { kind, line: 1, start: iso(from), end: iso(to), start_hours: from, end_hours: to, ...more }
}

const clean = activity('CLEAN', 0, 24, { frozen: true })
const fill = activity('FILL', 24, 84.24, { lot_id: 'W1', lot_type: 'VialE', note: '1200000 vials' })
const change = activity('CHANGEOVER', 84.24, 92.24, { lot_type: 'VialE->VialH' })
const [lane] = chartOf([clean, fill, change]).lanes
const around = { lane, zone: 'Europe/Berlin', windowHours: 120, dueDates: undefined }

describe('an activity in words', () => {
  it('has a heading', () => {
    expect([clean, fill, change, activity('CLOSED', 93, 94)].map(headingOf)).toEqual([
      'Cleaning, opens a new window',
      'Lot W1, VialE, 1,200,000 vials',
      'Changeover VialE to VialH',
      'Closed',
    ])
  })

  it('has its times in the zone of the plan, summer time included, and how far it is into its window', () => {
    expect(factsOf(fill, around)).toEqual([
      'Sat 29 Mar 2025, 06:00 – Mon 31 Mar 2025, 19:14',
      '60.24 h',
      'ends 60.2 h into the 120 h window',
    ])
    expect(factsOf(clean, around)).toEqual([
      'Fri 28 Mar 2025, 06:00 – Sat 29 Mar 2025, 06:00',
      '24.00 h',
      'had begun before, left as it was',
    ])
  })

  it('has when it is due, and how late it is', () => {
    const due = (hours: number): string | undefined =>
      factsOf(fill, { ...around, dueDates: new Map([['W1', START + hours * 3_600_000]]) })[3]
    expect(due(96)).toBe('due Tue 1 Apr 2025, 07:00')
    expect(due(80)).toBe('due Mon 31 Mar 2025, 15:00, 4.2 h late')
    expect(factsOf(change, { ...around, dueDates: new Map([['W1', START]]) })).toHaveLength(2)
  })
})
