import {
  type ErrorCode,
  type OperationEvent,
  type OperationSnapshot,
  type OperationState,
  isTerminal,
} from '@holdfast/protocol'
import { timestamp } from '../clock.js'
import { NOTHING_COUNTED, count, isOvertaken } from './counted.js'
import type { OperationEnding, OperationReport, WorkerWord } from './desk.js'
import { type MeterState, observe, startMeter } from './meter.js'
import { isNamed, nameWord } from './named-words.js'
import { type ProgressState, amountOf, beginProgress, enterPhase, finishProgress, takeReport } from './progress.js'
import { type ChildShare, type OperationRecord, type Work, runTime } from './record.js'
import { mayBecome } from './transitions.js'
import { type Word, isAfter } from './word.js'

// The state machine of an operation, whole: what each word comes to, and nothing else. It knows neither clocks nor engines.

/** What a word comes to. Urgent changes are told at once, and each on its own. */
export type Ruling =
  | {
      readonly kind: 'changed'
      readonly record: OperationRecord
      readonly event: OperationEvent
      readonly isUrgent: boolean
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message?: string }

/** What holds for all operations. */
export interface Terms {
  /** Milliseconds after which one that nobody has is given up. */
  readonly idleMs: number
  readonly childrenMax: number
}

const UNCHANGED: Ruling = { kind: 'unchanged' }
const ENDED: Ruling = { kind: 'refused', code: 'already_ended' }

/** Characters of the code and the message of an error that a snapshot holds. */
const CODE_MAX = 64
const MESSAGE_MAX = 1_024

/** What a word comes to, said at `now`. */
export function rule(record: OperationRecord, word: Word, now: number, terms: Terms): Ruling {
  switch (word.do) {
    case 'report':
      return ruleReportInOrder(record, word, now)
    case 'heartbeat':
      return objectionTo(record, word.worker) ?? ruleHeartbeat(record, word.worker, now)
    case 'end':
      return objectionTo(record, word.ending) ?? ruleEnd(record, word.ending, now)
    case 'attempt':
      return objectionTo(record, word) ?? ruleAttempt(record, word, now)
    case 'cancel':
      return ruleCancel(record, now)
    case 'due':
      return ruleDue(record, word.lapsed, now, terms)
    case 'child':
      return ruleChild(record, word, now, terms)
  }
}

/** Why a worker is not listened to: its attempt is over, or it has said so before. */
function objectionTo(
  { snapshot, work }: OperationRecord,
  { attempt, sequence, entry }: WorkerWord,
): Ruling | undefined {
  if (attempt !== undefined && attempt < snapshot.attempt) return { kind: 'refused', code: 'stale_report' }
  if (attempt !== undefined && attempt > snapshot.attempt)
    return { kind: 'refused', code: 'bad_request', message: `attempt ${attempt} has not begun` }
  if (sequence !== undefined && work.sequence !== undefined && sequence <= work.sequence) return UNCHANGED
  if (entry !== undefined && work.entry !== undefined && !isAfter(entry, work.entry)) return UNCHANGED
  return undefined
}

function notBegun(what: string): Ruling {
  return { kind: 'refused', code: 'bad_request', message: `${what}: the operation waits for an attempt to begin` }
}

// What a worker says

function ruleReportInOrder(record: OperationRecord, word: Word & { do: 'report' }, now: number): Ruling {
  const objection = objectionTo(record, word.report)
  const isLate = objection?.kind === 'unchanged' && isOvertaken(record.work.counted, word.report)
  if (objection !== undefined && !isLate) return objection
  if (isNamed(record.work.named, word.report.key, now)) return UNCHANGED
  if (!isLate) return ruleReport(record, word, now)
  // Everything else that it says is out of date.
  const { attempt, sequence, advance, key } = word.report
  const late = { attempt, sequence, advance, key } as OperationReport
  const { sequence: newest } = record.work
  const ruling = ruleReport(record, { do: 'report', report: late }, now)
  return ruling.kind === 'changed'
    ? { ...ruling, record: { ...ruling.record, work: { ...ruling.record.work, sequence: newest } } }
    : ruling
}

function ruleReport(record: OperationRecord, word: Word & { do: 'report' }, now: number): Ruling {
  const { snapshot, work } = record
  const { report } = word
  if (isTerminal(snapshot.state)) return ENDED
  if (snapshot.state === 'queued') return notBegun('it takes no report')
  const isWaiting = report.state === undefined ? work.isWaiting : report.state === 'waiting'
  const state = isWaiting ? 'waiting' : 'running'
  const isNewPhase = report.phase !== undefined && (word.begins === true || report.phase !== work.progress.name)
  const progress = reached(progressAfter(record, report, isNewPhase), word.reached)
  const isAnew = isNewPhase || report.done !== undefined || report.percent !== undefined
  const counted = count(work.counted, report, isAnew)
  const named = nameWord(work.named, report.key, now)
  const next = inState(held(work, report, now, { isWaiting, progress, counted, named }), state, now)
  return {
    kind: 'changed',
    record: withState(record, state, metered(next, now, isNewPhase)),
    event: snapshot.state === 'stalled' ? 'resumed' : isNewPhase ? 'phase' : 'progress',
    isUrgent: isNewPhase || snapshot.state !== state,
  }
}

function progressAfter({ work }: OperationRecord, report: OperationReport, isNewPhase: boolean): ProgressState {
  const { phase, advance, ...told } = report
  const { plan, progress, children } = work
  const before = isNewPhase ? 0 : progress.done
  const counted = advance === undefined ? told : { ...told, done: amountOf(before, advance) }
  const after = isNewPhase ? enterPhase(plan, progress, phase ?? '', counted) : takeReport(plan, progress, counted)
  // With parts below it, the whole is what they say.
  return children === undefined ? after : { ...after, fraction: progress.fraction }
}

function reached(progress: ProgressState, fraction: number | undefined): ProgressState {
  return fraction === undefined || fraction <= progress.fraction ? progress : { ...progress, fraction }
}

function ruleHeartbeat(record: OperationRecord, worker: WorkerWord, now: number): Ruling {
  const { snapshot, work } = record
  if (isTerminal(snapshot.state)) return ENDED
  if (snapshot.state === 'queued') return notBegun('nobody has it')
  const state = work.isWaiting ? 'waiting' : 'running'
  const isStalled = snapshot.state === 'stalled'
  return {
    kind: 'changed',
    record: withState(record, state, inState(held(work, worker, now), state, now)),
    event: isStalled ? 'resumed' : 'progress',
    isUrgent: isStalled,
  }
}

function ruleEnd(record: OperationRecord, ending: OperationEnding, now: number): Ruling {
  const { snapshot, work } = record
  const { state } = ending
  const end = describeEnd(ending)
  if (isTerminal(snapshot.state)) return isSameEnd(snapshot, state, end) ? UNCHANGED : ENDED
  if (!mayBecome(snapshot.state, state)) return notBegun(`it cannot be ${state}`)
  if (ending.state === 'completed' && ending.regardless !== true && hasLiveChildren(work))
    return { kind: 'refused', code: 'children_running' }
  const spoken = held(work, ending, now)
  const finished = state === 'completed' ? { ...spoken, progress: finishProgress(work.progress) } : spoken
  return ended(record, finished, state, now, end)
}

type End = Pick<OperationSnapshot, 'result' | 'error'>

function describeEnd(ending: OperationEnding): End {
  if (ending.state === 'completed') return ending.result === undefined ? {} : { result: ending.result }
  if (ending.state !== 'failed') return {}
  const { code = 'failed', message, retryable = false } = ending.error
  return { error: { code: code.slice(0, CODE_MAX), message: message.slice(0, MESSAGE_MAX), retryable } }
}

function isSameEnd({ state, result, error }: OperationSnapshot, other: OperationState, end: End): boolean {
  return state === other && JSON.stringify([result, error]) === JSON.stringify([end.result, end.error])
}

function hasLiveChildren({ children }: Work): boolean {
  return children !== undefined && Object.values(children).some(([, , state]) => !isTerminal(state))
}

function ruleAttempt(record: OperationRecord, { force, entry, worker }: Word & { do: 'attempt' }, now: number): Ruling {
  const { snapshot, work } = record
  const { state } = snapshot
  if (isTerminal(state)) return ENDED
  const isHeld = state === 'running' || state === 'waiting'
  // It has it, and did not hear of that: it was heard of now.
  if (isHeld && worker !== undefined && work.worker?.[0] === worker && work.worker[1] === snapshot.attempt)
    return ruleHeartbeat(record, entry === undefined ? {} : { entry }, now)
  if (isHeld && !force) return { kind: 'refused', code: 'already_held' }
  const ran = runTime(work, now)
  const attempt = state === 'queued' ? snapshot.attempt : snapshot.attempt + 1
  const anew: Work = {
    ...inState(work, 'running', now),
    progress: reached(beginProgress(work.plan, work.start), work.children && work.progress.fraction),
    overall: startMeter(ran),
    units: startMeter(ran),
    isWaiting: false,
    leaseUntil: now + work.leaseMs,
    sequence: undefined,
    counted: NOTHING_COUNTED,
    entry: entry ?? work.entry,
    worker: worker === undefined ? undefined : [worker, attempt],
  }
  const begun = { ...snapshot, attempt, startedAt: snapshot.startedAt ?? timestamp(now) }
  return {
    kind: 'changed',
    record: withState({ ...record, snapshot: begun }, 'running', anew),
    event: 'started',
    isUrgent: true,
  }
}

// What others say

function ruleCancel(record: OperationRecord, now: number): Ruling {
  const { snapshot, work } = record
  if (isTerminal(snapshot.state)) return ENDED
  const asked = { ...record, snapshot: { ...snapshot, cancelRequested: true } }
  // Nobody is there who could stop.
  if (snapshot.state === 'queued' || snapshot.state === 'stalled') return ended(asked, work, 'cancelled', now, {})
  if (snapshot.cancelRequested) return UNCHANGED
  return { kind: 'changed', record: asked, event: 'progress', isUrgent: true }
}

/** Time has passed. `lapsed`: the version whose worker was not heard of for as long as its lease. */
function ruleDue(record: OperationRecord, lapsed: number | undefined, now: number, { idleMs }: Terms): Ruling {
  const { snapshot, work } = record
  if (isTerminal(snapshot.state)) return UNCHANGED
  if (work.expiresAt !== undefined && work.expiresAt <= now)
    return expired(record, now, 'it did not end in the time that it had')
  if (work.idleSince !== undefined && work.idleSince + idleMs <= now)
    return expired(record, now, 'nobody has worked on it')
  if (work.leaseUntil === undefined || lapsed !== snapshot.version) return UNCHANGED
  if (snapshot.cancelRequested) return ended(record, work, 'cancelled', now, {})
  return {
    kind: 'changed',
    record: withState(record, 'stalled', { ...inState(work, 'stalled', now), lapsedAt: work.leaseUntil }),
    event: 'stalled',
    isUrgent: true,
  }
}

function expired(record: OperationRecord, now: number, message: string): Ruling {
  return ended(record, record.work, 'expired', now, { error: { code: 'expired', message, retryable: true } })
}

function ruleChild(
  record: OperationRecord,
  { id, weight, fraction, state }: Word & { do: 'child' },
  now: number,
  { childrenMax }: Terms,
): Ruling {
  const { snapshot, work } = record
  const { children = {} } = work
  const before = Object.hasOwn(children, id) ? children[id] : undefined
  if (isTerminal(snapshot.state) || (before !== undefined && isTerminal(before[2]))) return UNCHANGED
  const share: ChildShare = [weight, state === 'completed' ? 1 : fraction, state]
  if (before?.every((value, at) => value === share[at])) return UNCHANGED
  if (before === undefined && Object.keys(children).length >= childrenMax)
    return {
      kind: 'refused',
      code: 'limit_exceeded',
      message: `an operation must have at most ${childrenMax} children`,
    }
  const all = { ...children, [id]: share }
  const progress = reached(work.progress, fractionOf(all))
  // Who has work below it that goes on is not stalled.
  const leaseUntil = work.leaseUntil === undefined ? undefined : Math.max(work.leaseUntil, now + work.leaseMs)
  const next = metered({ ...work, children: all, progress, leaseUntil }, now, false)
  return { kind: 'changed', record: { ...record, work: next }, event: 'progress', isUrgent: false }
}

function fractionOf(children: Readonly<Record<string, ChildShare>>): number {
  let sum = 0
  let done = 0
  for (const [weight, fraction] of Object.values(children)) {
    sum += weight
    done += weight * fraction
  }
  return sum === 0 ? 0 : Math.min(1, done / sum)
}

// What follows from all of it

/** Its worker was heard of. */
function held(
  work: Work,
  { sequence = work.sequence, entry = work.entry }: WorkerWord,
  now: number,
  { isWaiting, progress, counted, named }: Pick<Work, 'isWaiting' | 'progress' | 'counted' | 'named'> = work,
): Work {
  // Its lease was found lapsed when by its own clock it had not.
  const isAdrift = work.isAdrift || (work.lapsedAt !== undefined && now < work.lapsedAt)
  const leaseUntil = now + work.leaseMs
  return { ...work, isWaiting, progress, counted, named, sequence, entry, leaseUntil, lapsedAt: undefined, isAdrift }
}

/** Running time counts while it runs, the lease while somebody has it. */
function inState(work: Work, state: OperationState, now: number): Work {
  const isHeld = state === 'running' || state === 'waiting'
  const isIdle = state === 'queued' || state === 'stalled'
  if (state === 'running' && work.runsSince !== undefined) return work
  return {
    ...work,
    ranMs: runTime(work, now),
    runsSince: state === 'running' ? now : undefined,
    leaseUntil: isHeld ? work.leaseUntil : undefined,
    idleSince: isIdle ? (work.idleSince ?? now) : undefined,
  }
}

function metered(work: Work, now: number, isNewPhase: boolean): Work {
  const ran = runTime(work, now)
  const { done, fraction } = work.progress
  const units: MeterState = isNewPhase ? startMeter(ran, done) : observe(work.units, ran, done)
  const overall = observe(work.overall, ran, fraction)
  return units === work.units && overall === work.overall ? work : { ...work, units, overall }
}

function withState({ snapshot, sharedWith }: OperationRecord, state: OperationState, work: Work): OperationRecord {
  return { snapshot: snapshot.state === state ? snapshot : { ...snapshot, state }, sharedWith, work }
}

function ended(
  { snapshot, sharedWith }: OperationRecord,
  work: Work,
  state: 'completed' | 'failed' | 'cancelled' | 'expired',
  now: number,
  end: End,
): Ruling {
  const over = { ...snapshot, state, endedAt: timestamp(now), ...end }
  const record = { snapshot: over, sharedWith, work: inState(work, state, now) }
  return { kind: 'changed', record, event: state, isUrgent: true }
}
