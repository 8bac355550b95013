import { type OperationSnapshot, type OperationState, isTerminal } from '@holdfast/protocol'
import * as z from 'zod'
import { HoldfastError } from '../../core/errors.js'
import type { OperationQuery } from '../../operations/desk.js'
import { cursorOf, nameOf } from '../page-cursor.js'
import { type Call, type Route, json, route } from '../route.js'
import { wholeNumber } from '../whole-number.js'
import { operationId, stateList } from './bodies.js'
import { entityTag, readTags } from './entity-tag.js'
import { watched } from './rights.js'
import { SNAPSHOT_EXAMPLE, SNAPSHOT_SCHEMA, answer, snapshotAnswer } from './snapshot-answer.js'

const LIMIT_MAX = 100
const LIMIT = 50
const WAIT_SECONDS_MAX = 60

/** How often a request that waits looks whether its bearer is still good, and the node still there for it. */
const LOOK_MS = 1_000

const listQuery = z.strictObject({
  owner: z.string().min(1).max(128).exactOptional().describe('Those of this user'),
  state: stateList.exactOptional().describe('Those in one of these states: `running,waiting`'),
  kind: z.string().min(1).max(64).exactOptional(),
  parent: operationId.exactOptional().describe('Those that are a part of this one'),
  limit: wholeNumber(1, LIMIT_MAX).exactOptional().describe(`Default ${LIMIT}`),
  cursor: z.string().min(1).max(1_024).exactOptional().describe('The `next` of the page before'),
})

const LIST_SCHEMA = {
  type: 'object',
  properties: {
    items: { type: 'array', items: { $ref: '#/$defs/OperationSnapshot' } },
    next: { type: 'string', description: 'There is more: ask again with it as `cursor`' },
  },
  required: ['items'],
  $defs: SNAPSHOT_SCHEMA['$defs'],
}

const list = route({
  method: 'GET',
  path: '/operations',
  id: 'listOperations',
  tag: 'operations',
  summary: 'List operations, newest first',
  description:
    'Those that the bearer owns, or that are shared with it; with the permission `operations` those of everybody. A page may be short, or empty, and still have a `next`.',
  counts: 'read',
  query: listQuery,
  answers: { 200: { description: 'A page', schema: LIST_SCHEMA, example: { items: [SNAPSHOT_EXAMPLE] } } },
  async handle({ node, bearer, query }) {
    const { tenant, user } = bearer.identity
    const { state, cursor, limit = LIMIT, ...filters } = query
    const visible = bearer.has('operations') ? {} : { visibleTo: user }
    const list = ['operations', tenant, JSON.stringify([visible, state, filters.owner, filters.kind, filters.parent])]
    const after = nameOf(list, cursor)
    const asked: OperationQuery = {
      limit,
      ...filters,
      ...visible,
      ...(after !== '' && { cursor: after }),
      ...(state !== undefined && { states: state.split(',') as OperationState[] }),
    }
    const { operations, next } = await node.operations.list(tenant, asked)
    return json(200, { items: operations, ...(next !== undefined && { next: cursorOf(list, next) }) })
  },
})

const get = route({
  method: 'GET',
  path: '/operations/{operation}',
  id: 'getOperation',
  tag: 'operations',
  summary: 'Read an operation, or wait for it',
  description:
    'With `wait` the answer comes when the operation differs from `If-None-Match`, or, without that header, when it has ended; after so many seconds in any case, as it is then.',
  counts: 'read',
  params: z.strictObject({ operation: operationId }),
  query: z.strictObject({
    wait: wholeNumber(1, WAIT_SECONDS_MAX).exactOptional().describe('Seconds to wait at most'),
  }),
  headers: { 'If-None-Match': 'The tag of the snapshot that the reader has' },
  answers: {
    200: snapshotAnswer('The operation'),
    304: { description: 'It is the one of `If-None-Match`', headers: { ETag: 'Attempt and version of the snapshot' } },
  },
  async handle(call) {
    const { headers, query, params } = call
    const tags = readTags(headers.get('if-none-match'))
    const first = await watched(call, params.operation)
    const isKnown = tags?.include(first) ?? !isTerminal(first.state)
    const { wait = 0 } = query
    const waits = wait > 0 && isKnown
    const until = tags === undefined ? 'end' : first.version
    const snapshot = waits
      ? await call.node.waiting.hold(call.bearer, () => awaited(call, first, { until, seconds: wait }))
      : first
    if (tags?.include(snapshot)) return new Response(null, { status: 304, headers: { etag: entityTag(snapshot) } })
    return answer(200, snapshot)
  },
})

/** The operation when what is waited for has come, or the time is over, or the node is: then the next request finds another. */
async function awaited(
  call: Call,
  { tenant, id }: OperationSnapshot,
  { until, seconds }: { readonly until: number | 'end'; readonly seconds: number },
): Promise<OperationSnapshot> {
  const { node, bearer, signal } = call
  const { clock, admission } = node.services
  const stop = new AbortController()
  const leave = (): void => stop.abort()
  signal.addEventListener('abort', leave, { once: true })
  const look = clock.every(LOOK_MS, () => (admission.isOpen && bearer.isOpen && !signal.aborted ? undefined : leave()))
  try {
    const wait = { version: until, timeoutMs: seconds * 1_000, signal: stop.signal }
    const snapshot = await node.operations.changed(tenant, id, wait)
    if (!bearer.isOpen) throw new HoldfastError('unauthenticated', 'The token has expired, or was withdrawn')
    if (snapshot === undefined) throw new HoldfastError('not_found', 'this operation is not kept any more')
    // What was allowed a minute ago may be over, and under this id there may be another.
    return await watched(call, id)
  } finally {
    look()
    signal.removeEventListener('abort', leave)
  }
}

/** What watchers ask. */
export const READING_ROUTES: readonly Route[] = [list, get]
