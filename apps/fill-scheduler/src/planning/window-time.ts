import type { IdleLine } from './beginning.js'
import { type Rests, stretches } from './open-time.js'
import type { Rules } from './rules.js'

/** Times are counted in steps of five minutes, or in longer ones where there would be too many. */
const STEP_HOURS = 1 / 12
const STEPS_MAX = 600_000

/** Sums of hours that were found out by halving leave this much open. */
const TOLERANCE_HOURS = 1e-3

/** So much of a step is left open by sums of hours. More would not be: a window that ends a little behind a step holds what fills it. */
const TOLERANCE_STEPS = 1e-7

/**
 * How much lines can work inside clean windows: work may be split anywhere here, but cleanings may not, and windows run on in rests.
 *
 * **Steps.** All that is given (rests, lengths, beginnings) is rounded to steps in favour of the lines. What counts is, as a function of when cleanings begin, linear between hyperplanes on which a
 * time or a difference of two is whole, so there is a best way in which every cleaning begins at a whole step, and only those are looked at.
 */
export class WindowTime {
  readonly #lines: readonly IdleLine[]
  readonly #steps: Steps
  readonly #open: Int32Array
  readonly #clean: number
  readonly #whole: number

  constructor(
    lines: readonly IdleLine[],
    { cleanHours, windowHours }: Pick<Rules, 'cleanHours' | 'windowHours'>,
    rests: Rests,
  ) {
    const firstHours = Math.min(...lines.map(({ freeHours }) => freeHours))
    this.#lines = lines
    this.#steps = new Steps(firstHours, rests.horizonHours)
    this.#open = openSteps(this.#steps, firstHours, rests)
    this.#clean = this.#steps.down(cleanHours)
    this.#whole = this.#steps.up(cleanHours + windowHours)
  }

  /** The most working time that any window holds, or more. */
  get widestHours(): number {
    const open = this.#open
    const last = open.length - 1
    let most = 0
    for (let start = 0; start + this.#clean <= last; start++) {
      const [before, cleaned] = [open[start] ?? 0, open[start + this.#clean] ?? 0]
      if (cleaned - before < this.#clean) continue
      most = Math.max(most, (open[Math.min(start + this.#whole, last)] ?? 0) - cleaned)
    }
    for (const { freeHours, closesHours = freeHours } of this.#lines) {
      const until = open[Math.min(last, this.#steps.behind(closesHours))] ?? 0
      most = Math.max(most, until - (open[Math.min(last, this.#steps.before(freeHours))] ?? 0))
    }
    return most * this.#steps.hours
  }

  /** The lines cannot have come to `wantedHours` before this hour, working time inside windows and a credit for each block. An hour that is right or too early, never later than the horizon. */
  finishHours(wantedHours: number, creditHours: number): number {
    const { hours, firstHours } = this.#steps
    if (this.#clean < 1) return firstHours
    const block = { clean: this.#clean, whole: this.#whole, credit: creditHours / hours }
    const courses = alike(this.#lines).map(({ line, count }) => ({
      count,
      course: new LineCourse(line, block, this.#open, this.#steps),
    }))
    const wanted = (wantedHours - TOLERANCE_HOURS) / hours
    const last = this.#open.length - 1
    for (let at = 0; at < last; at++) {
      let sum = 0
      for (const { count, course } of courses) sum += count * course.until(at)
      if (sum >= wanted) return firstHours + Math.max(0, at - 1) * hours
    }
    return firstHours + (last - 1) * hours
  }
}

/** Lines that begin alike, once each. */
function alike(lines: readonly IdleLine[]): { readonly line: IdleLine; readonly count: number }[] {
  const kinds = new Map<string, IdleLine[]>()
  for (const line of lines) {
    const key = `${line.freeHours} ${line.closesHours}`
    kinds.set(key, [...(kinds.get(key) ?? []), line])
  }
  return [...kinds.values()].flatMap((all) => all.slice(0, 1).map((line) => ({ line, count: all.length })))
}

/** How blocks let a line work, in steps. */
interface BlockSteps {
  readonly clean: number
  /** Of cleaning and window together. */
  readonly whole: number
  readonly credit: number
}

/** Hours as steps after a first hour; rounded down or up, but for what is next to whole. */
class Steps {
  readonly hours: number
  readonly count: number
  readonly firstHours: number

  constructor(firstHours: number, horizonHours: number) {
    this.firstHours = firstHours
    let hours = STEP_HOURS
    while ((horizonHours - firstHours) / hours > STEPS_MAX) hours *= 2
    this.hours = hours
    this.count = Math.ceil((horizonHours - firstHours) / hours)
  }

  down(hours: number): number {
    return Math.floor(hours / this.hours + TOLERANCE_STEPS)
  }

  up(hours: number): number {
    return Math.ceil(hours / this.hours - TOLERANCE_STEPS)
  }

  before(hours: number): number {
    return Math.max(0, this.down(hours - this.firstHours))
  }

  behind(hours: number): number {
    return this.up(Math.min(hours - this.firstHours, this.hours * this.count))
  }
}

/** How many steps of working time there are before each step. */
function openSteps(steps: Steps, firstHours: number, { calendar, shortestHours, horizonHours }: Rests): Int32Array {
  const open = new Int32Array(steps.count + 1)
  for (const { fromHours, toHours } of stretches(firstHours, calendar, shortestHours)) {
    if (fromHours > horizonHours) break
    open.fill(1, steps.before(fromHours) + 1, steps.behind(toHours) + 1)
  }
  for (let at = 1; at < open.length; at++) open[at] = (open[at] ?? 0) + (open[at - 1] ?? 0)
  return open
}

/** The most that counts on one line until each step, in turn. */
class LineCourse {
  readonly #open: Int32Array
  readonly #clean: number
  readonly #whole: number
  readonly #credit: number
  readonly #free: number
  readonly #closes: number
  /** The most until each step. */
  readonly #most: Float64Array
  /** Steps at which a cleaning may have begun whose window is still open, the best first: each is worth less than those before it, and lasts longer. */
  readonly #begun: Int32Array
  #first = 0
  #last = 0

  constructor({ freeHours, closesHours }: IdleLine, block: BlockSteps, open: Int32Array, steps: Steps) {
    this.#open = open
    this.#clean = block.clean
    this.#whole = block.whole
    this.#credit = block.credit
    this.#free = steps.before(freeHours)
    this.#closes = closesHours === undefined ? -1 : steps.behind(closesHours)
    this.#most = new Float64Array(open.length)
    this.#begun = new Int32Array(open.length)
  }

  /** Asked for each step from 0 on, once. */
  until(at: number): number {
    this.#enter(at - this.#clean)
    let most = at > this.#free ? (this.#most[at - 1] ?? 0) : 0
    if (this.#closes >= 0 && at >= this.#free && at <= this.#closes) {
      most = Math.max(most, this.#credit + this.#openAt(at) - this.#openAt(this.#free))
    }
    while (this.#first < this.#last && (this.#begun[this.#first] ?? 0) + this.#whole < at) this.#first++
    if (this.#first < this.#last) most = Math.max(most, this.#worth(this.#begun[this.#first] ?? 0) + this.#openAt(at))
    this.#most[at] = most
    return most
  }

  /** A cleaning that begins here has ended. */
  #enter(start: number): void {
    if (start < this.#free || this.#openAt(start + this.#clean) - this.#openAt(start) < this.#clean) return
    while (this.#first < this.#last && this.#worth(this.#begun[this.#last - 1] ?? 0) <= this.#worth(start)) this.#last--
    this.#begun[this.#last++] = start
  }

  #worth(start: number): number {
    return (this.#most[start] ?? 0) + this.#credit - this.#openAt(start + this.#clean)
  }

  #openAt(at: number): number {
    return this.#open[at] ?? 0
  }
}
