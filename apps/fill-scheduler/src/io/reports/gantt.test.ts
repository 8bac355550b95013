import { describe, expect, it } from 'vitest'
import type { Activity } from '../../planning/plan.js'
import { settingsSchema, type SettingsInput } from '../../planning/settings.js'
import { MANY_LOTS, sampleReport } from '../../testing/report-samples.js'
import { type GanttChart, ganttChart } from './gantt.js'

const fill = (startHours: number, endHours: number, line = 1): Activity => ({
  kind: 'FILL',
  line,
  startHours,
  endHours,
})

const chartOf = (activities: readonly Activity[], settings: SettingsInput = {}): GanttChart =>
  ganttChart(activities, settingsSchema.parse(settings))

describe('a Gantt chart', () => {
  it('is one row for a short plan, marked each six hours of local time', () => {
    const { rows } = chartOf([fill(0, 10)])
    expect(rows).toHaveLength(1)
    expect(rows[0]?.marks.map(({ label }) => label)).toEqual(['06:00', '12:00'])
    expect(rows[0]?.bars[0]).toMatchObject({ from: 2 / 12, to: 1 })
  })

  it('has a row for each week of a long plan, from Monday', () => {
    const { rows } = chartOf([fill(0, 200), fill(200, 300)])
    expect(rows.map(({ label }) => label)).toEqual(['Week 1, 30 Dec 2024', 'Week 2, 6 Jan 2025', 'Week 3, 13 Jan 2025'])
    expect(rows[0]?.marks.map(({ label }) => label)).toEqual([
      'Mon 30 Dec',
      'Tue 31 Dec',
      'Wed 1 Jan',
      'Thu 2 Jan',
      'Fri 3 Jan',
      'Sat 4 Jan',
      'Sun 5 Jan',
    ])
  })

  it('goes on with an activity in the next row', () => {
    const { rows } = chartOf([fill(0, 200)])
    expect(rows.map(({ bars }) => bars.map(({ from, to }) => [from, to]))).toEqual([
      [[56 / 168, 1]],
      [[0, (56 + 200 - 168) / 168]],
    ])
  })

  it('gives a week in which the clocks change the hours that it has', () => {
    const { rows } = chartOf([fill(0, 400)], { timeZone: 'Europe/Berlin', start: '2025-03-24 00:00' })
    expect(rows[0]?.bars[0]).toMatchObject({ from: 0, to: 1 })
    expect(rows[0]?.marks.map(({ at }) => at * 167)).toEqual(
      [0, 24, 48, 72, 96, 120, 144].map((hours) => expect.closeTo(hours, 6)),
    )
    expect(rows[1]?.bars[0]).toMatchObject({ from: 0, to: 1 })
    expect(rows[2]?.bars[0]?.to).toBeCloseTo((400 - 167 - 168) / 168, 9)
  })

  it('draws each activity whole, in as many pieces as there are rows it touches', () => {
    const { result, settings } = sampleReport({ lots: MANY_LOTS, settings: { lines: 3 } })
    const { rows, lines } = ganttChart(result.plan.activities, settings)
    const drawn = new Map<Activity, number>()
    for (const { bars } of rows)
      for (const { activity, from, to } of bars) drawn.set(activity, (drawn.get(activity) ?? 0) + (to - from) * 168)
    expect(lines).toBe(3)
    expect(drawn.size).toBe(result.plan.activities.length)
    for (const [{ startHours, endHours }, hours] of drawn) expect(hours).toBeCloseTo(endHours - startHours, 6)
  })

  it('has a row even where there is nothing to draw', () => {
    expect(chartOf([]).rows).toHaveLength(1)
  })
})
