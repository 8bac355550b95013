import { type OperationSnapshot, type OperationState, isTerminal } from '@holdfast/protocol'
import * as z from 'zod'
import { HoldfastError } from '../../core/errors.js'
import type { OperationQuery } from '../../operations/desk.js'
import { type Call, type Route, json, route } from '../route.js'
import { operationId, stateList, wholeNumber } from './bodies.js'
import { entityTag, readTags } from './entity-tag.js'
import { type Asking, watched } from './rights.js'
import { SNAPSHOT_EXAMPLE, SNAPSHOT_SCHEMA, answer, snapshotAnswer } from './snapshot-answer.js'

const LIMIT_MAX = 100
const LIMIT = 50
const WAIT_SECONDS_MAX = 60

/** How often a request that waits looks whether its bearer is still good, and the node still there for it. */
const LOOK_MS = 1_000

const listQuery = z.strictObject({
  owner: z
    .string()
    .min(1)
    .max(128)
    .exactOptional()
    .describe('Those of this user; default: all that the bearer may see'),
  state: stateList.exactOptional().describe('Those in one of these states: `running,waiting`'),
  kind: z.string().min(1).max(64).exactOptional(),
  parent: operationId.exactOptional().describe('Those that are a part of this one'),
  limit: wholeNumber(1, LIMIT_MAX).exactOptional().describe(`Default ${LIMIT}`),
  cursor: z.string().min(1).max(512).exactOptional().describe('The `next` of the page before'),
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
    'Those of the bearer; with the permission `operations` those of everybody. A page may be short, or empty, and still have a `next`.',
  counts: 'read',
  query: listQuery,
  answers: { 200: { description: 'A page', schema: LIST_SCHEMA, example: { items: [SNAPSHOT_EXAMPLE] } } },
  async handle(call) {
    const { state, owner, parent, ...rest } = call.query
    const asked: OperationQuery = {
      limit: LIMIT,
      ...rest,
      ...(parent !== undefined && { parent }),
      ...ownerOf(call, owner),
      ...(state !== undefined && { states: state.split(',') as OperationState[] }),
    }
    if (parent !== undefined && !(await isVisible(call, parent))) return json(200, { items: [] })
    const { operations, next } = await call.node.operations.list(call.bearer.identity.tenant, asked)
    return json(200, { items: operations, ...(next !== undefined && { next }) })
  },
})

/** Whoever may not see everything asks for its own alone: a page of others that is empty, but not the last, would say that there are some. */
function ownerOf({ bearer }: Asking, owner: string | undefined): { readonly owner?: string } {
  if (bearer.has('operations')) return owner === undefined ? {} : { owner }
  const { user } = bearer.identity
  if (owner === undefined || owner === user) return { owner: user }
  throw new HoldfastError('permission_denied', 'listing operations of others takes the permission operations')
}

async function isVisible(call: Asking, id: string): Promise<boolean> {
  if (call.bearer.has('operations')) return true
  const seen = watched(call, id).then(
    () => true,
    (error: unknown) => {
      if (error instanceof HoldfastError && error.code === 'not_found') return false
      throw error
    },
  )
  return seen
}

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
  first: OperationSnapshot,
  { until, seconds }: { readonly until: number | 'end'; readonly seconds: number },
): Promise<OperationSnapshot> {
  const { node, bearer, signal } = call
  const { clock, admission } = node.services
  const end = clock.now() + seconds * 1_000
  for (let snapshot = first; ;) {
    const timeoutMs = Math.min(LOOK_MS, end - clock.now())
    if (timeoutMs <= 0 || signal.aborted || !admission.isOpen) return snapshot
    const changed = await node.operations.changed(first.tenant, first.id, { version: until, timeoutMs, signal })
    if (!bearer.isOpen) throw new HoldfastError('unauthenticated', 'The token has expired, or was withdrawn')
    if (changed === undefined) throw new HoldfastError('not_found', 'this operation is not kept any more')
    snapshot = changed
    const isReached = until !== 'end' && snapshot.version > until
    if (isReached || isTerminal(snapshot.state)) return snapshot
  }
}

/** What watchers ask. */
export const READING_ROUTES: readonly Route[] = [list, get]
