import { type OperationState, isTerminal } from '@holdfast/protocol'

const NEXT: Readonly<Record<OperationState, readonly OperationState[]>> = {
  queued: ['running', 'failed', 'cancelled', 'expired'],
  running: ['waiting', 'stalled', 'completed', 'failed', 'cancelled', 'expired'],
  waiting: ['running', 'stalled', 'completed', 'failed', 'cancelled', 'expired'],
  stalled: ['running', 'completed', 'failed', 'cancelled', 'expired'],
  completed: [],
  failed: [],
  cancelled: [],
  expired: [],
}

/** Whether an operation may go from one state to another. Nothing leaves a terminal state. */
export function mayBecome(from: OperationState, to: OperationState): boolean {
  return (from === to && !isTerminal(from)) || NEXT[from].includes(to)
}
