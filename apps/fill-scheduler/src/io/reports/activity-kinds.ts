import type { Activity, ActivityKind } from '../../planning/plan.js'
import type { Settings } from '../../planning/settings.js'

/** How a kind of activity looks in every report. `text` is readable on `colour` (contrast 4.5 or more). */
export interface KindLook {
  readonly colour: string
  readonly text: string
  readonly label: string
}

/** The looks of all kinds. */
export const KIND_LOOKS: Readonly<Record<ActivityKind, KindLook>> = {
  FILL: { colour: '#1976d2', text: '#ffffff', label: 'Fill' },
  CLEAN: { colour: '#ff9800', text: '#1c1300', label: 'Clean' },
  CHANGEOVER: { colour: '#f44336', text: '#1a0000', label: 'Changeover' },
  CLOSED: { colour: '#9e9e9e', text: '#111111', label: 'Closed' },
}

/** The look of work that had begun already: faint, with dark text. */
export function fadedLook({ colour, label }: KindLook): KindLook {
  const faint = [1, 3, 5].map((at) => 255 - (255 - Number.parseInt(colour.slice(at, at + 2), 16)) * FADED_SHARE)
  return {
    colour: `#${faint.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`,
    text: '#111111',
    label,
  }
}

/** Length in hours. */
export function lengthHours({ startHours, endHours }: Activity): number {
  return endHours - startHours
}

/** How much of a colour is left. */
const FADED_SHARE = 0.5

/** How many lines reports show, idle ones too; they name the line of each activity only where there are several. */
export function linesOf(activities: readonly Activity[], { lines }: Pick<Settings, 'lines'>): number {
  return activities.reduce((most, { line }) => Math.max(most, line), lines)
}
