import { type OperationSnapshot, operationSnapshot } from '@holdfast/protocol'
import { type Answer, json } from '../route.js'
import { entityTag } from './entity-tag.js'

/** A snapshot in the documents, under its name. */
export const SNAPSHOT_SCHEMA: Readonly<Record<string, unknown>> = {
  $ref: '#/$defs/OperationSnapshot',
  $defs: { OperationSnapshot: operationSnapshot.toJsonSchema() },
}

/** A snapshot as the documents show it. */
export const SNAPSHOT_EXAMPLE: OperationSnapshot = {
  id: 'import-42',
  kind: 'import',
  label: 'Nightly import',
  owner: 'ada',
  tenant: 'acme',
  state: 'running',
  attempt: 1,
  version: 7,
  progress: { done: 300, total: 1200, unit: 'rows', percent: 25 },
  rate: 98.4,
  elapsed: 3.1,
  eta: { seconds: 9.1, low: 8.2, high: 10.4 },
  startedAt: '2026-03-01T09:30:00.000Z',
  updatedAt: '2026-03-01T09:30:03.100Z',
}

const TAG = { ETag: 'Attempt and version of the snapshot: `"1.7"`' }

/** An answer with a snapshot, as the documents describe it. */
export function snapshotAnswer(description: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { description, schema: SNAPSHOT_SCHEMA, example: SNAPSHOT_EXAMPLE, headers: { ...TAG, ...headers } }
}

/** The answer with a snapshot. */
export function answer(
  status: 200 | 201 | 202,
  snapshot: OperationSnapshot,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return json(status, snapshot, { etag: entityTag(snapshot), ...headers })
}
