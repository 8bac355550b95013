import { type Infer, flag, integer, json, nullable, number, object, oneOf, optional, record, text } from './schema.js'

/** Every state of an operation. The last four are terminal. */
export const OPERATION_STATES = [
  'queued',
  'running',
  'waiting',
  'stalled',
  'completed',
  'failed',
  'cancelled',
  'expired',
] as const

/** A state of an operation. */
export type OperationState = (typeof OPERATION_STATES)[number]

/** The states that an operation never leaves. */
export const TERMINAL_STATES = ['completed', 'failed', 'cancelled', 'expired'] as const

/** A state that an operation never leaves. */
export type TerminalState = (typeof TERMINAL_STATES)[number]

/** Whether an operation in this state has ended. */
export function isTerminal(state: OperationState): state is TerminalState {
  return (TERMINAL_STATES as readonly string[]).includes(state)
}

/** The events of the channel `operation:{id}`; each carries the whole snapshot. */
export const OPERATION_EVENTS = [
  'started',
  'progress',
  'phase',
  'stalled',
  'resumed',
  'completed',
  'failed',
  'cancelled',
  'expired',
] as const

/** An event of the channel `operation:{id}`. */
export type OperationEvent = (typeof OPERATION_EVENTS)[number]

const time = text({ max: 32 })

const progress = object({
  /** Units done so far. */
  done: number(0),
  /** Units there are, when known. */
  total: optional(number(0)),
  /** What is counted: `files`, `rows`. */
  unit: optional(text({ max: 32 })),
  /** 0 to 100; absent while it cannot be known. Never falls within an attempt. */
  percent: optional(number(0)),
  /** The step that runs now; `index` counts from 1. */
  phase: optional(object({ name: text({ max: 128 }), index: integer(1), count: integer(1) })),
  message: optional(text({ max: 1024 })),
  /** What is being worked on. */
  item: optional(text({ max: 1024 })),
})

/** Everything a watcher needs to know of an operation, in one object. Durations are seconds, times ISO-8601 UTC. */
export const operationSnapshot = object({
  id: text({ min: 1, max: 128 }),
  kind: text({ min: 1, max: 64 }),
  label: optional(text({ max: 256 })),
  owner: text({ min: 1, max: 256 }),
  tenant: text({ min: 1, max: 128 }),
  state: oneOf(OPERATION_STATES),
  attempt: integer(1),
  /** Rises with every change; a snapshot whose version is not higher than one already seen is old. */
  version: integer(1),
  progress,
  /** Units per second, smoothed. */
  rate: optional(number(0)),
  /** Seconds of running time. */
  elapsed: number(0),
  /** Seconds to go, with a range. */
  eta: optional(object({ seconds: number(0), low: number(0), high: number(0) })),
  startedAt: optional(time),
  updatedAt: time,
  endedAt: optional(time),
  result: optional(json()),
  error: optional(object({ code: text({ max: 64 }), message: text({ max: 4096 }), retryable: flag() })),
  /** A cancel was requested; the worker has not ended yet. */
  cancelRequested: optional(flag()),
  parent: optional(text({ max: 128 })),
  children: optional(record(integer(0), 16)),
  metadata: optional(record(json(), 64)),
  expiresAt: optional(nullable(time)),
})

/** Everything a watcher needs to know of an operation. */
export type OperationSnapshot = Infer<typeof operationSnapshot>

/** How far an operation is. */
export type OperationProgress = Infer<typeof progress>
