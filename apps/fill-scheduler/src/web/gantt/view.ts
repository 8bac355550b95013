/** Which part of a plan is in view, in hours after its start. */
export interface View {
  readonly fromHours: number
  readonly toHours: number
}

/** No closer than this: an activity is hardly shorter. */
const SPAN_HOURS_MIN = 1

/** All of a plan, from hour 0. */
export function wholeOf(hours: number): View {
  return { fromHours: 0, toHours: Math.max(SPAN_HOURS_MIN, hours) }
}

/** Closer by `factor` (further away below 1), with the hour `around` staying where it is. Never beyond the whole. */
export function zoomed(view: View, whole: View, factor: number, around: number): View {
  const span = clamp(spanOf(view) / factor, Math.min(SPAN_HOURS_MIN, spanOf(whole)), spanOf(whole))
  const share = (around - view.fromHours) / spanOf(view)
  return within(around - share * span, span, whole)
}

/** Moved by so many hours, to where the plan ends at most. */
export function panned(view: View, whole: View, byHours: number): View {
  return within(view.fromHours + byHours, spanOf(view), whole)
}

/** Moved as little as shows all of an interval; of one that is longer than the view its beginning. */
export function revealing(view: View, whole: View, fromHours: number, toHours: number): View {
  const span = spanOf(view)
  if (fromHours < view.fromHours || toHours - fromHours > span) return within(fromHours - span * 0.05, span, whole)
  if (toHours > view.toHours) return within(toHours - span * 0.95, span, whole)
  return view
}

/** How many hours are in view. */
export function spanOf({ fromHours, toHours }: View): number {
  return toHours - fromHours
}

function within(fromHours: number, span: number, whole: View): View {
  const from = clamp(fromHours, whole.fromHours, whole.toHours - span)
  return { fromHours: from, toHours: from + span }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high))
}
