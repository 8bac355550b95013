import type { Lot } from './lot.js'
import { changeoverHours, type LineStart, type Rules } from './rules.js'

/** What sums of hours leave open: a block is closed only where that is beyond doubt. */
const TOLERANCE_HOURS = 1e-6

/** A line before anything is planned on it. */
export interface IdleLine {
  readonly freeHours: number
  /** Until when the window of its open block goes; undefined: none is open. */
  readonly closesHours: number | undefined
}

/** How the lines stand when planning begins. */
export interface Beginning {
  readonly lines: readonly IdleLine[]
  readonly freeHours: readonly number[]
  readonly openBlocks: number
  /** First start and last end of what was done before. */
  readonly firstHours: number
  readonly endedHours: number
}

/** How the lines stand before these lots are planned. A block that is open but has no room for any of them counts as closed. */
export function beginning(lots: readonly Lot[], { starts = [], ...rules }: Rules): Beginning {
  const lines = Array.from({ length: Math.max(rules.lines, starts.length) }, (_, line) =>
    idleLine(starts[line], lots, rules),
  )
  const done = starts.flatMap(({ activities }) => activities)
  return {
    lines,
    freeHours: lines.map(({ freeHours }) => freeHours),
    openBlocks: lines.filter(({ closesHours }) => closesHours !== undefined).length,
    firstHours: done.reduce((first, { startHours }) => Math.min(first, startHours), done[0]?.startHours ?? 0),
    endedHours: done.reduce((last, { endHours: end }) => Math.max(last, end), 0),
  }
}

function idleLine(start: LineStart | undefined, lots: readonly Lot[], rules: Rules): IdleLine {
  const { freeHours = 0, open } = start ?? {}
  const roomHours = open === undefined ? -Infinity : rules.windowHours - open.usedHours
  const fits = ({ type, fillHours }: Lot): boolean =>
    changeoverHours(rules.changeover, open?.previousType, type) + fillHours <= roomHours + TOLERANCE_HOURS
  return { freeHours, closesHours: lots.some(fits) ? freeHours + roomHours : undefined }
}

/** When a lot can be filled at the earliest if it is the only one: on the line that would have done it first. No plan fills it before. */
export function aloneEndHours({ fillHours }: Lot, { lines }: Beginning, { calendar, cleanHours }: Rules): number {
  const earliest = (fromHours: number, hours: number): number =>
    calendar === undefined ? fromHours : (calendar.earliest(fromHours, hours) ?? fromHours)
  const ends = lines.map(({ freeHours, closesHours }) => {
    const readyHours = closesHours === undefined ? earliest(freeHours, cleanHours) + cleanHours : freeHours
    return earliest(readyHours, fillHours) + fillHours
  })
  return Math.min(...ends)
}
