import * as z from 'zod'
import { isUserName } from '../access/identity.js'
import { HoldfastError } from '../core/errors.js'
import { type Notification, PRIORITIES } from '../notifications/notification.js'
import type { NotificationReceipt } from '../notifications/receipt.js'
import { duration } from './duration.js'
import { onceId } from './once-id.js'
import { type Call, type Route, json, route } from './route.js'
import { wholeNumber } from './whole-number.js'

const TITLE_MAX = 1_024
const BODY_MAX = 16_384
const METADATA_MAX = 64
const WAIT_SECONDS_MAX = 60

/** How often a request that waits looks whether its bearer is still good, and the node still there for it. */
const LOOK_MS = 2_000

const notificationId = z
  .string()
  .regex(/^(?!\.+$)[A-Za-z0-9_.@~+=-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = -')

const newNotification: z.ZodType<Notification> = z.strictObject({
  id: notificationId.exactOptional().describe('The same id is stored once'),
  title: z.string().min(1).max(TITLE_MAX),
  body: z.string().max(BODY_MAX).exactOptional(),
  priority: z
    .enum(PRIORITIES)
    .exactOptional()
    .describe('Default `normal`; a `critical` one has a receipt and is told again until it is confirmed'),
  metadata: z
    .record(z.string(), z.unknown())
    .refine((members) => Object.keys(members).length <= METADATA_MAX, `must have at most ${METADATA_MAX} members`)
    .exactOptional(),
  receipt: z.boolean().exactOptional().describe('Whether to follow what becomes of it'),
  ttl: duration
    .exactOptional()
    .describe('After so long without a confirmation it is expired: `1s` to `7d`, default `24h`'),
})

const time = { type: 'string', format: 'date-time' }

const RECEIPT_SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    user: { type: 'string' },
    priority: { enum: [...PRIORITIES] },
    state: { enum: ['sent', 'confirmed', 'expired'] },
    attempts: { type: 'integer', minimum: 0, description: 'How often it was handed to a connection of the user' },
    sentAt: time,
    expiresAt: time,
    confirmedAt: time,
    expiredAt: time,
    reason: { enum: ['ttl', 'trimmed'], description: 'Why it expired' },
  },
  required: ['id', 'user', 'priority', 'state', 'attempts', 'sentAt', 'expiresAt'],
}

const RECEIPT_EXAMPLE: NotificationReceipt = {
  id: 'export-7',
  user: 'ada',
  priority: 'normal',
  state: 'sent',
  attempts: 0,
  sentAt: '2026-11-21T12:00:00.000Z',
  expiresAt: '2026-11-22T12:00:00.000Z',
}

const SENT_EXAMPLE = { epoch: 'Lw3nT8u9', offset: 7, id: 'q0Zk2b7XwYlP', duplicate: false, receipt: RECEIPT_EXAMPLE }

const send = route({
  method: 'POST',
  path: '/users/{user}/notifications',
  id: 'notifyUser',
  tag: 'notifications',
  summary: 'Send a notification to the inbox of a user',
  description:
    'Every device of the user gets it, those that are away when they come back, until one has acknowledged it. With `receipt` what becomes of it can be read.',
  permissions: ['notify'],
  counts: 'publish',
  params: z.strictObject({ user: z.string().refine((name) => isUserName(name), 'the name of a user') }),
  body: newNotification,
  example: { id: 'export-7', title: 'Your export is ready', body: '3,412 rows', receipt: true },
  answers: {
    201: {
      description: 'It is stored; `duplicate`: it was before',
      schema: {
        type: 'object',
        properties: {
          epoch: { type: 'string' },
          offset: { type: 'integer', minimum: 0 },
          id: { type: 'string', description: 'Of the message' },
          duplicate: { type: 'boolean' },
          receipt: RECEIPT_SCHEMA,
        },
        required: ['epoch', 'offset', 'id', 'duplicate'],
      },
      example: SENT_EXAMPLE,
      headers: { Location: 'Where its receipt can be read, if it has one' },
    },
  },
  errors: ['limit_exceeded', 'idempotency_conflict'],
  async handle(call) {
    const { node, bearer, params, body } = call
    const sent = await node.tenant(bearer.identity.tenant).notify(params.user, { ...(await idOf(call)), ...body })
    const { receipt } = sent
    const at = receipt && `/api/v1/notifications/${encodeURIComponent(receipt.id)}`
    return json(201, sent, at === undefined ? {} : { location: at })
  },
})

/** A request that is made again because its node died over it is the same notification. */
async function idOf(call: Call<{ user: string }>): Promise<{ readonly id?: string }> {
  const { node, bearer, params } = call
  const madeAt = async (made: string): Promise<number | undefined> => {
    const receipt = await node.tenant(bearer.identity.tenant).receipt(made)
    return receipt && Date.parse(receipt.sentAt)
  }
  const id = await onceId(call, `notify ${params.user}`, madeAt)
  return id === undefined ? {} : { id }
}

const read = route({
  method: 'GET',
  path: '/notifications/{notification}',
  id: 'getNotification',
  tag: 'notifications',
  summary: 'Read what has become of a notification, or wait for it',
  description: 'With `wait` the answer comes when it is confirmed or expired; after so many seconds in any case.',
  permissions: ['notify'],
  counts: 'read',
  params: z.strictObject({ notification: notificationId }),
  query: z.strictObject({
    wait: wholeNumber(1, WAIT_SECONDS_MAX).exactOptional().describe('Seconds to wait at most'),
  }),
  answers: { 200: { description: 'The receipt', schema: RECEIPT_SCHEMA, example: RECEIPT_EXAMPLE } },
  async handle(call) {
    const { node, bearer, params, query } = call
    const tenant = node.tenant(bearer.identity.tenant)
    const first = known(await tenant.receipt(params.notification))
    const { wait: seconds = 0 } = query
    if (seconds === 0 || first.state !== 'sent') return json(200, first)
    return json(200, await node.waiting.hold(bearer, () => ended(call, first, seconds)))
  },
})

/** The receipt when it has ended, or the time is over, or the node is: then the next request finds another. */
async function ended(call: Call, first: NotificationReceipt, seconds: number): Promise<NotificationReceipt> {
  const { node, bearer, signal } = call
  const { clock, admission } = node.services
  const { receipts } = node.tenant(bearer.identity.tenant)
  const end = clock.now() + seconds * 1_000
  for (let receipt = first; ;) {
    const timeoutMs = Math.min(LOOK_MS, end - clock.now())
    if (timeoutMs < 1 || signal.aborted || !admission.isOpen || receipt.state !== 'sent') return receipt
    receipt = known(await receipts.changed(first.id, { timeoutMs, signal }))
    if (!bearer.isOpen) throw new HoldfastError('unauthenticated', 'The token has expired, or was withdrawn')
  }
}

function known(receipt: NotificationReceipt | undefined): NotificationReceipt {
  if (receipt === undefined) throw new HoldfastError('not_found', 'there is no receipt of this id')
  return receipt
}

/** Notifications and their receipts. */
export const NOTIFICATION_ROUTES: readonly Route[] = [send, read]
