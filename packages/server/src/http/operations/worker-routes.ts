import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import * as z from 'zod'
import type { AuditEvent } from '../../telemetry/audit.js'
import { HoldfastError } from '../../core/errors.js'
import type { OperationReport } from '../../operations/desk.js'
import { newOperationId } from '../../operations/spec.js'
import { operationChannel } from '../../operations/store.js'
import { ApiRefusal } from '../api-error.js'
import { onceId, onceName } from '../once-id.js'
import { type Call, type Route, route } from '../route.js'
import { bareWord, completion, failure, newAttempt, newOperation, nothing, operationId, report } from './bodies.js'
import { entityTag, readTags } from './entity-tag.js'
import { checkOwner, mayReport, watched, worked } from './rights.js'
import { answer, snapshotAnswer } from './snapshot-answer.js'

const one = z.strictObject({ operation: operationId })

function note(call: Pick<Call, 'node' | 'bearer'>, event: AuditEvent, { id, state }: OperationSnapshot): void {
  const { tenant, user } = call.bearer.identity
  const { id: connection, address } = call.bearer
  const about = { tenant, user, connection, address, channel: operationChannel(id), action: 'http' }
  call.node.services.audit.record(event, { ...about, reason: state })
}

const start = route({
  method: 'POST',
  path: '/operations',
  id: 'startOperation',
  tag: 'operations',
  summary: 'Begin an operation',
  description:
    'It runs from now on, as attempt 1, unless `queued` says that it waits for a worker. The id may be chosen, so that watchers know it before. Needs the permission `operations`, or `operations.own` for operations of the bearer.',
  body: newOperation,
  example: { id: 'import-42', kind: 'import', label: 'Nightly import', total: 1200, unit: 'rows' },
  answers: { 201: snapshotAnswer('It has begun', { Location: 'Where the operation is' }) },
  errors: ['limit_exceeded'],
  async handle(call) {
    const { node, bearer, body } = call
    const owner = body.owner ?? bearer.identity.user
    checkOwner(call, owner)
    if (body.parent !== undefined) await worked(call, body.parent)
    const id = body.id ?? (await idOf(call))
    const begun = body.id === undefined && id !== undefined && (await node.operations.find(bearer.identity.tenant, id))
    if (begun && begun.owner === owner) return answer(201, begun, { location: addressOf(begun) })
    const spec = { ...body, owner, ...(id !== undefined && { id }) }
    const snapshot = await node.operations.create(bearer.identity.tenant, spec)
    note(call, 'operation.started', snapshot)
    return answer(201, snapshot, { location: addressOf(snapshot) })
  },
})

/** A request that is made again because its node died over it, or could not say whether it was done, begins the same operation. */
async function idOf(call: Call<unknown, unknown, Pick<OperationSnapshot, 'kind'>>): Promise<string | undefined> {
  const { node, bearer, body } = call
  const madeAt = (chance: string): Promise<number | undefined> =>
    node.operations.createdAt(bearer.identity.tenant, newOperationId(body.kind, chance))
  const chance = await onceId(call, `start ${JSON.stringify(body)}`, madeAt)
  return chance === undefined ? undefined : newOperationId(body.kind, chance)
}

function addressOf({ id }: OperationSnapshot): string {
  return `/api/v1/operations/${encodeURIComponent(id)}`
}

const tell = route({
  method: 'PATCH',
  path: '/operations/{operation}',
  id: 'reportOperation',
  tag: 'operations',
  summary: 'Report progress',
  description:
    'Members left out stay as they are. The answer is what watchers see, or are about to see: `cancelRequested` says that the worker should stop. Watchers get five updates a second, however often this is called.',
  params: one,
  body: report,
  headers: { 'If-Match': 'The tag of the snapshot that is meant: of another one nothing is reported' },
  example: { done: 300, message: 'Reading customers' },
  answers: {
    200: snapshotAnswer('It was taken'),
    412: {
      description: 'The operation is not the one of `If-Match`: `precondition_failed`',
      schema: { $ref: '#/components/schemas/Error' },
    },
  },
  errors: ['already_ended', 'stale_report', 'limit_exceeded'],
  async handle(call) {
    const { node, bearer, params } = call
    const body = namedReport(call)
    const { tenant } = bearer.identity
    const header = call.headers.get('if-match')
    // Any will do: it is there, or this is not found.
    const tags = header?.trim() === '*' ? undefined : readTags(header)
    await mayReport(call, params.operation)
    if (tags === undefined) return answer(200, await node.operations.report(tenant, params.operation, body))
    const isMeant = (stored: OperationSnapshot): boolean => tags.include(stored)
    try {
      return answer(200, await node.operations.report(tenant, params.operation, body, { isMeant }))
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'stale_report') throw error
      const now = await worked(call, params.operation)
      throw (body.attempt ?? now.attempt) < now.attempt ? error : anotherState(now)
    }
  },
})

/** What adds up is counted once under its key, also where its node died over it. Whatever else a report says may be said again. */
function namedReport(call: Call<{ readonly operation: string }, unknown, OperationReport>): OperationReport {
  const { body, params } = call
  if (body.advance === undefined || body.sequence !== undefined) return body
  const key = onceName(call, `report ${params.operation} ${JSON.stringify(body)}`)
  return key === undefined ? body : { ...body, key }
}

function anotherState(snapshot: OperationSnapshot): ApiRefusal {
  return new ApiRefusal('precondition_failed', `the operation is at ${entityTag(snapshot)}`, {
    status: 412,
    field: 'If-Match',
    headers: { etag: entityTag(snapshot) },
  })
}

const attempt = route({
  method: 'POST',
  path: '/operations/{operation}/attempts',
  id: 'takeOperation',
  tag: 'operations',
  summary: 'Take an operation as its worker',
  description:
    'Begins the next attempt of an operation that is queued or stalled. `force` takes it from a worker that has it. The answer names the `attempt`; reports that carry it are refused once another worker has taken over. A `worker` that has it already, and lost the answer, gets the same attempt again.',
  params: one,
  body: newAttempt,
  example: {},
  answers: { 201: snapshotAnswer('The operation is yours') },
  errors: ['already_held', 'already_ended'],
  async handle(call) {
    const { node, bearer, params, body } = call
    await mayReport(call, params.operation)
    // Under its key the same request is by the same worker.
    const key = onceName(call, `take ${params.operation} ${JSON.stringify(body)}`)
    const options = { ...(key !== undefined && { worker: `request ${key}` }), ...body }
    const snapshot = await node.operations.attempt(bearer.identity.tenant, params.operation, options)
    note(call, 'operation.taken', snapshot)
    return answer(201, snapshot)
  },
})

const heartbeat = route({
  method: 'POST',
  path: '/operations/{operation}/heartbeat',
  id: 'keepOperation',
  tag: 'operations',
  summary: 'Say that the worker lives, and has nothing to report',
  params: one,
  body: bareWord,
  example: {},
  answers: { 200: snapshotAnswer('It was heard') },
  errors: ['already_ended', 'stale_report'],
  async handle(call) {
    const { node, bearer, params, body } = call
    await mayReport(call, params.operation)
    return answer(200, await node.operations.heartbeat(bearer.identity.tenant, params.operation, body))
  },
})

const complete = route({
  method: 'POST',
  path: '/operations/{operation}/complete',
  id: 'completeOperation',
  tag: 'operations',
  summary: 'End an operation: the work is done',
  description: 'Stored and told when this is answered. The same end again is accepted, another is `already_ended`.',
  params: one,
  body: completion,
  example: { result: { rows: 1200 } },
  answers: { 200: snapshotAnswer('It has ended') },
  errors: ['already_ended', 'stale_report', 'children_running', 'limit_exceeded'],
  async handle(call) {
    const { result, ...rest } = call.body
    return end(call, { ...rest, ...(result !== undefined && { result }), state: 'completed' })
  },
})

const fail = route({
  method: 'POST',
  path: '/operations/{operation}/fail',
  id: 'failOperation',
  tag: 'operations',
  summary: 'End an operation: the work could not be done',
  params: one,
  body: failure,
  example: { error: { code: 'no_file', message: 'customers.csv is not there', retryable: true } },
  answers: { 200: snapshotAnswer('It has ended') },
  errors: ['already_ended', 'stale_report'],
  handle: (call) => end(call, { ...call.body, state: 'failed' }),
})

const cancelled = route({
  method: 'POST',
  path: '/operations/{operation}/cancelled',
  id: 'endCancelledOperation',
  tag: 'operations',
  summary: 'End an operation: the worker has stopped because it was asked to',
  params: one,
  body: bareWord,
  example: {},
  answers: { 200: snapshotAnswer('It has ended') },
  errors: ['already_ended', 'stale_report'],
  handle: (call) => end(call, { ...call.body, state: 'cancelled' }),
})

type Ending = Parameters<Call['node']['operations']['end']>[2]

async function end(call: Call<{ readonly operation: string }>, ending: Ending): Promise<Response> {
  const { node, bearer, params } = call
  const before = await worked(call, params.operation)
  const snapshot = await node.operations.end(bearer.identity.tenant, params.operation, ending)
  if (!isTerminal(before.state)) note(call, 'operation.ended', snapshot)
  return answer(200, snapshot)
}

const cancel = route({
  method: 'POST',
  path: '/operations/{operation}/cancel',
  id: 'cancelOperation',
  tag: 'operations',
  summary: 'Ask the worker of an operation to stop',
  description:
    'Whoever may watch it may ask. The worker hears of it with its next report and ends the operation, as cancelled or otherwise; one that nobody works on is cancelled at once.',
  params: one,
  body: nothing,
  example: {},
  answers: { 202: snapshotAnswer('The worker is asked') },
  errors: ['already_ended'],
  async handle(call) {
    const { node, bearer, params } = call
    await watched(call, params.operation)
    const snapshot = await node.operations.cancel(bearer.identity.tenant, params.operation)
    note(call, 'operation.cancelled', snapshot)
    return answer(202, snapshot)
  },
})

/** What workers do. */
export const WORKER_ROUTES: readonly Route[] = [start, tell, attempt, heartbeat, complete, fail, cancelled, cancel]
