import { CHANNEL_NAME_PATTERN, type Since } from '@holdfast/protocol'
import * as z from 'zod'
import { HoldfastError } from '../../core/errors.js'
import { ApiRefusal } from '../api-error.js'
import { type Route, empty } from '../route.js'
import { directRoute } from './direct-route.js'
import { readPosition, readSince } from './position-text.js'
import { readFrames } from './post-body.js'
import { STREAM, answerOf, token, visitOf } from './stream-answer.js'

/** Of a body of frames: one of any size that is allowed has room in it. */
const FRAMES_BYTES = 65_536

const PAST = 'Nothing comes any more, such as of an operation that has ended: do not come back'

/** Event streams: of one channel, and as a way for the whole protocol where a WebSocket cannot be had. */
export const EVENT_STREAM_ROUTES: readonly Route[] = [
  directRoute({
    method: 'GET',
    path: '/channels/{channel}/events',
    id: 'streamChannel',
    tag: 'channels',
    summary: 'Follow a channel by server-sent events',
    description:
      'A connection that listens to one channel. Events are named after the messages of the protocol: `subscribed` comes first and says what was recovered, `message` carries its position as `id`, which a browser sends as `Last-Event-ID` when it comes back.',
    params: z.strictObject({ channel: z.string().regex(CHANNEL_NAME_PATTERN) }),
    query: z.strictObject({
      since: z.string().max(128).optional().describe('Where to start: a position, or `newest:N`; `Last-Event-ID` wins'),
      presence: z.enum(['true', 'false']).optional().describe('Whether to be a member, and be told of others'),
      token,
    }),
    headers: { 'Last-Event-ID': 'The `id` of the last event that the reader has: its position' },
    answers: { 200: STREAM, 204: { description: PAST } },
    errors: ['invalid_channel', 'not_found', 'limit_exceeded', 'recovery_overflow'],
    async handle(call) {
      const { channel } = call.params
      const { presence, since } = call.query
      const question = { channel, presence: presence === 'true', since: startOf(call.request, since) }
      return answerOf(await call.node.eventStreams.channel(visitOf(call), question))
    },
  }),
  directRoute({
    method: 'GET',
    path: '/stream',
    id: 'openStream',
    tag: 'channels',
    summary: 'Open a connection without a WebSocket',
    description:
      'The whole protocol, for clients behind proxies that refuse WebSockets. The first event, `open`, names the stream and its secret; each `message` is a frame of the server, and `close` tells code and reason. What the client says it posts.',
    query: z.strictObject({ token }),
    answers: { 200: STREAM },
    handle: (call) => answerOf(call.node.eventStreams.open(visitOf(call))),
  }),
  directRoute({
    method: 'POST',
    path: '/stream/{id}',
    id: 'postToStream',
    tag: 'channels',
    summary: 'Say something on such a connection',
    description:
      'Each line of the body is a frame of the client. The secret of the stream is the bearer. `sequence` counts the posts from 1: one that comes twice is taken once.',
    params: z.strictObject({ id: z.string().max(64) }),
    query: z.strictObject({
      sequence: z
        .string()
        .regex(/^[1-9]\d{0,14}$/, 'an integer from 1')
        .describe('1 for the first post, and one more for each'),
      last: z.enum(['true', 'false']).optional().describe('Whether the client means to go'),
    }),
    text: 'Frames, one on each line',
    answers: { 204: { description: 'It was taken' } },
    errors: ['not_found'],
    async handle({ node, request, params, query }) {
      const { messageBytesMax } = node.services.limits
      const frames = await readFrames(request, Math.max(FRAMES_BYTES, messageBytesMax))
      const key = { id: params.id, secret: secretOf(request) }
      const post = { sequence: Number(query.sequence), frames, isLast: query.last === 'true' }
      const outcome = await node.eventStreams.post(key, post)
      if (outcome === 'taken') return empty(204)
      if (outcome === 'busy') throw new HoldfastError('rate_limited', undefined, { retryAfter: 1_000 })
      throw new HoldfastError('not_found', 'This stream has ended')
    },
  }),
]

function startOf({ headers }: Request, since: string | undefined): Since | undefined {
  const last = headers.get('last-event-id') ?? ''
  if (last !== '') return readPosition(last) ?? refuse('Last-Event-ID', 'a position such as epoch.12.id')
  if (since === undefined) return undefined
  return readSince(since) ?? refuse('since', 'a position such as epoch.12.id, or newest:N with N from 0 to 9999')
}

function refuse(field: string, expected: string): never {
  throw new ApiRefusal('bad_request', `${field} must be ${expected}`, { field })
}

function secretOf({ headers }: Request): string {
  return /^Bearer +([^\s,]+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''
}
