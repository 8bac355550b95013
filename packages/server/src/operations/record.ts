import { type OperationSnapshot, type OperationState, isTerminal } from '@holdfast/protocol'
import { timestamp } from '../clock.js'
import { type Counted, NOTHING_COUNTED } from './counted.js'
import { type MeterState, etaOf, paceOf, startMeter } from './meter.js'
import type { NamedWords } from './named-words.js'
import { type Plan, type ProgressState, beginProgress, showProgress } from './progress.js'

/** What a parent knows of an operation below it: its weight, the share of it that is done, and its state. */
export type ChildShare = readonly [weight: number, fraction: number, state: OperationState]

/** What is needed to go on with an operation from any node. Times are milliseconds since 1970. */
export interface Work {
  readonly plan: Plan
  /** What every attempt begins with. */
  readonly start: { readonly total?: number; readonly unit?: string }
  readonly progress: ProgressState
  /** Of the whole, and of the units of this phase; both by running time. */
  readonly overall: MeterState
  readonly units: MeterState
  /** Running time up to `runsSince`. */
  readonly ranMs: number
  /** Since when it runs; undefined while it does not. */
  readonly runsSince: number | undefined
  readonly leaseMs: number
  /** When the lease of its worker lapses; undefined while nobody has it. */
  readonly leaseUntil: number | undefined
  /** When the lease would have lapsed that was found lapsed; undefined once its worker was heard of again. */
  readonly lapsedAt: number | undefined
  /** Whether the clock of its worker and that of who looked differ: then a lease lapses by what is seen of it alone. */
  readonly isAdrift: boolean
  /** Since when nobody has had it; undefined while somebody has. */
  readonly idleSince: number | undefined
  /** Whether its worker waits for something outside. It stays so while it is stalled. */
  readonly isWaiting: boolean
  readonly expiresAt: number | undefined
  /** The last word of this attempt that bore a number. */
  readonly sequence: number | undefined
  /** Which of the numbered reports of this attempt were counted. */
  readonly counted: Counted
  /** Which reports were said under a name, in this attempt or before. */
  readonly named: NamedWords
  /** The last word that was left somewhere. */
  readonly entry: string | undefined
  /** How a worker called itself that took an attempt, and which: a node of a version that knows no names leaves it as it is where another takes the next. */
  readonly worker: readonly [name: string, attempt: number] | undefined
  readonly weight: number
  readonly children: Readonly<Record<string, ChildShare>> | undefined
  readonly createdAt: number
  /** When the operation above this one began: another that has its id is not meant. Undefined where there is none. */
  readonly parentSince: number | undefined
  /** Which writes these were, the newest first, one of each writer: whoever lost the answer to one recognises it. */
  readonly stamps: readonly string[]
  /** By how much the version of the snapshot is higher than the number of writes that the engine knows of: it has lost some. */
  readonly unstored: number
}

/** An operation as it is stored: what everybody may see, who else may see it, and what is needed to go on. */
export interface OperationRecord {
  readonly snapshot: OperationSnapshot
  /** Users besides the owner who may watch and cancel. */
  readonly sharedWith: readonly string[]
  readonly work: Work
}

/** A lease where nothing else is said. */
export const LEASE_MS = 30_000

/** Running time so far, in milliseconds. */
export function runTime({ ranMs, runsSince }: Work, now: number): number {
  // Another node may have begun it, with another clock.
  return ranMs + (runsSince === undefined ? 0 : Math.max(0, now - runsSince))
}

/** The snapshot of a record at a moment, as the version `version`. */
export function showRecord({ snapshot, work }: OperationRecord, now: number, version: number): OperationSnapshot {
  const ran = runTime(work, now)
  const isKnown = work.children !== undefined || snapshot.state === 'completed'
  const isHeld = snapshot.state === 'running' || snapshot.state === 'waiting'
  const { rate, eta } = isHeld ? outlook(work, ran) : NO_OUTLOOK
  const shown: Mutable<OperationSnapshot> = {
    ...snapshot,
    version,
    progress: showProgress(work.plan, work.progress, isKnown),
    elapsed: Math.round(ran) / 1_000,
    updatedAt: timestamp(now),
  }
  // Members are taken away where there are any: this is done for every report.
  if (rate !== undefined) shown.rate = rate
  else if (snapshot.rate !== undefined) delete shown.rate
  if (eta !== undefined) shown.eta = eta
  else if (snapshot.eta !== undefined) delete shown.eta
  if (work.children !== undefined) shown.children = countChildren(work.children)
  return shown
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const NO_OUTLOOK: Pick<OperationSnapshot, 'rate' | 'eta'> = {}

function outlook({ units, overall, progress, children }: Work, ran: number): Pick<OperationSnapshot, 'rate' | 'eta'> {
  // Where units are not counted there is no rate of them.
  const pace = progress.share === undefined && children === undefined ? paceOf(units, ran) : undefined
  const whole = paceOf(overall, ran)
  const eta = whole && etaOf(1 - progress.fraction, whole)
  return { ...(pace && { rate: Math.round(pace.rate * 100) / 100 }), ...(eta && { eta }) }
}

/** How many children there are, in all and by state; the states in which nobody is are left out. */
function countChildren(children: NonNullable<Work['children']>): Record<string, number> {
  const counts: Record<string, number> = { total: 0, running: 0, completed: 0, failed: 0 }
  for (const [, , state] of Object.values(children)) {
    counts['total'] = (counts['total'] ?? 0) + 1
    counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}

/** Reads what was stored. What an older version wrote has only a snapshot: the rest is made of it. */
export function parseRecord(text: string): OperationRecord {
  const { snapshot, sharedWith, work } = JSON.parse(text) as Omit<OperationRecord, 'work'> & { work?: Work }
  return { snapshot, sharedWith, work: work === undefined ? workOf(snapshot) : (restored(work) as Work) }
}

/** The text of a record; `snapshot` is its snapshot as text, which was needed in any case. */
export function encodeRecord({ sharedWith, work }: OperationRecord, snapshot: string): string {
  return `{"snapshot":${snapshot},"sharedWith":${JSON.stringify(sharedWith)},"work":${JSON.stringify(work)}}`
}

/** Members that are undefined were left out of the text. They are put back, so that all records have one shape. */
function restored(work: Partial<Work>): Partial<Work> {
  return { ...ABSENT, ...work, progress: { ...ABSENT_PROGRESS, ...work.progress } as ProgressState }
}

const ABSENT = {
  counted: NOTHING_COUNTED,
  named: [],
  lapsedAt: undefined,
  isAdrift: false,
  runsSince: undefined,
  leaseUntil: undefined,
  idleSince: undefined,
  expiresAt: undefined,
  sequence: undefined,
  entry: undefined,
  worker: undefined,
  children: undefined,
  parentSince: undefined,
  stamps: [],
  unstored: 0,
} as const

const ABSENT_PROGRESS = {
  name: undefined,
  total: undefined,
  share: undefined,
  unit: undefined,
  item: undefined,
  message: undefined,
} as const

function workOf({ progress, state, elapsed, updatedAt, startedAt = updatedAt }: OperationSnapshot): Work {
  const { done, total, unit, item, message, percent = 0 } = progress
  const [at, ranMs] = [Date.parse(updatedAt), elapsed * 1_000]
  const isHeld = state === 'running' || state === 'waiting'
  const fraction = percent / 100
  return {
    ...ABSENT,
    plan: [],
    start: {},
    progress: { ...beginProgress([], {}), done, total, unit, item, message, fraction },
    overall: startMeter(ranMs, fraction),
    units: startMeter(ranMs, done),
    ranMs,
    runsSince: state === 'running' ? at : undefined,
    leaseMs: LEASE_MS,
    leaseUntil: isHeld ? at + LEASE_MS : undefined,
    idleSince: isHeld || isTerminal(state) ? undefined : at,
    isWaiting: state === 'waiting',
    weight: 1,
    createdAt: Date.parse(startedAt),
  }
}
