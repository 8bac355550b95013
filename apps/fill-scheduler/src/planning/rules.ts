import type { Activity } from './plan.js'

/** The numbers that plans obey; hours throughout. Made from the settings by `rulesOf`. */
export interface Rules {
  /** Length of a cleaning, which begins each block. */
  readonly cleanHours: number
  /** How long after a cleaning lots may be filled: the last fill of a block must have ended by then. */
  readonly windowHours: number
  readonly changeover: ChangeoverRules
  /** How many lines fill side by side. */
  readonly lines: number
  /** What an hour late costs in hours of makespan, times the priority of the lot. */
  readonly latePenaltyPerHour: number
  /** When nothing can be done; undefined: it never rests. */
  readonly calendar?: Calendar
  /** Where each line stands when planning begins; undefined: all are idle, uncleaned, at hour 0. */
  readonly starts?: readonly LineStart[]
}

/** How long it takes to make ready for the next lot of a block. */
export interface ChangeoverRules {
  readonly sameTypeHours: number
  readonly differentTypeHours: number
  /** From type, to type: hours; what is not named follows the two numbers above. */
  readonly matrix: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** At least this long between two lots of a block, whatever their types. */
  readonly spacingHours: number
}

/** Working time. An activity is never interrupted: it begins only where it can end before the next rest. The window of a block runs on while closed. */
export interface Calendar {
  /** The earliest hour, `from` or later, at which something of this length can be done without a rest; undefined when it never can. */
  earliest(fromHours: number, lengthHours: number): number | undefined
  /** When the working time ends in which this hour lies; `Infinity` where no rest comes within a year. */
  restAfter(fromHours: number): number
}

/** A line that has work behind it. */
export interface LineStart {
  /** What was done and stays, in order; the plan begins with it. */
  readonly activities: readonly Activity[]
  /** From when on the line is free. */
  readonly freeHours: number
  /** The block that is open then: how much of its window is used, and the type filled last; undefined: it needs a cleaning. */
  readonly open?: { readonly usedHours: number; readonly previousType?: string }
}

/** Tolerance of every comparison of hours. */
export const EPSILON_HOURS = 1e-9

/** Hours between a lot of type `from` and one of type `to`; none before the first lot of a block (`from` undefined). */
export function changeoverHours(rules: ChangeoverRules, from: string | undefined, to: string): number {
  if (from === undefined) return 0
  const named = Object.hasOwn(rules.matrix, from) ? rules.matrix[from] : undefined
  const hours =
    named !== undefined && Object.hasOwn(named, to)
      ? (named[to] ?? 0)
      : from === to
        ? rules.sameTypeHours
        : rules.differentTypeHours
  return Math.max(hours, rules.spacingHours)
}
