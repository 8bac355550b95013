import type { Clock } from '../clock.js'
import type { Engine } from '../engine/engine.js'
import { Operations, type OperationsOptions } from '../operations/operations.js'
import { systemRandom } from '../random.js'
import { type InterruptedEngine, interruptedEngine } from './interrupted-engine.js'

/** The operations of one node on an engine that it shares with others, and what went wrong there. */
export interface OperationsNode {
  readonly operations: Operations
  readonly errors: unknown[]
}

/** Opens the operations of a node that hears of cancels through nobody: its workers read of them. */
export function openOperations(engine: Engine, clock: Clock, options: Partial<OperationsOptions> = {}): OperationsNode {
  const errors: unknown[] = []
  const operations = new Operations({
    engine,
    clock,
    random: systemRandom,
    node: systemRandom.id(6),
    retention: { runningMs: 3_600_000, completedMs: 3_600_000, failedMs: 3_600_000 },
    bytesMax: 65_536,
    conflateMs: 200,
    leaseMs: 30_000,
    childrenMax: 1_000,
    feedRetention: { size: 100, ttlMs: 3_600_000 },
    onCancelAsked: () => undefined,
    onError: (error) => void errors.push(error),
    ...options,
  })
  operations.open()
  return { operations, errors }
}

/** The operations of a node whose link to its engine can be cut: one whose link is cut for ever is dead. */
export interface LinkedOperations extends Omit<InterruptedEngine, 'engine'> {
  readonly desk: Operations
  readonly errors: unknown[]
}

/** Opens the operations of a node behind a link of its own. */
export function openLinkedOperations(
  engine: Engine,
  clock: Clock,
  options: Partial<OperationsOptions> = {},
): LinkedOperations {
  const { engine: linked, cut, heal } = interruptedEngine(engine)
  const { operations, errors } = openOperations(linked, clock, options)
  return { desk: operations, errors, cut, heal }
}
