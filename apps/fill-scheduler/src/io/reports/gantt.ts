import type { DateTime } from 'luxon'
import type { Activity } from '../../planning/plan.js'
import type { Settings } from '../../planning/settings.js'
import { planTime, type PlanTime } from '../plan-time.js'
import { linesOf } from './activity-kinds.js'
import { localTime } from './wall-clock.js'

/** A stretch of time across the page; places are from 0 (left) to 1 (right). */
export interface GanttRow {
  /** `Week 1, 30 Dec 2024`. */
  readonly label: string
  readonly marks: readonly GanttMark[]
  readonly bars: readonly GanttBar[]
}

/** A local time at which a line is drawn. */
export interface GanttMark {
  readonly at: number
  readonly label: string
}

/** What of an activity lies in a row. */
export interface GanttBar {
  readonly activity: Activity
  readonly from: number
  readonly to: number
}

/** A Gantt chart broken into rows that fit a page. */
export interface GanttChart {
  readonly lines: number
  readonly rows: readonly GanttRow[]
}

/** Plans up to this long are one row, marked each six hours. */
const ONE_ROW_HOURS = 96
const MARK_HOURS = 6

/** The chart of a plan: one row for a short one, else one for each week from Monday, in local time. Weeks in which clocks change are an hour longer or shorter. */
export function ganttChart(activities: readonly Activity[], settings: Settings): GanttChart {
  const time = planTime(settings)
  const from = activities.reduce((least, { startHours }) => Math.min(least, startHours), 0)
  const to = activities.reduce((most, { endHours }) => Math.max(most, endHours), from + 1)
  const first = localTime(from, time, settings)
  const end = localTime(to, time, settings)
  const spans = to - from <= ONE_ROW_HOURS ? [shortSpan(first, end)] : weeks(first, end)
  return { lines: linesOf(activities, settings), rows: rowsOf(spans, activities, time) }
}

/** Local times of one row, from its beginning to its end. */
interface Span {
  readonly label: string
  readonly marks: readonly DateTime[]
  readonly end: DateTime
  readonly format: (mark: DateTime) => string
}

function shortSpan(first: DateTime, end: DateTime): Span {
  const marks: DateTime[] = []
  let mark = first.set({ hour: first.hour - (first.hour % MARK_HOURS), minute: 0, second: 0, millisecond: 0 })
  for (; mark < end; mark = mark.plus({ hours: MARK_HOURS })) marks.push(mark)
  const format = (at: DateTime): string => at.toFormat(at.hour === 0 ? 'd MMM' : 'HH:mm')
  return { label: first.toFormat('d LLLL yyyy'), marks, end: mark, format }
}

function weeks(first: DateTime, end: DateTime): Span[] {
  const spans: Span[] = []
  let monday = first.startOf('week')
  for (; monday < end; monday = monday.plus({ weeks: 1 })) {
    const start = monday
    const marks = [0, 1, 2, 3, 4, 5, 6].map((days) => start.plus({ days }))
    const label = `Week ${start.weekNumber}, ${start.toFormat('d LLL yyyy')}`
    spans.push({ label, marks, end: start.plus({ weeks: 1 }), format: (at) => at.toFormat('ccc d LLL') })
  }
  return spans
}

/** Each activity is looked at once for each row that it touches: both are in order of time within a line. */
function rowsOf(spans: readonly Span[], activities: readonly Activity[], time: PlanTime): GanttRow[] {
  const hoursOf = (local: DateTime): number => time.hoursOf(local.toJSDate())
  const ends = spans.map(({ end }) => hoursOf(end))
  const starts = spans.map(({ marks }, row) => (marks[0] === undefined ? (ends[row] ?? 0) : hoursOf(marks[0])))
  const bars: GanttBar[][] = spans.map(() => [])
  for (const activity of activities) {
    let row = lastAtOrBefore(starts, activity.startHours)
    for (; row < spans.length && (starts[row] ?? 0) < activity.endHours; row += 1) {
      const place = placeIn(starts[row] ?? 0, ends[row] ?? 0)
      bars[row]?.push({ activity, from: place(activity.startHours), to: place(activity.endHours) })
    }
  }
  return spans.map(({ label, marks, format }, row) => {
    const place = placeIn(starts[row] ?? 0, ends[row] ?? 0)
    return { label, bars: bars[row] ?? [], marks: marks.map((at) => ({ at: place(hoursOf(at)), label: format(at) })) }
  })
}

function lastAtOrBefore(starts: readonly number[], hours: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= hours) low = middle
    else high = middle - 1
  }
  return low
}

/** From hours to 0 … 1 of a stretch; what lies outside is at its edge. */
function placeIn(from: number, to: number): (hours: number) => number {
  return (hours) => Math.min(1, Math.max(0, (hours - from) / (to - from)))
}
