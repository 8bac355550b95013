import type { OperationSpec } from '@holdfast/server'
import type { Comparison, Run, Schedule } from '../store/store.js'
import { LEASE_MS } from './run-queue.js'

/** The steps of every run, and how much of its time each takes. */
const PHASES = [
  { name: 'loading', weight: 1 },
  { name: 'validating', weight: 1 },
  { name: 'planning', weight: 90 },
  { name: 'checking', weight: 4 },
  { name: 'saving', weight: 4 },
] as const

/** After so long without a word watchers are told that nobody plans: well before another server takes the run up. */
const SILENCE_MS = LEASE_MS * 0.4

/** A step of a run. */
export type PhaseName = (typeof PHASES)[number]['name']

/** Kinds of operations that this program begins. */
export const OPERATION_KINDS = ['schedule', 'comparison', 'contender'] as const

/** The operation of a schedule: it has the schedule's id, and waits for a runner. */
export function scheduleSpec({
  id,
  userId,
  name,
  input,
}: Pick<Schedule, 'id' | 'userId' | 'name' | 'input'>): OperationSpec {
  return {
    id,
    kind: 'schedule',
    owner: userId,
    label: name,
    unit: 'lots',
    total: input.lots.length,
    phases: PHASES,
    lease: SILENCE_MS,
    queued: true,
  }
}

/** The operation of a comparison: as far as those of its strategies are. It has no worker of its own that could fall silent. */
export function comparisonSpec({ id, userId, name }: Pick<Comparison, 'id' | 'userId' | 'name'>): OperationSpec {
  return { id, kind: 'comparison', owner: userId, label: name, lease: '1d', queued: true }
}

/** The operation of one strategy of a comparison. */
export function contenderSpec({ id, userId, comparisonId, strategy, input }: Omit<Run, 'attempt'>): OperationSpec {
  return {
    id,
    kind: 'contender',
    owner: userId,
    label: strategy,
    unit: 'lots',
    total: input.lots.length,
    phases: PHASES,
    lease: SILENCE_MS,
    queued: true,
    ...(comparisonId !== undefined && { parent: comparisonId }),
  }
}
