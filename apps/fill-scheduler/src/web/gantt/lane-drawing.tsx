import { type ReactElement, memo } from 'react'
import type { PlannedActivity } from '../api/answers.js'
import { hours, noteWords } from '../wording/numbers.js'
import { barLabel } from './bar-label.js'
import { type Bar, barsOf } from './bars.js'
import type { Block, Lane } from './chart-data.js'
import { TYPE_COLOURS } from './type-colours.js'
import type { View } from './view.js'

/** Pixels, from the top of a lane. */
export const LANE = { barsTop: 22, barsHeight: 40, windowsTop: 66, windowsHeight: 16, height: 94 } as const

interface Props {
  readonly lane: Lane
  readonly types: readonly string[]
  readonly view: View
  readonly widthPx: number
  readonly windowHours: number
  readonly top: number
  /** Of patterns, as there may be several charts in a page. */
  readonly prefix: string
  readonly title: string
}

/** One line of the chart: its bars, and below them how much of each window is used. */
export const LaneDrawing = memo(function LaneDrawing(props: Props): ReactElement {
  const { lane, types, view, widthPx, windowHours, top, prefix, title } = props
  return (
    <g transform={`translate(0 ${top})`}>
      <text x={0} y={14} className="lane-title">
        {title}
      </text>
      <rect x={0} y={LANE.barsTop} width={widthPx} height={LANE.barsHeight} className="lane-ground" />
      {barsOf(lane.activities, view, widthPx).map((bar) => (
        <ActivityBar key={bar.of.start_hours} bar={bar} types={types} prefix={prefix} />
      ))}
      {barsOf(lane.blocks, view, widthPx).map((bar) => (
        <WindowBar key={bar.of.number} bar={bar} windowHours={windowHours} />
      ))}
    </g>
  )
})

function ActivityBar(props: {
  readonly bar: Bar<PlannedActivity>
  readonly types: readonly string[]
  readonly prefix: string
}): ReactElement {
  const { x, width, of, count } = props.bar
  const isFill = of.kind === 'FILL'
  const inset = of.kind === 'CHANGEOVER' ? 10 : 0
  const place = {
    x,
    y: LANE.barsTop + inset,
    width: Math.max(width - (width > 4 ? 1 : 0), 0.5),
    height: LANE.barsHeight - 2 * inset,
  }
  const colour = isFill ? `type-${props.types.indexOf(of.lot_type ?? '') % TYPE_COLOURS}` : ''
  const isHatched = of.kind === 'CLEAN' || of.kind === 'CLOSED'
  return (
    <>
      <rect
        {...place}
        rx={width > 8 ? 3 : 0}
        className={`bar ${of.kind.toLowerCase()} ${colour}`}
        data-frozen={of.frozen}
      />
      {isHatched && width > 3 && <rect {...place} fill={`url(#${props.prefix}${of.kind})`} className="hatch" />}
      {of.frozen && width > 2 && <rect x={x} y={LANE.barsTop - 3} width={place.width} height={2} className="frozen" />}
      {count === 1 && <BarText bar={props.bar} colour={colour} />}
    </>
  )
}

function BarText({
  bar,
  colour,
}: {
  readonly bar: Bar<PlannedActivity>
  readonly colour: string
}): ReactElement | null {
  const { x, width, of } = bar
  const name =
    of.kind === 'FILL' ? (of.lot_id ?? '') : of.kind === 'CLEAN' ? 'Clean' : of.kind === 'CLOSED' ? 'Closed' : ''
  // In view: the text of a bar that begins left of it stands at its edge.
  const left = Math.max(x, 0)
  const room = width - (left - x) - 10
  const text = barLabel(name, room)
  if (text === '' || (of.kind !== 'FILL' && text !== name)) return null
  const note = noteWords(of.note)
  const hasSecond = of.kind === 'FILL' && note.length * 5.8 < room
  const middle = LANE.barsTop + LANE.barsHeight / 2
  return (
    <g className={`bar-text ${of.kind.toLowerCase()} ${colour}`}>
      <text x={left + 6} y={middle + (hasSecond ? -2 : 4)}>
        {text}
      </text>
      {hasSecond && (
        <text x={left + 6} y={middle + 12} className="second">
          {note}
        </text>
      )}
    </g>
  )
}

function WindowBar({ bar, windowHours }: { readonly bar: Bar<Block>; readonly windowHours: number }): ReactElement {
  const { x, width, of, count } = bar
  const share = Math.min(1, of.usedHours / windowHours)
  const y = LANE.windowsTop
  const inner = Math.max(0.5, width - (width > 4 ? 2 : 0))
  const level = share * LANE.windowsHeight
  const left = Math.max(x, 0) + 6
  const room = width - (left - x) - 6
  const text = [`${hours(of.usedHours)} of ${hours(windowHours, 0)} window`, `${Math.round(share * 100)} %`].find(
    (text) => text.length * 5.8 < room,
  )
  return (
    <g className="window">
      <rect x={x} y={y} width={inner} height={LANE.windowsHeight} className="window-whole" />
      <rect x={x} y={y + LANE.windowsHeight - level} width={inner} height={level} className="window-used" />
      {count === 1 && text && (
        <text x={left} y={y + 12}>
          {text}
        </text>
      )}
    </g>
  )
}
