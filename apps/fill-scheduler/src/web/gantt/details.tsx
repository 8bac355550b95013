import type { ReactElement } from 'react'
import type { PlannedActivity } from '../api/answers.js'
import { type Surroundings, factsOf, headingOf } from './activity-words.js'

/** What one activity is, in words. Those that read aloud hear it as the keyboard moves, not as the mouse does. */
export function Details(
  props: Surroundings & {
    readonly activity: PlannedActivity | undefined
    readonly isAnnounced: boolean
    /** Says what to do where nothing is chosen. */
    readonly hasHint: boolean
  },
): ReactElement {
  const { activity } = props
  if (!activity && !props.hasHint) return <p className="gantt-details" />
  if (!activity)
    return <p className="gantt-details muted">Point at a bar, tap it, or use the arrow keys to read about it.</p>
  return (
    <p className="gantt-details" aria-live={props.isAnnounced ? 'polite' : 'off'}>
      <strong>{headingOf(activity)}</strong> <span>{factsOf(activity, props).join(' · ')}</span>
    </p>
  )
}
