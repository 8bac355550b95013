import { type OperationSnapshot, describeIssue, operationSnapshot } from '@holdfast/protocol'
import { isUserName } from '../access/identity.js'
import { timestamp } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import { durationMs } from '../duration.js'
import { NOTHING_COUNTED } from './counted.js'
import type { OperationSpec } from './desk.js'
import { startMeter } from './meter.js'
import { plainCopy } from './operation.js'
import { beginProgress, readPlan, readWeight } from './progress.js'
import type { OperationRecord } from './record.js'
import { isOperationId } from './store.js'
import { checkWorker } from './word.js'

/** The shortest and the longest lease of a worker, in milliseconds. */
const LEASE_MS_MIN = 1_000
const LEASE_MS_MAX = 86_400_000

/** Users that an operation may be shared with, and phases that it may have. */
const SHARED_MAX = 1_000
const PHASES_MAX = 100

/** An id for an operation that has none: its kind, and what no other has. */
export function newOperationId(kind: string, chance: string): string {
  // What is no text is refused with the rest of the specification.
  const word = typeof (kind as unknown) === 'string' ? kind : ''
  return `${word.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 64)}-${chance}`
}

/** Why an operation does not begin under an id that another has. */
export function idInUse(id: string): HoldfastError {
  return new HoldfastError('bad_request', `id must be new, an operation ${JSON.stringify(id)} exists`)
}

/** The record that an operation begins with. @throws HoldfastError `bad_request` naming the member that is wrong; UnserialisableError for metadata. */
export function recordOf(
  tenant: string,
  id: string,
  spec: OperationSpec,
  {
    now,
    leaseMs,
    entry,
    stamp,
  }: {
    readonly now: number
    readonly leaseMs: number
    readonly entry?: string | undefined
    /** By which whoever begins it recognises that. */
    readonly stamp: string
  },
): OperationRecord {
  checkSpec(id, spec)
  checkWorker({ ...(entry !== undefined && { entry }) })
  const { queued = false, kind, label, owner, metadata, parent, total, unit } = spec
  const plan = readPlan(spec.phases ?? [])
  const start = { ...(total !== undefined && { total }), ...(unit !== undefined && unit !== '' && { unit }) }
  const lease = spec.lease === undefined ? leaseMs : readLease(spec.lease)
  const expiresAt = spec.expireAfter === undefined ? undefined : now + readDuration('expireAfter', spec.expireAfter)
  const snapshot: OperationSnapshot = {
    id,
    kind,
    ...(label !== undefined && { label }),
    owner,
    tenant,
    state: queued ? 'queued' : 'running',
    attempt: 1,
    version: 1,
    progress: { done: 0 },
    elapsed: 0,
    ...(!queued && { startedAt: timestamp(now) }),
    updatedAt: timestamp(now),
    ...(parent !== undefined && { parent }),
    ...(metadata && { metadata: plainCopy(metadata) as Record<string, unknown> }),
    ...(expiresAt !== undefined && { expiresAt: timestamp(expiresAt) }),
  }
  const issue = operationSnapshot.check(snapshot, '')
  if (issue) throw new HoldfastError('bad_request', describeIssue(issue))
  return {
    snapshot,
    sharedWith: [...new Set(spec.sharedWith ?? [])],
    work: {
      plan,
      start,
      progress: beginProgress(plan, start),
      overall: startMeter(0),
      units: startMeter(0),
      ranMs: 0,
      runsSince: queued ? undefined : now,
      leaseMs: lease,
      leaseUntil: queued ? undefined : now + lease,
      lapsedAt: undefined,
      isAdrift: false,
      idleSince: queued ? now : undefined,
      isWaiting: false,
      expiresAt,
      sequence: undefined,
      counted: NOTHING_COUNTED,
      named: [],
      entry,
      worker: undefined,
      weight: readWeight('weight', spec.weight),
      children: undefined,
      createdAt: now,
      parentSince: undefined,
      stamps: [stamp],
      unstored: 0,
    },
  }
}

function checkSpec(id: string, { kind, owner, phases = [], sharedWith = [], parent }: OperationSpec): void {
  if (!isOperationId(id))
    throw new HoldfastError(
      'bad_request',
      `id must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = -, received ${JSON.stringify(id)}`,
    )
  if (typeof kind !== 'string' || kind.length < 1 || kind.length > 64)
    throw new HoldfastError('bad_request', 'kind must be 1 to 64 characters')
  if (!isUserName(owner)) throw new HoldfastError('bad_request', 'owner must be the name of a user')
  if (sharedWith.length > SHARED_MAX || !sharedWith.every(isUserName))
    throw new HoldfastError('bad_request', `sharedWith must be the names of at most ${SHARED_MAX} users`)
  if (phases.length > PHASES_MAX) throw new HoldfastError('bad_request', `phases must be at most ${PHASES_MAX}`)
  if (phases.some(({ name }) => typeof name !== 'string' || name === ''))
    throw new HoldfastError('bad_request', 'phases.name must be a name')
  if (parent !== undefined && (!isOperationId(parent) || parent === id))
    throw new HoldfastError('bad_request', 'parent must be the id of another operation')
}

function readLease(lease: number | string): number {
  const ms = readDuration('lease', lease)
  if (ms >= LEASE_MS_MIN && ms <= LEASE_MS_MAX) return ms
  throw new HoldfastError('bad_request', `lease must be from 1s to 1d, received ${JSON.stringify(lease)}`)
}

function readDuration(name: string, value: number | string): number {
  const ms = durationMs(value)
  if (ms !== undefined && ms >= 1 && ms <= 366 * 86_400_000) return ms
  const expected = 'milliseconds or text such as 30s, 5m, 1h or 7d, and at most 366d'
  throw new HoldfastError('bad_request', `${name} must be ${expected}, received ${JSON.stringify(value)}`)
}
