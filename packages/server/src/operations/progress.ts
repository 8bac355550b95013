import type { OperationProgress } from '@holdfast/protocol'
import { HoldfastError } from '../core/errors.js'

/** One step of an operation, and how much of the whole it stands for. */
export interface PhaseSpec {
  readonly name: string
  /** Relative to the other phases (default 1). */
  readonly weight?: number
}

/** What a worker may say of its progress. */
export interface ProgressReport {
  /** Units done in this phase. */
  readonly done?: number
  /** Units there are in this phase, when known; it may grow. */
  readonly total?: number
  /** 0 to 100 of this phase, for a worker that knows nothing else; not beside `done`. */
  readonly percent?: number
  /** What is counted: `files`, `rows`; cut at 32 characters. */
  readonly unit?: string
  /** What is being worked on; cut at 1,024 characters, like the message. */
  readonly item?: string
  readonly message?: string
}

/** The phases of an operation, in order. */
export type Plan = readonly Required<PhaseSpec>[]

/** How far an operation is: plain data, so that any node can go on with it. */
export interface ProgressState {
  /** The place of the current phase in the plan; -1 before the first. */
  readonly phase: number
  /** The name of the current phase, also of one that the plan does not have. */
  readonly name: string | undefined
  readonly done: number
  readonly total: number | undefined
  /** The share of this phase that is done, where the worker tells nothing else. */
  readonly share: number | undefined
  readonly unit: string | undefined
  readonly item: string | undefined
  readonly message: string | undefined
  /** The share of the whole that is done, 0 to 1; never falls within an attempt. */
  readonly fraction: number
}

/** Characters of a unit, of the name of a phase, and of an item or message, that a snapshot holds. */
const UNIT_MAX = 32
const PHASE_MAX = 128
const TEXT_MAX = 1_024

/** The largest amount, and the largest weight. */
const AMOUNT_MAX = Number.MAX_SAFE_INTEGER
const WEIGHT_MAX = 1_000_000_000

/** Reads phases. @throws HoldfastError `bad_request` for a weight that is negative or too large. */
export function readPlan(phases: readonly PhaseSpec[]): Plan {
  return phases.map(({ name, weight }) => ({ name, weight: readWeight('phases.weight', weight) }))
}

/** Where an attempt begins. */
export function beginProgress(plan: Plan, start: ProgressReport): ProgressState {
  const nothing: ProgressState = {
    phase: -1,
    name: undefined,
    done: 0,
    total: undefined,
    share: undefined,
    unit: undefined,
    item: undefined,
    message: undefined,
    fraction: 0,
  }
  return takeReport(plan, nothing, start)
}

/** What a worker says; members left out stay as they are. @throws HoldfastError `bad_request` for numbers that are negative or not finite. */
export function takeReport(plan: Plan, progress: ProgressState, report: ProgressReport): ProgressState {
  const { done, total, percent } = report
  const isCounted = done !== undefined
  const told = {
    phase: progress.phase,
    name: progress.name,
    done: isCounted ? atLeastZero('done', done) : progress.done,
    total: total === undefined ? progress.total : atLeastZero('total', total),
    share: isCounted ? undefined : percent === undefined ? progress.share : atLeastZero('percent', percent) / 100,
    unit: cut(report.unit, UNIT_MAX) ?? progress.unit,
    item: cut(report.item, TEXT_MAX) ?? progress.item,
    message: cut(report.message, TEXT_MAX) ?? progress.message,
    fraction: progress.fraction,
  }
  told.fraction = Math.max(progress.fraction, Math.min(1, fractionOf(plan, told)))
  return told
}

/** The next phase begins; counting starts anew. A name that the plan does not have is a phase of its own without weight. */
export function enterPhase(plan: Plan, progress: ProgressState, name: string, start: ProgressReport): ProgressState {
  const index = plan.findIndex((phase) => phase.name === name)
  const entered = {
    ...progress,
    phase: index >= 0 ? index : progress.phase,
    name: name.slice(0, TEXT_MAX),
    done: 0,
    total: undefined,
    share: undefined,
    item: undefined,
    message: index >= 0 ? undefined : cut(name, TEXT_MAX),
  }
  return takeReport(plan, entered, start)
}

/** As it is when the work is complete. */
export function finishProgress(progress: ProgressState): ProgressState {
  return { ...progress, done: progress.total ?? progress.done, share: 1, fraction: 1 }
}

/** As watchers see it. `isKnown`: there is a percentage although neither total nor phase say so. */
export function showProgress(plan: Plan, progress: ProgressState, isKnown: boolean = false): OperationProgress {
  const { done, total, unit, item, message } = progress
  const phase = plan[progress.phase]
  const isDeterminate = isKnown || total !== undefined || progress.phase >= 0 || progress.share !== undefined
  return {
    done,
    ...(total !== undefined && { total }),
    ...(unit !== undefined && { unit }),
    ...(item !== undefined && { item }),
    ...(message !== undefined && { message }),
    ...(isDeterminate && { percent: Math.round(progress.fraction * 1000) / 10 }),
    ...(phase && { phase: { name: phase.name.slice(0, PHASE_MAX), index: progress.phase + 1, count: plan.length } }),
  }
}

function fractionOf(plan: Plan, { phase: index, share, done, total }: ProgressState): number {
  const within = Math.min(1, share ?? (total === undefined || total === 0 ? 0 : done / total))
  if (plan.length === 0) return within
  const phase = plan[index]
  if (phase === undefined) return 0
  let before = 0
  let sum = 0
  for (const [at, { weight }] of plan.entries()) {
    if (at < index) before += weight
    sum += weight
  }
  return sum === 0 ? 0 : (before + phase.weight * within) / sum
}

/** The number itself. @throws HoldfastError `bad_request` naming the member when it is negative, above `max` (default: whole numbers are exact up to it) or no number. */
export function atLeastZero(name: string, value: number, max: number = AMOUNT_MAX): number {
  if (Number.isFinite(value) && value >= 0 && value <= max) return value
  throw new HoldfastError('bad_request', `${name} must be a number from 0 to ${max}, received ${String(value)}`)
}

/** The weight itself. @throws HoldfastError `bad_request` naming the member where sums of such weights would not be exact enough. */
export function readWeight(name: string, value: number = 1): number {
  return atLeastZero(name, value, WEIGHT_MAX)
}

/** What two amounts make, no more than an amount may be. */
export function amountOf(one: number, other: number): number {
  return Math.min(AMOUNT_MAX, one + other)
}

function cut(text: string | undefined, max: number): string | undefined {
  return text?.slice(0, max)
}
