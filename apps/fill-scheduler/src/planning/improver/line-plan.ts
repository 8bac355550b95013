import type { Lot } from '../lot.js'
import { continuedBlock, freshBlock, lineAt, type LineState } from '../line.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../rules.js'
import { mayBeLate } from './lines.js'
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

/** A block by itself: when each of its lots is filled, in hours after the first changeover or fill. */
interface Course {
  readonly lots: readonly Lot[]
  readonly ends: readonly number[]
  readonly hours: number
}

/** Times lines as `timetable` does, without writing activities. */
export class LinePlanner {
  readonly #lots: readonly Lot[]
  readonly #rules: Rules
  readonly #late: boolean
  readonly #roomHours: number
  /** Blocks are replaced, never changed, so what was found out of one stays true. */
  readonly #courses = new WeakMap<readonly number[], Course>()

  /** Plans that end before `horizonHours` find their windows as long as they are. */
  constructor(lots: readonly Lot[], rules: Rules, horizonHours: number) {
    const { calendar, windowHours } = rules
    this.#roomHours =
      calendar === undefined ? windowHours : workHoursIn(windowHours, 0, horizonHours, calendar, STRETCH_HOURS_MIN)
    this.#lots = lots
    this.#rules = rules
    this.#late = mayBeLate(lots, rules)
  }

  /** Whether the line goes on with an open block. */
  isOpen(line: number): boolean {
    return this.#rules.starts?.[line]?.open !== undefined
  }

  /** The line with these blocks; undefined where one does not fit into its window. */
  plan(line: number, blocks: readonly (readonly number[])[], before?: LinePlan): LinePlan | undefined {
    const same = before === undefined ? 0 : alike(before.blocks, blocks)
    if (same === blocks.length && same === before?.blocks.length) return before
    const states = before?.states.slice(0, same + 1) ?? [lineAt(this.#rules.starts?.[line], this.#rules)]
    const lateHours = before?.lateHours.slice(0, same + 1) ?? [0]
    for (let at = same; at < blocks.length; at++) {
      const state = states[at]
      const course = this.#course(blocks[at] ?? [])
      // With a calendar it would take long to find out that a block fits nowhere.
      if (state === undefined || course.hours > this.#roomHours + EPSILON_HOURS) return undefined
      const timed = this.#timed(state, course, at === 0 && this.isOpen(line))
      if (timed === undefined) return undefined
      states.push(timed.after)
      lateHours.push((lateHours[at] ?? 0) + timed.lateHours)
    }
    return { blocks, states, lateHours }
  }

  #course(block: readonly number[]): Course {
    const known = this.#courses.get(block)
    if (known !== undefined) return known
    const lots = block.flatMap((lot) => this.#lots[lot] ?? [])
    let hours = 0
    const ends = lots.map(({ type, fillHours }, at) => {
      hours += changeoverHours(this.#rules.changeover, lots[at - 1]?.type, type) + fillHours
      return hours
    })
    const course = { lots, ends, hours }
    this.#courses.set(block, course)
    return course
  }

  #timed(state: LineState, course: Course, goesOn: boolean): { after: LineState; lateHours: number } | undefined {
    const { lots, ends, hours } = course
    if (!goesOn && this.#rules.calendar === undefined) {
      // Nothing waits, so the block is the same whenever it begins.
      const cleaned = state.freeHours + this.#rules.cleanHours
      const after = {
        freeHours: cleaned + hours,
        closesHours: cleaned + this.#rules.windowHours,
        previousType: undefined,
      }
      return { after, lateHours: this.#lateHours(lots, (at) => cleaned + (ends[at] ?? 0)) }
    }
    const block = goesOn ? continuedBlock(state, lots, this.#rules) : freshBlock(state, lots, this.#rules)
    if (block === undefined) return undefined
    return { after: block.after, lateHours: this.#lateHours(lots, (at) => block.slots[at]?.fillEnd ?? 0) }
  }

  #lateHours(lots: readonly Lot[], endOf: (at: number) => number): number {
    if (!this.#late) return 0
    let sum = 0
    for (let at = 0; at < lots.length; at++) {
      const { dueHours, priority = 1 } = lots[at] ?? {}
      if (dueHours !== undefined) sum += priority * Math.max(0, endOf(at) - dueHours)
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
