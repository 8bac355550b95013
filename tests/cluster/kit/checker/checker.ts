import type { Stamped } from '../facts.js'
import { Logs } from './logs.js'
import { OperationsSeen } from './operations.js'
import { PresenceSeen } from './presence-seen.js'
import { Publishes } from './publishes.js'
import { Readers } from './readers.js'
import { type Violation, Violations } from './violation.js'

/** What a history amounts to. */
export interface Verdict {
  readonly figures: Readonly<Record<string, number>>
  /** In words, the first few hundred. */
  readonly violations: readonly Violation[]
  /** All of them. */
  readonly violationCount: number
}

/** Reads a history from its beginning: all of it, or at least the facts of these kinds. */
export type ReadHistory = (...kinds: Stamped['t'][]) => Iterable<Stamped>

/** Judges a history from the facts alone: I1 to I9, I11, I12. Several passes, so that the order between processes does not matter. */
export function check(history: ReadHistory): Verdict {
  const violations = new Violations()
  const logs = new Logs(violations)
  const publishes = new Publishes(violations)
  const readers = new Readers(violations, logs)
  const others = [new OperationsSeen(violations), new PresenceSeen(violations)] as const
  // What was begun, before anybody speaks of it; then what was acknowledged, before what nodes read at the end.
  for (const fact of history('invoke')) if (fact.t === 'invoke') for (const one of [logs, publishes]) one.take(fact)
  for (const fact of history('ok')) if (fact.t === 'ok') for (const one of [logs, publishes]) one.take(fact)
  let faults = 0
  for (const fact of history()) {
    if (fact.t !== 'invoke' && fact.t !== 'ok') for (const one of [logs, publishes, readers, ...others]) one.take(fact)
    if (fact.t === 'fault' && fact.phase === 'begin') faults += 1
    if (fact.t === 'exit' && !fact.expected) violations.add('I12', `${fact.process} ended: ${fact.status}`)
  }
  for (const one of [publishes, readers, ...others]) one.end()
  return {
    figures: {
      publishes: publishes.begun,
      acknowledged: publishes.count('ok'),
      refused: publishes.count('fail'),
      unknown: publishes.count('info'),
      readers: readers.size,
      deliveries: readers.deliveries,
      lost: readers.lost,
      duplicated: readers.duplicated + violations.count('I6'),
      'out of order': readers.misordered,
      'silent gaps': readers.silentGaps,
      'signalled gaps': readers.signalledGaps,
      'contradictory places': violations.count('I4'),
      'stored again after a loss': publishes.again,
      faults,
      operations: others[0].begun,
    },
    violations: violations.listed,
    violationCount: violations.count(),
  }
}

/** A verdict as text, for people. */
export function describe({ figures, violations, violationCount }: Verdict): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  const lines = Object.entries(figures).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
  const words = violations.map(({ invariant, what }) => `  ${invariant}  ${what}`)
  const more = violationCount > violations.length ? [`  and ${violationCount - violations.length} more`] : []
  const head = violationCount === 0 ? 'no violation' : `${violationCount} violations`
  return [...lines, head, ...words, ...more].join('\n')
}
