import type { PlannedActivity } from '../api/answers.js'
import { planMoment } from '../wording/moments.js'
import { hours, noteWords } from '../wording/numbers.js'
import type { Lane } from './chart-data.js'

/** By when lots should be filled, in milliseconds since 1970. */
export type DueDates = ReadonlyMap<string, number>

/** What facts are told by: the line of an activity, and what holds for the plan. */
export interface Surroundings {
  readonly lane: Lane | undefined
  readonly zone: string
  readonly windowHours: number
  readonly dueDates: DueDates | undefined
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

/** When an activity is, how long it takes, and how it stands with its window and its due date, in the zone of the plan. */
export function factsOf(activity: PlannedActivity, around: Surroundings): readonly string[] {
  return [
    `${planMoment(activity.start, around.zone)} – ${planMoment(activity.end, around.zone)}`,
    hours(activity.end_hours - activity.start_hours, 2),
    windowFact(activity, around.lane, around.windowHours),
    dueFact(activity, around.dueDates, around.zone),
    activity.frozen ? 'had begun before, left as it was' : '',
  ].filter(Boolean)
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
