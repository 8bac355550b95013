import { type View, spanOf } from './view.js'

/** Something with a place in time. */
export interface Span {
  readonly start_hours: number
  readonly end_hours: number
}

/** What is drawn of one or more neighbours, in pixels from the left edge of the view. */
export interface Bar<T extends Span> {
  readonly x: number
  readonly width: number
  /** The longest of them. */
  readonly of: T
  /** How many stand in it, as each alone would be too narrow to be seen. */
  readonly count: number
}

/** Narrower ones are drawn together. */
const WIDTH_PX_MIN = 0.8

/** Bars of what is in view. `spans` follow each other in time without overlap. At most one bar for each pixel or so, however many there are. */
export function barsOf<T extends Span>(spans: readonly T[], view: View, widthPx: number): readonly Bar<T>[] {
  const scale = widthPx / spanOf(view)
  const bars: Bar<T>[] = []
  for (let at = firstIn(spans, view.fromHours); at < spans.length; at += 1) {
    const of = spans[at]
    if (!of || of.start_hours >= view.toHours) break
    const bar = barOf(of, view, scale)
    const last = bars.at(-1)
    const isCrowd = last && bar.width < WIDTH_PX_MIN && last.width < WIDTH_PX_MIN
    if (isCrowd) bars[bars.length - 1] = joined(last, bar)
    else bars.push(bar)
  }
  return bars
}

/** Where in `spans` the first stands that has not ended at `hours`. */
export function firstIn(spans: readonly Span[], hours: number): number {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((spans[middle]?.end_hours ?? Infinity) <= hours) low = middle + 1
    else high = middle
  }
  return low
}

/** Cut off well outside of the view: coordinates stay small, and the ends of long bars out of sight. */
function barOf<T extends Span>(of: T, view: View, scale: number): Bar<T> {
  const from = Math.max((of.start_hours - view.fromHours) * scale, -50)
  const to = Math.min((of.end_hours - view.fromHours) * scale, spanOf(view) * scale + 50)
  return { x: from, width: to - from, of, count: 1 }
}

function joined<T extends Span>(one: Bar<T>, other: Bar<T>): Bar<T> {
  const width = other.x + other.width - one.x
  const of = lengthOf(other.of) > lengthOf(one.of) ? other.of : one.of
  return { x: one.x, width, of, count: one.count + other.count }
}

function lengthOf({ start_hours: from, end_hours: to }: Span): number {
  return to - from
}
