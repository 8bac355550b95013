import { type ReactElement, memo } from 'react'
import { ticksOf } from './ticks.js'
import { type View, spanOf } from './view.js'

/** Time, in the zone of the plan. */
export const Axis = memo(function Axis(props: {
  readonly view: View
  readonly widthPx: number
  readonly startMs: number
  readonly zone: string
  readonly height: number
}): ReactElement {
  const { view, widthPx, startMs, zone, height } = props
  const scale = widthPx / spanOf(view)
  return (
    <g className="axis">
      {ticksOf(view, widthPx, startMs, zone).map(({ hours, label, isMajor }) => {
        const x = Math.round((hours - view.fromHours) * scale) + 0.5
        return (
          <g key={hours} className={isMajor ? 'major' : ''}>
            <line x1={x} x2={x} y1={18} y2={height} />
            {x < widthPx - 24 && (
              <text x={x + 3} y={12}>
                {label}
              </text>
            )}
          </g>
        )
      })}
    </g>
  )
})
