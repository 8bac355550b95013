import { type Holdfast, type HoldfastOptions, createHoldfast, signToken } from '@holdfast/server'
import { eventually } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { RedisProxy } from '../cluster/kit/proxy/redis-proxy.js'
import { RedisServer } from '../cluster/kit/redis-server.js'

/** The tenant of these tests. */
export const TENANT = 'acme'

/** The channels of these tests: everybody publishes, everything is kept. */
export const CHANNELS: NonNullable<HoldfastOptions['channels']> = {
  'room:*': { publish: 'member', signal: 'member', presence: true, history: { size: 10_000, ttl: '1h' } },
}

/** A node of this process. */
export interface Node {
  readonly holdfast: Holdfast
  readonly url: string
  /** What stands between it and Redis. */
  readonly proxy: RedisProxy
}

/** Two nodes of this process that share a Redis, each through a proxy of its own. */
export class Pair {
  readonly redis: RedisServer
  readonly first: Node
  readonly second: Node

  private constructor(redis: RedisServer, first: Node, second: Node) {
    this.redis = redis
    this.first = first
    this.second = second
  }

  /** Starts the nodes, and Redis where none is given, and waits until both are ready. */
  static async start(options: Partial<HoldfastOptions> = {}, given?: RedisServer): Promise<Pair> {
    const redis = given ?? (await RedisServer.start())
    const [first, second] = [await startNode(redis, options), await startNode(redis, options)]
    await Promise.all([isReady(first), isReady(second)])
    return new Pair(redis, first, second)
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const { proxy } of [this.first, this.second]) proxy.tcp.heal()
    for (const { holdfast, proxy } of [this.first, this.second]) {
      await holdfast.close()
      await proxy.close()
    }
    await this.redis.stop()
  }
}

/** A client of a node, welcomed. */
export function join(url: string, user: string): Promise<WireClient> {
  return WireClient.welcomed(url, { token: tokenOf(user) })
}

/** A token of a user of the tenant. */
export function tokenOf(user: string): string {
  return signToken({ secret: SECRET, tenant: TENANT, user, ttlSeconds: 3_600 })
}

/** Resolves when the readiness of a node is as it is to be; with what it says of itself. */
export function isReady({ holdfast }: Pick<Node, 'holdfast'>, expected: boolean = true): Promise<string> {
  return eventually(
    `the node is ${expected ? 'ready' : 'unready'}`,
    async () => {
      const answer = await holdfast.fetch(new Request('http://127.0.0.1/health/ready'))
      return (answer.status === 200) === expected && answer.text()
    },
    20_000,
  )
}

async function startNode(redis: RedisServer, options: Partial<HoldfastOptions>): Promise<Node> {
  const proxy = await RedisProxy.start(redis.port)
  const engine = { redis: proxy.url }
  const holdfast = createHoldfast({ auth: { secret: SECRET }, channels: CHANNELS, engine, ...options })
  const { url } = await holdfast.listen()
  return { holdfast, url, proxy }
}
