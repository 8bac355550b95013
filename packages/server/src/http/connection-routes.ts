import * as z from 'zod'
import { isUserName } from '../access/identity.js'
import { timestamp } from '../clock.js'
import { HoldfastError, asHoldfastError } from '../core/errors.js'
import { cursorOf, nameOf, pageShape } from './page-cursor.js'
import { type Call, type Route, empty, json, route } from './route.js'

/** The name of a user, as it may stand in a path. */
const user = z
  .string()
  .refine((name) => isUserName(name), 'the name of a user')
  .describe('The name of a user')

const listConnections = route({
  method: 'GET',
  path: '/connections',
  id: 'listConnections',
  tag: 'connections',
  summary: 'List connections',
  description:
    'By id, on all nodes. `partial` says that a node did not answer within a second, so that what it has is missing from this page.',
  permissions: ['connections'],
  counts: 'read',
  query: z.strictObject({ user: user.optional().describe('Those of this user'), ...pageShape }),
  answers: {
    200: {
      description: 'A page',
      schema: z.strictObject({
        items: z.array(
          z.strictObject({
            id: z.string(),
            user: z.string(),
            address: z.string().describe('Of the client, after trusted proxies'),
            node: z.string(),
            openedAt: z.iso.datetime(),
            channels: z.int().min(0).describe('How many it listens to'),
          }),
        ),
        next: z.string().optional(),
        partial: z.literal(true).optional(),
      }),
    },
  },
  async handle({ node, bearer, query }) {
    const { limit, cursor } = query
    const { tenant } = bearer.identity
    const list = ['connections', tenant, query.user ?? '']
    const asked = { tenant, user: query.user, after: nameOf(list, cursor), limit }
    const { items, next, isPartial } = await node.services.census.connections(asked).catch(refuse)
    return json(200, {
      items: items.map(({ openedAt, ...connection }) => ({ ...connection, openedAt: timestamp(openedAt) })),
      ...(next !== undefined && { next: cursorOf(list, next) }),
      ...(isPartial && { partial: true }),
    })
  },
})

const closeConnection = route({
  method: 'DELETE',
  path: '/connections/{connection}',
  id: 'closeConnection',
  tag: 'connections',
  summary: 'End a connection',
  description: 'It is closed with 1008 `Disconnected by administrator`, and does not come back by itself.',
  permissions: ['connections'],
  params: z.strictObject({ connection: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) }),
  answers: { 204: { description: 'It was closed' } },
  errors: ['not_found'],
  async handle(call) {
    const { node, bearer, params } = call
    const { closed, isPartial } = await node.services.census
      .close(bearer.identity.tenant, params.connection)
      .catch(refuse)
    if (!closed && isPartial)
      throw new HoldfastError('engine_unavailable', 'not every node has answered', { retryAfter: 1_000 })
    if (!closed) throw new HoldfastError('not_found')
    note(call, `connection ${params.connection}`, 1)
    return empty(204)
  },
})

const disconnectUser = route({
  method: 'POST',
  path: '/users/{user}/disconnect',
  id: 'disconnectUser',
  tag: 'connections',
  summary: 'End every connection of a user',
  description: 'On all nodes. Tokens stay good: to keep somebody out, withdraw them.',
  permissions: ['connections'],
  params: z.strictObject({ user }),
  answers: {
    200: {
      description: 'How many there were, on those nodes that answered within a second',
      schema: z.strictObject({ connections: z.int().min(0) }),
      example: { connections: 2 },
    },
  },
  async handle(call) {
    const { node, bearer, params } = call
    const connections = await node.tenant(bearer.identity.tenant).disconnect(params.user)
    note(call, `user ${params.user}`, connections)
    return json(200, { connections })
  },
})

function note({ node, bearer }: Pick<Call, 'node' | 'bearer'>, action: string, count: number): void {
  const { tenant, user: by } = bearer.identity
  const about = { tenant, user: by, connection: bearer.id, address: bearer.address }
  node.services.audit.record('connection.dismissed', { ...about, action, count })
}

function refuse(error: unknown): never {
  throw asHoldfastError(error)
}

/** Who is connected. */
export const CONNECTION_ROUTES: readonly Route[] = [listConnections, closeConnection, disconnectUser]
