import * as z from 'zod'
import { ApiRefusal } from '../api-error.js'
import { directRoute } from '../event-stream/direct-route.js'
import { STREAM, answerOf, token, visitOf } from '../event-stream/stream-answer.js'
import type { Route } from '../route.js'
import { operationId } from './bodies.js'

/** The events of one operation. */
export const OPERATION_EVENTS_ROUTE: Route = directRoute({
  method: 'GET',
  path: '/operations/{operation}/events',
  id: 'streamOperation',
  tag: 'operations',
  summary: 'Follow an operation by server-sent events',
  description:
    'Each event is called as on the channel of the operation, `progress` or `completed` say, has the snapshot as its data and the version as its `id`. The first tells how things stand; after the last of the operation the stream ends. A reader that comes back with `Last-Event-ID` is told what is newer.',
  params: z.strictObject({ operation: operationId }),
  query: z.strictObject({ token }),
  headers: { 'Last-Event-ID': 'The `id` of the last event that the reader has' },
  answers: { 200: STREAM, 204: { description: 'It has ended, and the reader knows how: do not come back' } },
  errors: ['not_found', 'limit_exceeded'],
  async handle(call) {
    const { operation } = call.params
    return answerOf(
      await call.node.eventStreams.operation(visitOf(call), { operation, after: versionIn(call.request) }),
    )
  },
})

function versionIn({ headers }: Request): number {
  const last = headers.get('last-event-id') ?? ''
  if (last === '') return 0
  if (/^[1-9]\d{0,14}$/.test(last)) return Number(last)
  throw new ApiRefusal('bad_request', 'Last-Event-ID must be the id of an event of this stream', {
    field: 'Last-Event-ID',
  })
}
