import { describe, expect, it } from 'vitest'
import { sampleReport } from '../../testing/report-samples.js'
import type { Activity } from '../../planning/plan.js'
import { blocksOf } from './blocks.js'

const closed = (line: number, endHours: number): Activity => ({ kind: 'CLOSED', line, startHours: 0, endHours })
const clean = (line: number, startHours: number): Activity => ({
  kind: 'CLEAN',
  line,
  startHours,
  endHours: startHours + 24,
})
const fill = (line: number, startHours: number, hours: number): Activity => ({
  kind: 'FILL',
  line,
  startHours,
  endHours: startHours + hours,
  lotId: `L${startHours}`,
})

describe('the blocks of a plan', () => {
  it('are as many as there are cleanings', () => {
    const { result } = sampleReport()
    expect(blocksOf(result.plan.activities).map(({ number, lots }) => [number, lots])).toHaveLength(5)
  })

  it('begin with the wait for the first cleaning, which is no block of its own', () => {
    const activities = [closed(1, 6), clean(1, 6), fill(1, 30, 10), clean(1, 40), fill(1, 64, 5), clean(2, 0)]
    expect(blocksOf(activities)).toMatchObject([
      { number: 1, line: 1, lots: 1, usedHours: 10, activities: activities.slice(0, 3) },
      { number: 2, line: 1, lots: 1, usedHours: 5 },
      { number: 1, line: 2, lots: 0, usedHours: 0 },
    ])
  })
})
