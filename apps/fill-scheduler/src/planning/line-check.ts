import type { Problem } from '../problem.js'
import type { Lot } from './lot.js'
import type { Activity } from './plan.js'
import { changeoverHours, EPSILON_HOURS, type LineStart, type Rules } from './rules.js'

/** What is wrong with what one line does, in turn. `activities` are those behind the ones that had begun. */
export function checkLine(
  line: number,
  activities: readonly Activity[],
  start: LineStart | undefined,
  lots: readonly Lot[],
  rules: Rules,
): Problem[] {
  const check = new LineCheck(line, start, lots, rules)
  for (const activity of activities) check.next(activity)
  return check.end()
}

/**
 * Follows one line activity by activity. It knows nothing of how plans are made: what it holds is what has been seen.
 */
class LineCheck {
  readonly #line: number
  readonly #lots: ReadonlyMap<string, Lot>
  readonly #rules: Rules
  /** Until here nothing may be planned: the line still had work, or stood idle, when planning began. */
  readonly #notBefore: number
  readonly #problems: Problem[] = []
  #atHours: number
  /** When the window of the open block is over; undefined: no block is open. */
  #closesHours: number | undefined
  #previousType: string | undefined
  /** A changeover that no fill has followed yet. */
  #changeover: Activity | undefined
  /** A cleaning that no fill has followed yet. */
  #cleaning: Activity | undefined

  constructor(line: number, start: LineStart | undefined, lots: readonly Lot[], rules: Rules) {
    this.#line = line
    this.#rules = rules
    this.#lots = new Map(lots.map((lot) => [lot.id, lot]))
    this.#atHours = start?.activities.at(-1)?.endHours ?? 0
    this.#notBefore = start?.freeHours ?? 0
    const open = start?.open
    if (open !== undefined) {
      this.#closesHours = this.#notBefore + rules.windowHours - open.usedHours
      this.#previousType = open.previousType
    }
  }

  next(activity: Activity): void {
    this.#checkTimes(activity)
    if (activity.kind === 'CLOSED') return this.#atRest(activity)
    this.#checkWorkingTime(activity)
    if (activity.kind === 'CLEAN') this.#clean(activity)
    else if (activity.kind === 'CHANGEOVER') this.#prepare(activity)
    else this.#fill(activity)
  }

  end(): Problem[] {
    this.#leaveBlock()
    return this.#problems
  }

  #checkTimes({ kind, startHours, endHours, lotId }: Activity): void {
    const gap = startHours - this.#atHours
    const where = `${kind} at ${startHours} h`
    if (!(gap >= -EPSILON_HOURS))
      this.#error('overlap', `${where} begins before ${this.#atHours} h, where it could`, lotId)
    if (gap > EPSILON_HOURS) this.#error('gap', `${where} leaves a gap since ${this.#atHours} h`, lotId)
    if (!(endHours >= startHours)) this.#error('wrong_times', `${where} ends at ${endHours} h, before it begins`, lotId)
    this.#atHours = endHours
  }

  /** Waiting is for working time, or until a line is free. */
  #atRest({ startHours, endHours }: Activity): void {
    if (this.#rules.calendar !== undefined || endHours <= this.#notBefore + EPSILON_HOURS) return
    this.#error('needless_rest', `CLOSED from ${startHours} to ${endHours} h, but the lines never rest`)
  }

  #checkWorkingTime({ kind, startHours, endHours, lotId }: Activity): void {
    if (startHours < this.#notBefore - EPSILON_HOURS) {
      this.#error(
        'overlap',
        `${kind} at ${startHours} h begins before ${this.#notBefore} h, when the line is free`,
        lotId,
      )
    }
    // A little shorter on both sides, so that the last digits of sums decide nothing.
    const inside = startHours + EPSILON_HOURS
    const length = Math.max(0, endHours - startHours - 2 * EPSILON_HOURS)
    const earliest = this.#rules.calendar === undefined ? inside : this.#rules.calendar.earliest(inside, length)
    if (earliest !== undefined && earliest <= inside + EPSILON_HOURS) return
    this.#error('outside_working_time', `${kind} from ${startHours} to ${endHours} h is not within working time`, lotId)
  }

  #clean(activity: Activity): void {
    this.#leaveBlock()
    this.#checkLength(activity, this.#rules.cleanHours, 'wrong_clean_length')
    this.#closesHours = activity.endHours + this.#rules.windowHours
    this.#previousType = undefined
    this.#cleaning = activity
  }

  #prepare(activity: Activity): void {
    this.#checkBlockIsOpen(activity)
    this.#checkChangeoverIsUsed()
    this.#changeover = activity
  }

  #fill(activity: Activity): void {
    const { lotId, lotType, endHours } = activity
    const lot = this.#lots.get(lotId ?? '')
    this.#checkBlockIsOpen(activity)
    this.#checkChangeoverBefore(activity, lot?.type ?? lotType ?? '')
    if (lot !== undefined) {
      this.#checkLength(activity, lot.fillHours, 'wrong_fill_length')
      if (lotType !== lot.type) {
        this.#error('wrong_type', `lot ${lot.id} is of type ${lot.type}, the plan says ${lotType ?? 'nothing'}`, lotId)
      }
    }
    const overrun = endHours - (this.#closesHours ?? Infinity)
    if (overrun > EPSILON_HOURS) this.#overrun(overrun, lotId)
    this.#previousType = lot?.type ?? lotType
    this.#cleaning = undefined
  }

  #overrun(hours: number, lotId: string | undefined): void {
    const { windowHours } = this.#rules
    this.#error('window_overrun', `Window overrun: ${(windowHours + hours).toFixed(2)} h > ${windowHours} h.`, lotId)
  }

  #checkChangeoverBefore({ startHours, lotId }: Activity, type: string): void {
    const first = this.#previousType === undefined
    const expected = changeoverHours(this.#rules.changeover, this.#previousType, type)
    const changeover = this.#changeover
    this.#changeover = undefined
    if (changeover === undefined) {
      if (expected <= EPSILON_HOURS) return
      return this.#error(
        'missing_changeover',
        `FILL at ${startHours} h needs a changeover of ${expected} h before it`,
        lotId,
      )
    }
    if (first) return this.#error('needless_changeover', 'the first lot of a block needs no changeover', lotId)
    this.#checkLength(changeover, expected, 'wrong_changeover_length')
    const label = `${this.#previousType ?? ''}->${type}`
    if (changeover.lotType === label) return
    this.#error(
      'wrong_changeover',
      `the changeover is ${label}, the plan says ${changeover.lotType ?? 'nothing'}`,
      lotId,
    )
  }

  #checkChangeoverIsUsed(): void {
    if (this.#changeover === undefined) return
    this.#error('needless_changeover', `CHANGEOVER at ${this.#changeover.startHours} h is not followed by a fill`)
    this.#changeover = undefined
  }

  #checkBlockIsOpen({ kind, startHours, lotId }: Activity): void {
    if (this.#closesHours !== undefined) return
    this.#error('missing_clean', `${kind} at ${startHours} h needs a cleaning before it`, lotId)
    this.#closesHours = startHours + this.#rules.windowHours
  }

  #leaveBlock(): void {
    this.#checkChangeoverIsUsed()
    if (this.#cleaning === undefined || this.#lots.size === 0) return
    this.#problems.push({
      severity: 'warning',
      code: 'empty_block',
      message: `line ${this.#line}: no lot is filled after the CLEAN at ${this.#cleaning.startHours} h`,
    })
    this.#cleaning = undefined
  }

  #checkLength({ kind, startHours, endHours, lotId }: Activity, hours: number, code: string): void {
    const received = endHours - startHours
    if (Math.abs(received - hours) <= EPSILON_HOURS) return
    this.#error(code, `${kind} at ${startHours} h has to take ${hours} h, it takes ${received}`, lotId)
  }

  #error(code: string, message: string, lotId?: string): void {
    const about = lotId === undefined ? {} : { lotId }
    this.#problems.push({ severity: 'error', code, message: `line ${this.#line}: ${message}`, ...about })
  }
}
