import { type KeyboardEvent, type PointerEvent, type ReactElement, useId, useMemo, useRef, useState } from 'react'
import type { PlannedActivity } from '../api/answers.js'
import { counted, hours, percent } from '../wording/numbers.js'
import type { DueDates } from './activity-words.js'
import { Axis } from './axis.js'
import { firstIn } from './bars.js'
import { type ChartData, type Lane } from './chart-data.js'
import { Details } from './details.js'
import { LANE, LaneDrawing } from './lane-drawing.js'
import { Patterns } from './patterns.js'
import { useGestures } from './use-gestures.js'
import { useWidth } from './use-width.js'
import { type View, panned, revealing, spanOf, zoomed } from './view.js'

/** A phone. */
const NARROW_PX = 420
/** Pixels above the first lane. */
const AXIS_HEIGHT = 26

interface Props {
  readonly label: string
  readonly data: ChartData
  readonly zone: string
  readonly windowHours: number
  readonly whole: View
  readonly view: View
  readonly onView: (view: View) => void
  readonly dueDates?: DueDates
  /** Says below the chart how to read it. */
  readonly hasHint: boolean
}

interface Selected {
  readonly lane: number
  readonly at: number
}

/** A plan as a chart over time. Draws what is in view only; everything in it can be reached with the arrow keys and is told in words below. */
export function Gantt(props: Props): ReactElement {
  const { data, view, whole, onView, zone } = props
  const [box, widthPx] = useWidth<HTMLDivElement>()
  const svg = useRef<SVGSVGElement>(null)
  const [hovered, setHovered] = useState<Selected>()
  const [selected, setSelected] = useState<Selected>()
  const prefix = useId()
  const ids = { hint: `${prefix}hint` }
  const placeAt = (x: number, y: number): Selected | undefined => activityAt(data, view, widthPx, x, y)
  useGestures(svg, { view, whole, widthPx, onView, onPick: (x, y) => setSelected(placeAt(x, y)) })
  const onPointerMove = (event: PointerEvent<SVGSVGElement>): void => {
    const { left, top } = event.currentTarget.getBoundingClientRect()
    setHovered(event.pointerType === 'mouse' ? placeAt(event.clientX - left, event.clientY - top) : undefined)
  }
  const select = (next: Selected): void => {
    const to = data.lanes[next.lane]?.activities[next.at]
    if (!to) return
    setSelected(next)
    onView(revealing(view, whole, to.start_hours, to.end_hours))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const isTaken = pressed(event, { ...props, selected, select, clear: () => setSelected(undefined) })
    if (isTaken) event.preventDefault()
  }
  const shown = hovered ?? selected
  return (
    <div className="gantt">
      <div
        ref={box}
        className="gantt-surface"
        tabIndex={0}
        role="application"
        aria-roledescription="Gantt chart"
        aria-label={props.label}
        aria-describedby={ids.hint}
        onKeyDown={onKeyDown}
      >
        {widthPx > 0 && (
          <svg
            ref={svg}
            width={widthPx}
            height={AXIS_HEIGHT + data.lanes.length * LANE.height}
            aria-hidden="true"
            onPointerMove={onPointerMove}
            onPointerLeave={() => setHovered(undefined)}
          >
            <Patterns prefix={prefix} />
            <Axis
              view={view}
              widthPx={widthPx}
              startMs={data.startMs}
              zone={zone}
              height={AXIS_HEIGHT + data.lanes.length * LANE.height}
            />
            <Lanes {...props} widthPx={widthPx} prefix={prefix} />
            {selected && <Outline data={data} view={view} widthPx={widthPx} of={selected} isSelected />}
            {hovered && <Outline data={data} view={view} widthPx={widthPx} of={hovered} />}
          </svg>
        )}
      </div>
      <p id={ids.hint} className="visually-hidden">
        Arrow keys go from activity to activity, up and down from line to line, Home and End to the first and the last.
        With Shift they move the chart. Plus and minus zoom, zero shows all.
      </p>
      <Details
        activity={shown && data.lanes[shown.lane]?.activities[shown.at]}
        lane={shown && data.lanes[shown.lane]}
        zone={zone}
        windowHours={props.windowHours}
        dueDates={props.dueDates}
        isAnnounced={!hovered}
        hasHint={props.hasHint}
      />
    </div>
  )
}

function Lanes(props: Props & { readonly widthPx: number; readonly prefix: string }): ReactElement[] {
  const { data, view, widthPx, windowHours, prefix } = props
  const titles = useMemo(() => data.lanes.map((lane) => titleOf(lane, widthPx)), [data, widthPx])
  return data.lanes.map((lane, at) => (
    <LaneDrawing
      key={lane.line}
      lane={lane}
      types={data.types}
      view={view}
      widthPx={widthPx}
      windowHours={windowHours}
      top={AXIS_HEIGHT + at * LANE.height}
      prefix={prefix}
      title={titles[at] ?? ''}
    />
  ))
}

/** Where there is little room, the most important only. */
function titleOf({ line, blocks, fillHours, usedPercent }: Lane, widthPx: number): string {
  const filling = widthPx < NARROW_PX ? [] : [`${hours(fillHours)} filling`]
  return [`Line ${line}`, counted(blocks.length, 'block'), ...filling, `${percent(usedPercent)} used`].join(' · ')
}

function activityAt(data: ChartData, view: View, widthPx: number, x: number, y: number): Selected | undefined {
  const lane = Math.floor((y - AXIS_HEIGHT) / LANE.height)
  const activities = data.lanes[lane]?.activities
  if (!activities || y < AXIS_HEIGHT) return undefined
  const hour = view.fromHours + (x / widthPx) * spanOf(view)
  const at = firstIn(activities, hour)
  const found = activities[at]
  return found && found.start_hours <= hour ? { lane, at } : undefined
}

function Outline(props: {
  readonly data: ChartData
  readonly view: View
  readonly widthPx: number
  readonly of: Selected
  readonly isSelected?: boolean
}): ReactElement | null {
  const { data, view, widthPx, of } = props
  const activity = data.lanes[of.lane]?.activities[of.at]
  if (!activity) return null
  const scale = widthPx / spanOf(view)
  const x = Math.max(-10, (activity.start_hours - view.fromHours) * scale)
  const end = Math.min(widthPx + 10, (activity.end_hours - view.fromHours) * scale)
  const y = AXIS_HEIGHT + of.lane * LANE.height + LANE.barsTop
  const width = Math.max(2, end - x)
  return (
    <rect
      x={x}
      y={y - 1}
      width={width}
      height={LANE.barsHeight + 2}
      rx={3}
      className={props.isSelected ? 'selected' : 'hovered'}
    />
  )
}

interface Keyed extends Props {
  readonly selected: Selected | undefined
  readonly select: (next: Selected) => void
  readonly clear: () => void
}

/** Does what a key means; whether it means anything. */
function pressed(event: KeyboardEvent, keyed: Keyed): boolean {
  const { view, whole, onView, selected, select, clear, data } = keyed
  if (event.ctrlKey || event.metaKey || event.altKey) return false
  const middle = middleOf(keyed)
  const move = (by: number): void =>
    select({ lane: selected?.lane ?? 0, at: selected ? selected.at + by : firstVisible(data, view) })
  const keys: Record<string, () => void> = {
    '+': () => onView(zoomed(view, whole, 1.5, middle)),
    '=': () => onView(zoomed(view, whole, 1.5, middle)),
    '-': () => onView(zoomed(view, whole, 1 / 1.5, middle)),
    '0': () => onView(whole),
    ArrowLeft: () => (event.shiftKey ? onView(panned(view, whole, -spanOf(view) / 4)) : move(-1)),
    ArrowRight: () => (event.shiftKey ? onView(panned(view, whole, spanOf(view) / 4)) : move(1)),
    ArrowUp: () => select(inOtherLane(data, selected, -1)),
    ArrowDown: () => select(inOtherLane(data, selected, 1)),
    Home: () => select({ lane: selected?.lane ?? 0, at: 0 }),
    End: () => select({ lane: selected?.lane ?? 0, at: (data.lanes[selected?.lane ?? 0]?.activities.length ?? 1) - 1 }),
    Escape: clear,
  }
  keys[event.key]?.()
  return event.key in keys
}

/** Zooming keeps in view what is selected. */
function middleOf({ view, data, selected }: Keyed): number {
  const activity = selected && data.lanes[selected.lane]?.activities[selected.at]
  const middle = activity ? (activity.start_hours + activity.end_hours) / 2 : NaN
  return middle > view.fromHours && middle < view.toHours ? middle : (view.fromHours + view.toHours) / 2
}

function firstVisible(data: ChartData, view: View): number {
  return firstIn(data.lanes[0]?.activities ?? [], view.fromHours)
}

function inOtherLane(data: ChartData, selected: Selected | undefined, by: number): Selected {
  const lane = (selected?.lane ?? 0) + by
  const hour = data.lanes[selected?.lane ?? 0]?.activities[selected?.at ?? 0]?.start_hours ?? 0
  const activities: readonly PlannedActivity[] = data.lanes[lane]?.activities ?? []
  return { lane, at: Math.min(firstIn(activities, hour), activities.length - 1) }
}
