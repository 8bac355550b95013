import type { Lot } from '../lot.js'
import { continuedBlock, freshBlock, lineAt, type LineState, type TimedBlock } from '../line.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../rules.js'
import { workHoursIn } from '../working-time.js'

/** The blocks of one line with what follows from them; made anew from the first block that differs. */
export interface LinePlan {
  /** Lots by index. Where the line begins with an open block, the first goes on with it and may be empty. */
  readonly blocks: readonly (readonly number[])[]
  /** Before each block, and behind the last. */
  readonly states: readonly LineState[]
  /** Cost of lateness of what stands before each block, and of all. */
  readonly lateHours: readonly number[]
}

/** Stretches of working time that are shorter are not looked for, in hours. */
const STRETCH_HOURS_MIN = 0.1

/** Times lines as `timetable` does, without writing activities. */
export class LinePlanner {
  readonly #lots: readonly Lot[]
  readonly #rules: Rules
  readonly #late: boolean
  readonly #roomHours: number

  /** Plans that end before `horizonHours` find their windows as long as they are. */
  constructor(lots: readonly Lot[], rules: Rules, horizonHours: number) {
    const { calendar, windowHours } = rules
    this.#roomHours =
      calendar === undefined ? windowHours : workHoursIn(windowHours, 0, horizonHours, calendar, STRETCH_HOURS_MIN)
    this.#lots = lots
    this.#rules = rules
    this.#late = rules.latePenaltyPerHour > 0 && lots.some(({ dueHours }) => dueHours !== undefined)
  }

  /** Whether the line goes on with an open block. */
  isOpen(line: number): boolean {
    return this.#rules.starts?.[line]?.open !== undefined
  }

  /** The line with these blocks; undefined where one does not fit into its window. */
  plan(line: number, blocks: readonly (readonly number[])[], before?: LinePlan): LinePlan | undefined {
    const same = before === undefined ? 0 : alike(before.blocks, blocks)
    const states = before?.states.slice(0, same + 1) ?? [lineAt(this.#rules.starts?.[line], this.#rules)]
    const lateHours = before?.lateHours.slice(0, same + 1) ?? [0]
    for (let at = same; at < blocks.length; at++) {
      const state = states[at]
      const lots = (blocks[at] ?? []).map((lot) => this.#lot(lot))
      if (state === undefined || !this.#hasRoom(lots)) return undefined
      const goesOn = at === 0 && this.isOpen(line)
      const block = goesOn ? continuedBlock(state, lots, this.#rules) : freshBlock(state, lots, this.#rules)
      if (block === undefined) return undefined
      states.push(block.after)
      lateHours.push((lateHours[at] ?? 0) + this.#lateHours(block, lots))
    }
    return { blocks, states, lateHours }
  }

  /** Whether the lots fit into a window at all; with a calendar it takes long to find out that they never do. */
  #hasRoom(lots: readonly Lot[]): boolean {
    let hours = -EPSILON_HOURS
    let previous: string | undefined
    for (const { type, fillHours } of lots) {
      hours += fillHours + changeoverHours(this.#rules.changeover, previous, type)
      previous = type
    }
    return hours <= this.#roomHours
  }

  #lot(index: number): Lot {
    const lot = this.#lots[index]
    if (lot === undefined) throw new RangeError(`there is no lot ${index}`)
    return lot
  }

  #lateHours({ slots }: TimedBlock, lots: readonly Lot[]): number {
    if (!this.#late) return 0
    let sum = 0
    for (const [at, { dueHours, priority = 1 }] of lots.entries()) {
      const late = (slots[at]?.fillEnd ?? 0) - (dueHours ?? Infinity)
      if (late > 0) sum += priority * late
    }
    return this.#rules.latePenaltyPerHour * sum
  }
}

/** How many blocks the two begin with alike. */
function alike(before: readonly (readonly number[])[], after: readonly (readonly number[])[]): number {
  let count = 0
  while (count < before.length && count < after.length && before[count] === after[count]) count++
  return count
}
