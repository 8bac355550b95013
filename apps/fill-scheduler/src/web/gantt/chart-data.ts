import type { PlannedActivity } from '../api/answers.js'

/** A cleaning and what was filled in the window that it opens. */
export interface Block {
  /** 1 for the first of its line. */
  readonly number: number
  readonly start_hours: number
  readonly end_hours: number
  /** When the cleaning ended, and the window began. */
  readonly windowHours: number
  /** From then to the end of the last fill. */
  readonly usedHours: number
  readonly lots: number
}

/** A line of the chart. */
export interface Lane {
  readonly line: number
  readonly activities: readonly PlannedActivity[]
  readonly blocks: readonly Block[]
  readonly fillHours: number
  /** Filling, in percent of the hours of the whole plan: those of all lines make up its utilisation. */
  readonly usedPercent: number
}

/** A plan as it is drawn. */
export interface ChartData {
  readonly lanes: readonly Lane[]
  /** Types in order of their names; the place is the colour. */
  readonly types: readonly string[]
  /** Hour 0, in milliseconds since 1970. */
  readonly startMs: number
  readonly endHours: number
}

/** Makes lanes, blocks and types of the activities of a plan. */
export function chartOf(activities: readonly PlannedActivity[]): ChartData {
  const lines = [...new Set(activities.map(({ line }) => line))].toSorted((a, b) => a - b)
  const first = activities[0]
  const endHours = activities.reduce((end, { end_hours: hours }) => Math.max(end, hours), 0)
  return {
    lanes: lines.map((line) => laneOf(line, activities, endHours)),
    types: typesOf(activities),
    startMs: first ? Date.parse(first.start) - first.start_hours * 3_600_000 : 0,
    endHours,
  }
}

function typesOf(activities: readonly PlannedActivity[]): readonly string[] {
  const types = activities.flatMap(({ kind, lot_type: type }) => (kind === 'FILL' && type ? [type] : []))
  return [...new Set(types)].toSorted()
}

function laneOf(line: number, all: readonly PlannedActivity[], planHours: number): Lane {
  const activities = all.filter((one) => one.line === line).toSorted((a, b) => a.start_hours - b.start_hours)
  const starts = activities.flatMap(({ kind }, at) => (kind === 'CLEAN' ? [at] : []))
  const blocks = starts.map((from, n) => blockOf(activities.slice(from, starts[n + 1]), n + 1))
  const fillHours = activities.reduce(
    (sum, one) => sum + (one.kind === 'FILL' ? one.end_hours - one.start_hours : 0),
    0,
  )
  return { line, activities, blocks, fillHours, usedPercent: (fillHours / planHours) * 100 }
}

function blockOf(activities: readonly PlannedActivity[], number: number): Block {
  const fills = activities.filter(({ kind }) => kind === 'FILL')
  const windowHours = activities[0]?.end_hours ?? 0
  return {
    number,
    start_hours: activities[0]?.start_hours ?? 0,
    end_hours: activities.at(-1)?.end_hours ?? 0,
    windowHours,
    usedHours: Math.max(0, (fills.at(-1)?.end_hours ?? windowHours) - windowHours),
    lots: fills.length,
  }
}
