import type { ReactElement } from 'react'
import type { PlannedActivity } from '../api/answers.js'
import { planMoment } from '../wording/moments.js'
import { hours, noteWords } from '../wording/numbers.js'
import type { Lane } from './chart-data.js'

/** By when lots should be filled, in milliseconds since 1970. */
export type DueDates = ReadonlyMap<string, number>

/** What one activity is, in words. Those that read aloud hear it as the keyboard moves, not as the mouse does. */
export function Details(props: {
  readonly activity: PlannedActivity | undefined
  readonly lane: Lane | undefined
  readonly zone: string
  readonly windowHours: number
  readonly dueDates: DueDates | undefined
  readonly isAnnounced: boolean
  /** Says what to do where nothing is chosen. */
  readonly hasHint: boolean
}): ReactElement {
  const { activity, zone } = props
  if (!activity && !props.hasHint) return <p className="gantt-details" />
  if (!activity)
    return <p className="gantt-details muted">Point at a bar, tap it, or use the arrow keys to read about it.</p>
  const facts = [
    `${planMoment(activity.start, zone)} – ${planMoment(activity.end, zone)}`,
    hours(activity.end_hours - activity.start_hours, 2),
    windowFact(activity, props.lane, props.windowHours),
    dueFact(activity, props.dueDates, zone),
    activity.frozen ? 'had begun before, left as it was' : '',
  ].filter(Boolean)
  return (
    <p className="gantt-details" aria-live={props.isAnnounced ? 'polite' : 'off'}>
      <strong>{headingOf(activity)}</strong> <span>{facts.join(' · ')}</span>
    </p>
  )
}

/** What an activity is, in a few words. */
export function headingOf({ kind, lot_id: lot, lot_type: type, note }: PlannedActivity): string {
  switch (kind) {
    case 'FILL':
      return `Lot ${lot ?? ''}, ${type ?? ''}, ${noteWords(note)}`
    case 'CHANGEOVER':
      return `Changeover ${(type ?? '').replace('->', ' to ')}`
    case 'CLEAN':
      return 'Cleaning, opens a new window'
    default:
      return 'Closed'
  }
}

function windowFact(activity: PlannedActivity, lane: Lane | undefined, windowHours: number): string {
  const block = lane?.blocks.find(
    (one) => activity.start_hours >= one.start_hours && activity.end_hours <= one.end_hours,
  )
  if (activity.kind !== 'FILL' || !block) return ''
  return `ends ${hours(activity.end_hours - block.windowHours)} into the ${hours(windowHours, 0)} window`
}

function dueFact({ kind, lot_id: lot, end }: PlannedActivity, dueDates: DueDates | undefined, zone: string): string {
  const due = kind === 'FILL' && lot ? dueDates?.get(lot) : undefined
  if (due === undefined) return ''
  const late = (Date.parse(end) - due) / 3_600_000
  return `due ${planMoment(due, zone)}${late > 0.005 ? `, ${hours(late)} late` : ''}`
}
