import { eventually } from '../../kit/deadline.js'
import { freePort } from './free-port.js'
import { type RedisConfig, RedisServer } from './redis-server.js'

const SLOTS = 16_384

/** How a cluster is set up. */
export interface ClusterOptions {
  /** Default 3. */
  readonly masters?: number
  readonly config?: RedisConfig
  /** Milliseconds without an answer after which a master may be replaced. Default 1,500. */
  readonly nodeTimeoutMs?: number
}

/** Masters that share the slots, each with a replica that takes its place when it dies. Joined by our own commands. */
export class RedisCluster {
  readonly servers: readonly RedisServer[]

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  /** Starts a cluster (default: three masters, three replicas) and waits until every server calls it whole. */
  static async start({ masters = 3, config = {}, nodeTimeoutMs = 1_500 }: ClusterOptions = {}): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: masters * 2 }, async () =>
        RedisServer.start({
          ...config,
          'cluster-enabled': true,
          'cluster-config-file': 'nodes.conf',
          'cluster-node-timeout': nodeTimeoutMs,
          'cluster-port': await freePort(),
          // A replica whose link broke with the master's death may still take its place.
          'cluster-replica-validity-factor': 0,
        }),
      ),
    )
    const cluster = new RedisCluster(servers)
    await cluster.#join(masters)
    await cluster.whole()
    return cluster
  }

  /** Where clients ask first. */
  get nodes(): { readonly host: string; readonly port: number }[] {
    return this.servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /** The address for nodes. */
  get url(): string {
    return `redis+cluster://${this.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`
  }

  /** The slot that a key belongs to, as the cluster says. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.#alive().command('CLUSTER', 'KEYSLOT', key))
  }

  /** The server that serves a slot now. Rejects when nobody does. */
  async masterOf(slot: number): Promise<RedisServer> {
    const rows = (await this.#alive().command('CLUSTER', 'NODES')).split('\n').filter((row) => row !== '')
    const row = rows.find((one) => one.includes('master') && !one.includes('fail') && servesSlot(one, slot))
    const port = /:(\d+)@/.exec(row ?? '')?.[1]
    const master = this.servers.find((server) => String(server.port) === port)
    if (master === undefined) throw new Error(`nobody serves slot ${slot}`)
    return master
  }

  /** Kills the master of a slot; resolves with the dead one when its replica serves the slot. `restart` brings it back as a replica. */
  async killMaster(slot: number): Promise<RedisServer> {
    const before = await this.masterOf(slot)
    await before.kill()
    await eventually(
      `another server serves slot ${slot}`,
      async () => (await this.masterOf(slot).catch(() => before)) !== before,
      60_000,
    )
    await this.whole()
    return before
  }

  /** Resolves when every server that runs calls the cluster whole, and every replica is up to date with its master. */
  async whole(): Promise<void> {
    await eventually(
      'the cluster is whole',
      async () => {
        const running = this.servers.filter(({ isRunning }) => isRunning)
        const states = await Promise.all(running.map((server) => server.command('CLUSTER', 'INFO')))
        return states.every((state) => state.includes('cluster_state:ok') && state.includes(`slots_ok:${SLOTS}`))
      },
      30_000,
    )
    await eventually('the replicas follow', () => this.#areReplicasUpToDate(), 30_000)
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  async #areReplicasUpToDate(): Promise<boolean> {
    const running = this.servers.filter(({ isRunning }) => isRunning)
    const masters = new Map(running.map((server) => [String(server.port), server]))
    const states = await Promise.all(
      running.map(async (server) => {
        const master = masters.get((await server.ask((redis) => redis.info('replication', 'master_port'))) ?? '')
        return master === undefined || server.hasAllOf(master)
      }),
    )
    return states.every(Boolean)
  }

  #alive(): RedisServer {
    const alive = this.servers.find(({ isRunning }) => isRunning)
    if (alive === undefined) throw new Error('no server of the cluster runs')
    return alive
  }

  async #join(masters: number): Promise<void> {
    const [first, ...others] = this.servers
    if (first === undefined) return
    await Promise.all(
      this.servers.slice(0, masters).map((server, index) => {
        const from = Math.ceil((index * SLOTS) / masters)
        const to = Math.ceil(((index + 1) * SLOTS) / masters) - 1
        return server.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
      }),
    )
    await Promise.all(
      this.servers.map((server, index) => server.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))),
    )
    const [, bus = ''] = /@(\d+)/.exec(await first.command('CLUSTER', 'NODES')) ?? []
    for (const server of others) await server.command('CLUSTER', 'MEET', '127.0.0.1', String(first.port), bus)
    await eventually(
      'the servers know of each other',
      async () => {
        const infos = await Promise.all(this.servers.map((server) => server.command('CLUSTER', 'INFO')))
        return infos.every((info) => info.includes(`cluster_known_nodes:${this.servers.length}`))
      },
      60_000,
    )
    const ids = await Promise.all(this.servers.slice(0, masters).map((server) => server.command('CLUSTER', 'MYID')))
    await Promise.all(
      this.servers.slice(masters).map((server, index) => server.command('CLUSTER', 'REPLICATE', ids[index] ?? '')),
    )
  }
}

function servesSlot(row: string, slot: number): boolean {
  const ranges = row.split(' ').slice(8)
  return ranges.some((range) => {
    const [from = -1, to = from] = range.split('-').map(Number)
    return slot >= from && slot <= to
  })
}
