import type { ReactElement } from 'react'
import { planMoment } from '../wording/moments.js'
import { type View, panned, spanOf, zoomed } from './view.js'

/** Buttons that zoom and move, and which time is in view. */
export function ZoomControls(props: {
  readonly view: View
  readonly whole: View
  readonly onView: (view: View) => void
  readonly startMs: number
  readonly zone: string
}): ReactElement {
  const { view, whole, onView, startMs, zone } = props
  const middle = (view.fromHours + view.toHours) / 2
  const isWhole = spanOf(view) >= spanOf(whole)
  const at = (hours: number): string => planMoment(startMs + hours * 3_600_000, zone)
  const buttons = [
    ['‹', 'Earlier', () => onView(panned(view, whole, -spanOf(view) / 2)), isWhole],
    ['›', 'Later', () => onView(panned(view, whole, spanOf(view) / 2)), isWhole],
    ['−', 'Zoom out', () => onView(zoomed(view, whole, 0.5, middle)), isWhole],
    ['+', 'Zoom in', () => onView(zoomed(view, whole, 2, middle)), false],
  ] as const
  return (
    <div className="zoom">
      <p className="muted">
        {at(view.fromHours)} – {at(view.toHours)} <span className="zone">{zone}</span>
      </p>
      <div className="button-row" role="group" aria-label="Zoom and move">
        {buttons.map(([face, label, act, isResting]) => (
          <button
            key={label}
            type="button"
            className="square"
            aria-label={label}
            title={label}
            aria-disabled={isResting}
            onClick={act}
          >
            {face}
          </button>
        ))}
        <button type="button" onClick={() => onView(whole)} aria-disabled={isWhole}>
          All
        </button>
      </div>
    </div>
  )
}
