import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, within } from '../../kit/deadline.js'
import { freePort } from './free-port.js'
import { type Guard, guard } from './guard.js'
import { askRedis } from './redis-connection.js'
import { type RedisConfig, RedisServer, redisBinary } from './redis-server.js'

/** How a group is set up. */
export interface SentinelOptions {
  readonly replicas?: number
  readonly sentinels?: number
  /** Options of the servers. */
  readonly config?: RedisConfig
  /** Milliseconds without an answer after which a sentinel takes the master for dead. Default 1,000. */
  readonly downAfterMs?: number
}

/** One process that watches the master. */
class Sentinel {
  readonly port: number
  readonly #folder: string
  readonly #process: ChildProcess
  readonly #guard: Guard

  private constructor(port: number, folder: string, process: ChildProcess) {
    this.port = port
    this.#folder = folder
    this.#process = process
    this.#guard = guard(process.pid ?? 0, folder)
  }

  static async start(lines: readonly string[]): Promise<Sentinel> {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-sentinel-'))
    const file = join(folder, 'sentinel.conf')
    // A sentinel writes to its own configuration.
    writeFileSync(
      file,
      [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'logfile sentinel.log', ...lines].join('\n'),
    )
    const child = spawn(redisBinary(), [file, '--sentinel'], { stdio: 'ignore' })
    await once(child, 'spawn')
    const sentinel = new Sentinel(port, folder, child)
    await eventually('a sentinel answers', () => sentinel.#hurry().catch(() => false))
    return sentinel
  }

  /** Looks and tells many times a second, where it would do so every few; and once it has stood still itself it trusts what it sees after a second, where it would take half a minute. */
  async #hurry(): Promise<boolean> {
    const periods = ['INFO-PERIOD', '200', 'PUBLISH-PERIOD', '200', 'ASK-PERIOD', '200', 'TILT-PERIOD', '1000']
    return (await askRedis(this.port, (redis) => redis.text('SENTINEL', 'DEBUG', ...periods))) === 'OK'
  }

  async stop(): Promise<void> {
    this.#guard.release()
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = once(this.#process, 'exit')
      this.#process.kill('SIGKILL')
      await within('a sentinel is gone', gone)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A master with its replicas, and sentinels that make a replica the master when it dies. */
export class SentinelGroup {
  readonly name = 'holdfast'
  readonly servers: readonly RedisServer[]
  readonly #sentinels: readonly Sentinel[]

  private constructor(servers: readonly RedisServer[], sentinels: readonly Sentinel[]) {
    this.servers = servers
    this.#sentinels = sentinels
  }

  /** Starts a group (default: a master, a replica, three sentinels of which two must agree) and waits until all know of each other. */
  static async start({
    replicas = 1,
    sentinels = 3,
    config = {},
    downAfterMs = 1_000,
  }: SentinelOptions = {}): Promise<SentinelGroup> {
    const master = await RedisServer.start(config)
    const followers = await Promise.all(
      Array.from({ length: replicas }, () => RedisServer.start({ ...config, replicaof: `127.0.0.1 ${master.port}` })),
    )
    const lines = [
      `sentinel monitor holdfast 127.0.0.1 ${master.port} ${Math.floor(sentinels / 2) + 1}`,
      `sentinel down-after-milliseconds holdfast ${downAfterMs}`,
      'sentinel failover-timeout holdfast 4000',
      'sentinel parallel-syncs holdfast 1',
    ]
    const watchers = await Promise.all(Array.from({ length: sentinels }, () => Sentinel.start(lines)))
    const group = new SentinelGroup([master, ...followers], watchers)
    await group.settled()
    return group
  }

  /** Where clients ask for the master. */
  get nodes(): { readonly host: string; readonly port: number }[] {
    return this.#sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /** The address for nodes. */
  get url(): string {
    return `redis+sentinel://${this.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}/${this.name}`
  }

  /** The server that the sentinels name as the master. Rejects when they name none of these. */
  async master(): Promise<RedisServer> {
    const [first] = this.#sentinels
    if (first === undefined) throw new Error('there is no sentinel')
    const [, port] = await askRedis(first.port, (redis) => redis.list('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name))
    const master = this.servers.find((server) => String(server.port) === port)
    if (master === undefined) throw new Error(`the sentinels name an unknown master: ${port}`)
    return master
  }

  /** Asks for an orderly failover; resolves when another server is the master. */
  async failover(): Promise<void> {
    const before = await this.master()
    const [first] = this.#sentinels
    // Refused until the sentinel has looked at the replicas again.
    await eventually(
      'the failover begins',
      () => askRedis(first?.port ?? 0, (redis) => redis.text('SENTINEL', 'FAILOVER', this.name)).catch(() => undefined),
      60_000,
    )
    await this.#otherThan(before)
  }

  /** Kills the master; resolves with the dead one when another has taken its place. `revive` brings it back. */
  async killMaster(): Promise<RedisServer> {
    const before = await this.master()
    await before.kill()
    await this.#otherThan(before)
    return before
  }

  /** Resolves when every sentinel knows the others and the replicas, and the replicas are up to date with the master. */
  async settled(): Promise<void> {
    const [replicas, others] = [this.servers.length - 1, this.#sentinels.length - 1]
    await eventually(
      'the sentinels know everybody',
      async () => {
        const views = await Promise.all(
          this.#sentinels.map(({ port }) => askRedis(port, (redis) => redis.info('sentinel', 'master0'))),
        )
        return views.every(
          (view) =>
            view?.includes('status=ok') &&
            view.includes(`slaves=${replicas}`) &&
            view.includes(`sentinels=${others + 1}`),
        )
      },
      60_000,
    )
    const master = await this.master()
    const followers = this.servers.filter((server) => server !== master)
    await eventually(
      'the replicas follow',
      async () => (await Promise.all(followers.map((server) => server.hasAllOf(master)))).every(Boolean),
      60_000,
    )
  }

  /** Brings a server that died back, as a replica of the one that is the master now, and resolves when it is up to date. */
  async revive(dead: RedisServer): Promise<void> {
    await dead.restart()
    const { port } = await this.master()
    // The sentinels would do it as well, after many seconds.
    await dead.command('REPLICAOF', '127.0.0.1', String(port))
    await this.settled()
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.servers].map((one) => one.stop()))
  }

  async #otherThan(before: RedisServer): Promise<void> {
    await eventually(
      'another server is the master',
      async () => {
        const master = await this.master()
        return master !== before && (await master.ask((redis) => redis.info('replication', 'role'))) === 'master'
      },
      60_000,
    )
  }
}
