import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { HoldfastError } from '../errors.js'
import type { Status } from '../status.js'
import {
  doneText,
  durationText,
  etaText,
  percentText,
  phaseText,
  rateText,
  resultLines,
  spokenProgress,
} from './wording.js'

/** What the element knows of the operation it watches. */
export interface Watched {
  readonly operation: string
  /** In the place of the operation's own label. */
  readonly label?: string | undefined
  readonly snapshot?: OperationSnapshot | undefined
  /** Why it cannot be watched, or not any more. */
  readonly error?: HoldfastError | undefined
  /** Why it was not cancelled. */
  readonly refusal?: HoldfastError | undefined
  /** The state of the connection. */
  readonly status: Status
  /** Seconds without a word of the worker, where it is stalled. */
  readonly silentSeconds?: number | undefined
  /** Seconds since the snapshot came, by which an operation that runs has run longer. Default 0. */
  readonly heardSeconds?: number | undefined
}

/** What is seen of it: texts to be shown as they are, empty ones not at all. */
export interface Face {
  /** A state of the operation; `loading` before the first snapshot, `unknown` where there is nothing to watch, `idle` without an operation. */
  readonly look: OperationSnapshot['state'] | 'loading' | 'unknown' | 'idle'
  readonly label: string
  readonly state: string
  readonly percent: string
  /** 0 to 100; undefined where it is not known, and the bar shows that. */
  readonly value: number | undefined
  readonly spoken: string
  readonly figures: readonly string[]
  /** What is worked on, of which the end says most: a path, perhaps. Empty where there is a message in its place. */
  readonly item: string
  readonly message: string
  readonly result: readonly (readonly [name: string, value: string])[]
  readonly problem: string
  /** What is wrong with the connection, while what is shown is the last that was known. */
  readonly note: string
  readonly mayCancel: boolean
  readonly isCancelling: boolean
  /** What is worth saying aloud: steps, standstills and the end. */
  readonly announcement: string
}

const NOTHING = {
  percent: '',
  value: undefined,
  spoken: '',
  figures: [],
  item: '',
  message: '',
  result: [],
  problem: '',
  note: '',
  mayCancel: false,
  isCancelling: false,
  announcement: '',
} as const

/** What to show of what is known. */
export function faceOf(watched: Watched): Face {
  const { operation, label, snapshot, error, status } = watched
  if (operation === '') return { ...NOTHING, look: 'idle', label: label ?? '', state: 'No operation' }
  if (error && snapshot && !isTerminal(snapshot.state)) return faceOfLost(watched, snapshot, error)
  if (snapshot) return faceOfSnapshot(watched, snapshot)
  if (error) return faceOfUnknown(watched, error)
  const note = noteOf(status, false)
  return { ...NOTHING, look: 'loading', label: label ?? operation, state: 'Loading', spoken: 'loading', note }
}

/** What another may not see looks the same as what is not there. */
function isHidden({ code }: HoldfastError): boolean {
  return code === 'not_found' || code === 'permission_denied'
}

function faceOfUnknown({ operation, label }: Watched, error: HoldfastError): Face {
  const problem = isHidden(error) ? `There is no operation ${operation}, or it is not yours` : error.message
  const state = isHidden(error) ? 'Unknown operation' : 'Cannot be watched'
  return { ...NOTHING, look: 'unknown', label: label ?? operation, state, problem, announcement: problem }
}

/** The last that was known of it, which says so. */
function faceOfLost(watched: Watched, snapshot: OperationSnapshot, error: HoldfastError): Face {
  const problem = isHidden(error) ? 'The operation is gone, or not yours any more' : error.message
  const face = faceOfSnapshot(watched, snapshot)
  const lost = {
    look: 'unknown',
    state: 'Cannot be watched any more',
    item: '',
    message: '',
    note: '',
    mayCancel: false,
  } as const
  return { ...face, ...lost, problem, announcement: problem }
}

function faceOfSnapshot(watched: Watched, snapshot: OperationSnapshot): Face {
  const { progress, state, cancelRequested = false } = snapshot
  const ended = isTerminal(state)
  const value = valueOf(snapshot)
  return {
    look: state,
    label: watched.label ?? snapshot.label ?? snapshot.kind,
    state: stateText(snapshot, watched),
    percent: value === undefined ? '' : percentText(value),
    value,
    spoken: ended ? stateText(snapshot) : spokenProgress(progress),
    figures: figuresOf(snapshot),
    item: ended ? '' : (progress.item ?? ''),
    message: ended || progress.item ? '' : (progress.message ?? ''),
    result: state === 'completed' ? resultLines(snapshot.result) : [],
    // Where it is being cancelled all the same, only the answer was lost.
    problem: ended ? problemOf(snapshot) : cancelRequested ? '' : (watched.refusal?.message ?? ''),
    note: ended ? '' : noteOf(watched.status, true),
    mayCancel: !ended,
    isCancelling: cancelRequested,
    announcement: announcementOf(snapshot),
  }
}

function valueOf({ progress, state }: OperationSnapshot): number | undefined {
  if (state === 'completed') return 100
  return progress.percent ?? (isTerminal(state) ? 0 : undefined)
}

const STATES: Record<OperationSnapshot['state'], string> = {
  queued: 'Waits for a worker',
  running: 'Running',
  waiting: 'Waiting',
  stalled: 'Stalled',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
  expired: 'Expired',
}

function stateText(
  snapshot: OperationSnapshot,
  { silentSeconds, heardSeconds = 0 }: Pick<Watched, 'silentSeconds' | 'heardSeconds'> = {},
): string {
  const { state, elapsed, cancelRequested, attempt, progress } = snapshot
  if (isTerminal(state)) return `${STATES[state]} after ${durationText(elapsed)}`
  if (state === 'stalled') return silentText(silentSeconds)
  if (cancelRequested) return 'Cancelling'
  if (state !== 'running') return STATES[state]
  // Where nothing else moves, time does.
  const time = progress.percent === undefined ? ` for ${durationText(elapsed + heardSeconds)}` : ''
  return `${STATES.running}${time}${attempt > 1 ? `, attempt ${attempt}` : ''}`
}

function silentText(seconds: number | undefined): string {
  if (seconds === undefined) return 'Stalled: no word from the worker'
  return `Stalled: no word from the worker for ${durationText(Math.max(1, Math.floor(seconds)))}`
}

function figuresOf({ progress, rate, eta, state, cancelRequested, children }: OperationSnapshot): string[] {
  const ended = isTerminal(state)
  const moves = state === 'running' && !cancelRequested
  return [
    ended ? '' : phaseText(progress),
    doneText(progress),
    rate !== undefined && rate > 0 && moves ? rateText(rate, progress.unit) : '',
    eta && moves ? etaText(eta) : '',
    ...Object.entries(children ?? {}).map(([name, count]) => (count > 0 ? `${count} ${name}` : '')),
  ].filter(Boolean)
}

function problemOf({ state, error }: OperationSnapshot): string {
  if (state === 'expired') return error?.message ?? 'It took longer than it may'
  return state === 'failed' ? (error?.message ?? 'No reason was given') : ''
}

function noteOf(status: Status, isKnown: boolean): string {
  if (status === 'open') return ''
  const shown = isKnown ? '; this is the last that is known' : ''
  if (status === 'closed' || status === 'failed') return `Disconnected${shown}`
  return isKnown ? `Reconnecting${shown}` : 'Connecting'
}

/** Nothing of it changes with the percentage: who listens hears steps, not numbers. */
function announcementOf(snapshot: OperationSnapshot): string {
  const { state, progress, error } = snapshot
  if (state === 'failed') return `Failed: ${error?.message ?? 'no reason was given'}`
  if (isTerminal(state) || state === 'waiting' || state === 'queued') return STATES[state]
  if (state === 'stalled') return 'Stalled: no word from the worker'
  return snapshot.cancelRequested ? 'Cancelling' : phaseText(progress) || STATES[state]
}
