import { SERVER_MESSAGES } from '@holdfast/protocol'
import * as z from 'zod'
import { encodeMessageList, encodeWithRaw } from '../../core/connection/encode.js'
import { readHistory } from '../../core/channels/history-page.js'
import { HoldfastError } from '../../core/errors.js'
import { errorFields } from '../../telemetry/log.js'
import { ApiRefusal, type ApiErrorBody, errorBody, isUnforeseen } from '../api-error.js'
import { readPosition } from '../event-stream/position-text.js'
import { leaveUnfinished } from '../idempotency.js'
import { type Call, type Route, empty, json, route } from '../route.js'
import { wholeNumber } from '../whole-number.js'
import { channelParams, event } from './channel-name.js'
import { USUAL_EVENT, publish, signal } from './sending.js'

const MESSAGES_MAX = 100
const HISTORY_MAX = 1_000

const key = z
  .string()
  .regex(/^[!-~]{1,128}$/, '1 to 128 printable ASCII characters without spaces')
  .describe(
    'Whoever publishes again with this key within five minutes is answered as before. Default: the `Idempotency-Key`',
  )

const data = z.unknown().describe('What is sent')

const published = z
  .strictObject({
    epoch: z.string().describe('Empty on a channel without history'),
    offset: z.int().min(0),
    id: z.string(),
    duplicate: z.boolean().describe('Whether it had been published before'),
  })
  .meta({ id: 'Published' })

const EXAMPLE = { epoch: 'a1b2c3d4', offset: 7, id: 'r4nd0mId', duplicate: false }

const publishMessage = route({
  method: 'POST',
  path: '/channels/{channel}/messages',
  id: 'publishMessage',
  tag: 'channels',
  summary: 'Publish a message',
  description: 'Answered when it is stored (on a channel with history) and announced.',
  counts: 'publish',
  params: channelParams,
  body: z.strictObject({ event: event.optional().describe('Default `message`'), data, key: key.optional() }),
  example: { event: 'said', data: { text: 'Hello' } },
  answers: { 201: { description: 'It was published', schema: published, example: EXAMPLE } },
  errors: ['invalid_channel', 'idempotency_conflict', 'limit_exceeded'],
  async handle(call) {
    const { event: name = USUAL_EVENT, ...body } = call.body
    const sent = { ...call.params, ...body, event: name, path: 'data', key: body.key ?? keyOf(call) }
    return json(201, await publish(call, sent))
  },
})

/** What was published under a key of the request is found again, also when the node died before it could answer. */
function keyOf({ idempotencyKey }: Pick<Call, 'idempotencyKey'>, index?: number): string | undefined {
  return idempotencyKey === undefined ? undefined : `http:${index ?? ''}:${idempotencyKey}`
}

const batchItem = z.strictObject({
  channel: z.string().max(512).describe('The name of a channel: `room:42`'),
  event: event.optional().describe('Default `message`'),
  data,
  key: key.optional(),
})

type Item = z.output<typeof batchItem>

const publishBatch = route({
  method: 'POST',
  path: '/publish',
  id: 'publishBatch',
  tag: 'channels',
  summary: 'Publish many messages',
  description:
    'Each is published, or refused, as if it had come alone; those of one channel in their order. The answer has one result for each, in order. While one of them is `retryable`, an `Idempotency-Key` keeps no answer: the same request again, within five minutes, publishes what is missing.',
  size: 'batch',
  body: z.strictObject({ messages: z.array(batchItem).min(1).max(MESSAGES_MAX) }),
  example: { messages: [{ channel: 'room:42', event: 'said', data: { text: 'Hello' } }] },
  answers: {
    200: {
      description: 'What became of each',
      schema: z.strictObject({
        results: z.array(
          z.union([published, z.strictObject({ error: z.looseObject({ code: z.string(), message: z.string() }) })]),
        ),
      }),
      example: { results: [EXAMPLE] },
    },
  },
  errors: ['limit_exceeded'],
  async handle(call) {
    const results: object[] = []
    const publishAll = async (items: readonly (readonly [number, Item])[]): Promise<void> => {
      for (const [index, item] of items) results[index] = await publishOne(call, index, item)
    }
    await Promise.all(byChannel(call.body.messages).map(publishAll))
    const answer = json(200, { results })
    return results.some(isPassing) ? leaveUnfinished(answer) : answer
  },
})

function isPassing(result: object): boolean {
  return 'error' in result && (result as ApiErrorBody).error.retryable
}

function byChannel(messages: readonly Item[]): (readonly [number, Item])[][] {
  const channels = new Map<string, [number, Item][]>()
  for (const [index, item] of messages.entries()) {
    const others = channels.get(item.channel)
    if (others === undefined) channels.set(item.channel, [[index, item]])
    else others.push([index, item])
  }
  return [...channels.values()]
}

async function publishOne(call: Call, index: number, item: Item): Promise<object | ApiErrorBody> {
  const { event: name = USUAL_EVENT, key: own } = item
  try {
    await call.countPublish()
    const path = `messages[${index}].data`
    return await publish(call, { ...item, event: name, path, key: own ?? keyOf(call, index) })
  } catch (error) {
    return errorBody(error, isUnforeseen(error) ? told(call, error) : undefined)
  }
}

/** Writes down what nobody foresaw; answers the id of the line. */
function told({ node }: Pick<Call, 'node'>, error: unknown): string {
  const { random, log } = node.services
  const id = random.id(9)
  log.error({ event: 'http.failed', id, ...errorFields(error) }, 'a message of many failed')
  return id
}

const sendSignal = route({
  method: 'POST',
  path: '/channels/{channel}/signals',
  id: 'sendSignal',
  tag: 'channels',
  summary: 'Send a signal',
  description: 'Told to whoever listens now, and never stored.',
  counts: 'publish',
  params: channelParams,
  body: z.strictObject({ event, data: data.optional() }),
  example: { event: 'typing', data: { on: true } },
  answers: { 202: { description: 'It is on its way' } },
  errors: ['invalid_channel', 'limit_exceeded'],
  async handle(call) {
    const { event: name, data: value } = call.body
    await signal(call, { ...call.params, event: name, data: value, path: 'data' })
    return empty(202)
  },
})

const position = z
  .string()
  .max(128)
  .refine((text) => readPosition(text) !== undefined, 'a position: epoch.offset or epoch.offset.id')

const readMessages = route({
  method: 'GET',
  path: '/channels/{channel}/messages',
  id: 'readHistory',
  tag: 'channels',
  summary: 'Read the history of a channel',
  description:
    'The newest messages, in their order; those after `since`, the oldest first; or those before `before`. While there is a `next`, it is the `since` of the next page, or without `since` the `before`. Where `epoch` is another than that of the position, what was stored under that is gone.',
  counts: 'read',
  params: channelParams,
  query: z.strictObject({
    limit: wholeNumber(1, HISTORY_MAX).default(50).describe(`Messages of a page, from 1 to ${HISTORY_MAX}`),
    since: position.optional().describe('Messages after this position: `epoch.offset` or `epoch.offset.id`'),
    before: position.optional().describe('Messages before this position'),
  }),
  answers: {
    200: {
      description: 'A page',
      schema: {
        type: 'object',
        properties: {
          items: { type: 'array', items: SERVER_MESSAGES.message.toJsonSchema() },
          epoch: { type: 'string' },
          next: { type: 'string', description: 'Where the next page begins' },
        },
        required: ['items', 'epoch'],
      },
    },
  },
  errors: ['invalid_channel'],
  async handle({ node, bearer, params: { channel }, query }) {
    const { since, before, limit } = query
    if (since !== undefined && before !== undefined)
      throw new ApiRefusal('bad_request', 'since and before exclude each other', { field: 'before' })
    const { engine, authorisation, limits } = node.services
    const { retention } = await authorisation.require(bearer, { verb: 'history', channel })
    if (retention === undefined) throw new HoldfastError('permission_denied', 'this channel keeps no history')
    const log = { stream: { tenant: bearer.identity.tenant, channel }, retention }
    const page = await readHistory(engine, log, {
      since: since === undefined ? undefined : readPosition(since),
      before: before === undefined ? undefined : readPosition(before),
      limit,
      bytesMax: limits.subscription.recovery.bytesMax,
    })
    const { epoch, messages } = page
    const last = page.more ? messages.at(since === undefined ? 0 : -1) : undefined
    const next = last && `${epoch}.${last.offset}.${last.id}`
    const text = encodeWithRaw({ epoch, next }, 'items', encodeMessageList(channel, messages))
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  },
})

/** Messages and signals. */
export const MESSAGE_ROUTES: readonly Route[] = [publishMessage, publishBatch, sendSignal, readMessages]
