import * as z from 'zod'
import { asHoldfastError } from '../core/errors.js'
import { VERSION } from '../version.js'
import { type Route, json, route } from './route.js'

const count = z.int().min(0)

const amounts = {
  connections: count.optional(),
  channels: count.optional(),
  messagesPerSecond: count.optional(),
  bytesPerSecond: count.optional(),
  historyBytes: count.optional(),
  operations: count.optional(),
}

const stats = route({
  method: 'GET',
  path: '/stats',
  id: 'getStats',
  tag: 'node',
  summary: 'See what the tenant does now',
  description:
    'On all nodes: what a node says of itself within a second counts, and `partial` says that one did not. Of other tenants nothing is told.',
  permissions: ['stats'],
  counts: 'read',
  answers: {
    200: {
      description: 'The numbers of this moment',
      schema: z.strictObject({
        tenant: z.string(),
        version: z.string().describe('Of the node that answers'),
        engine: z.strictObject({
          name: z.string(),
          problem: z.string().optional().describe('What is wrong with it; absent while all is well'),
          loss: z
            .string()
            .optional()
            .describe(
              'What the node that answers found missing on its disk, when it started, of what had been acknowledged',
            ),
        }),
        connections: count,
        subscriptions: count,
        nodes: z.array(
          z.strictObject({
            node: z.string(),
            connections: count,
            users: count,
            channels: count,
            subscriptions: count,
          }),
        ),
        partial: z.literal(true).optional(),
      }),
    },
  },
  async handle({ node, bearer }) {
    const { tenant } = bearer.identity
    const { engine, census } = node.services
    const { nodes, isPartial } = await census.count(tenant).catch(refuse)
    const sum = (of: 'connections' | 'subscriptions'): number => nodes.reduce((total, one) => total + one[of], 0)
    return json(200, {
      tenant,
      version: VERSION,
      // How much is on the disk would tell of other tenants.
      engine: { name: engine.name, problem: engine.problem(), loss: engine.diskStats?.().loss },
      connections: sum('connections'),
      subscriptions: sum('subscriptions'),
      nodes,
      ...(isPartial && { partial: true }),
    })
  },
})

const rate = z.strictObject({ perSecond: z.number(), burst: z.number() }).meta({ id: 'Rate' })

const limits = route({
  method: 'GET',
  path: '/limits',
  id: 'getLimits',
  tag: 'node',
  summary: 'See what bounds the bearer and its tenant',
  description:
    'What the node allows one message, connection and user, and the quotas of the tenant with how much of them is used. What is absent is not bounded.',
  permissions: ['stats'],
  counts: 'read',
  answers: {
    200: {
      description: 'Bounds',
      schema: z.strictObject({
        messageBytesMax: count,
        jsonDepthMax: count,
        objectKeysMax: count,
        connectionsPerUserMax: count,
        channelsPerConnectionMax: count,
        rates: z.strictObject({
          requests: rate.describe('Of one user, on each node; commands of a connection likewise'),
          publishes: rate,
          reads: rate,
          userPublishes: rate.optional().describe('Of one user, on all nodes'),
        }),
        quotas: z.strictObject(amounts),
        usage: z.strictObject(amounts),
      }),
    },
  },
  async handle({ node, bearer }) {
    const { messageBytesMax, jsonDepthMax, objectKeysMax, connectionsPerUserMax, channelsMax, rates } =
      node.services.limits
    const { commands, publishes, reads } = rates.connection
    const { quotas, ...usage } = await node.tenant(bearer.identity.tenant).usage()
    return json(200, {
      messageBytesMax,
      jsonDepthMax,
      objectKeysMax,
      connectionsPerUserMax,
      channelsPerConnectionMax: channelsMax,
      rates: { requests: commands, publishes, reads, userPublishes: rates.userPublishes },
      quotas,
      usage,
    })
  },
})

function refuse(error: unknown): never {
  throw asHoldfastError(error)
}

/** What there is, and what bounds it. */
export const NODE_ROUTES: readonly Route[] = [stats, limits]
