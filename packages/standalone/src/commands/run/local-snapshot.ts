import type { OperationSnapshot } from '@holdfast/protocol'
import type { ServerAccess } from '../server-access.js'
import type { Reading } from './output-progress.js'
import type { RunSpec } from './reporter.js'

/** What is known of a run without the server. */
export interface LocalFacts {
  readonly spec: RunSpec
  readonly access: Pick<ServerAccess, 'tenant' | 'user'>
  readonly state: OperationSnapshot['state']
  readonly reading: Reading
  /** Seconds since it began. */
  readonly seconds: number
  /** What the server said last. */
  readonly last: OperationSnapshot | undefined
}

/** A snapshot for the bar while the server cannot be asked for one: no rate and no estimate, which are its to make. */
export function localSnapshot({ spec, access, state, reading, seconds, last }: LocalFacts): OperationSnapshot {
  const { label, owner = access.user } = spec as { label?: string; owner?: string }
  const { phase: _phase, ...counted } = reading
  const progress = { ...last?.progress, ...counted, done: reading.done ?? last?.progress.done ?? 0 }
  const percent = state === 'completed' ? 100 : percentOf(progress, reading)
  return {
    id: spec.id,
    kind: String(spec['kind']),
    ...(label !== undefined && { label }),
    owner,
    tenant: access.tenant,
    attempt: 1,
    version: 1,
    updatedAt: '',
    state,
    elapsed: seconds,
    progress: { ...progress, ...(percent !== undefined && { percent }) },
  }
}

function percentOf(
  { done, total, percent }: { done: number; total?: number; percent?: number },
  reading: Reading,
): number | undefined {
  if (reading.percent !== undefined) return reading.percent
  return total === undefined || total === 0 ? percent : Math.min((100 * done) / total, 100)
}
