import * as z from 'zod'
import { asHoldfastError } from '../../core/errors.js'
import { cursorOf, nameOf, pageShape } from '../page-cursor.js'
import { type Route, json, route } from '../route.js'
import { wholeNumber } from '../whole-number.js'
import { channelParams } from './channel-name.js'

const MEMBERS_MAX = 1_000

const readPresence = route({
  method: 'GET',
  path: '/channels/{channel}/presence',
  id: 'readPresence',
  tag: 'channels',
  summary: 'Read who is in a channel',
  counts: 'read',
  params: channelParams,
  query: z.strictObject({
    limit: wholeNumber(1, MEMBERS_MAX).default(50).describe(`Members to list, from 1 to ${MEMBERS_MAX}`),
  }),
  answers: {
    200: {
      description: 'Members, and the counts of all',
      schema: z.strictObject({
        members: z.array(
          z.strictObject({
            user: z.string(),
            info: z.unknown().optional().describe('What the member tells of itself'),
            connections: z.int().min(0),
          }),
        ),
        counts: z.strictObject({ members: z.int().min(0), connections: z.int().min(0) }),
      }),
      example: { members: [{ user: 'ada', connections: 1 }], counts: { members: 1, connections: 1 } },
    },
  },
  errors: ['invalid_channel'],
  async handle({ node, bearer, params: { channel }, query }) {
    const { authorisation, presence } = node.services
    await authorisation.require(bearer, { verb: 'presence', channel })
    const stream = { tenant: bearer.identity.tenant, channel }
    const { members, counts } = await presence.list(stream, query.limit)
    return json(200, { members, counts })
  },
})

const listChannels = route({
  method: 'GET',
  path: '/channels',
  id: 'listChannels',
  tag: 'channels',
  summary: 'List the channels that somebody listens to',
  description:
    'By name, on all nodes. `partial` says that a node did not answer within a second, so that what it has is missing from this page.',
  permissions: ['channels'],
  counts: 'read',
  query: z.strictObject({
    prefix: z.string().max(253).default('').describe('Those whose name begins so: `room:`'),
    ...pageShape,
  }),
  answers: {
    200: {
      description: 'A page',
      schema: z.strictObject({
        items: z.array(z.strictObject({ channel: z.string(), subscribers: z.int().min(1) })),
        next: z.string().optional(),
        partial: z.literal(true).optional(),
      }),
      example: { items: [{ channel: 'room:42', subscribers: 3 }] },
    },
  },
  async handle({ node, bearer, query }) {
    const { prefix, limit, cursor } = query
    const { tenant } = bearer.identity
    const list = ['channels', tenant, prefix]
    const asked = { tenant, prefix, after: nameOf(list, cursor), limit }
    const { items, next, isPartial } = await node.services.census.channels(asked).catch(refuse)
    return json(200, {
      items,
      ...(next !== undefined && { next: cursorOf(list, next) }),
      ...(isPartial && { partial: true }),
    })
  },
})

function refuse(error: unknown): never {
  throw asHoldfastError(error)
}

/** Who listens, and where. */
export const PRESENCE_ROUTES: readonly Route[] = [readPresence, listChannels]
