import { eventually } from '../../kit/deadline.js'
import { ChaosProxy } from './proxy/chaos-proxy.js'
import { type RedisConfig, RedisServer } from './redis-server.js'

/**
 * A master and a replica behind one address, as behind a load balancer that follows the master. The replica is fed through a proxy, so that
 * it can be made to miss what was acknowledged.
 */
export class ReplicaPair {
  /** What clients connect to. */
  readonly front: ChaosProxy
  readonly #feed: ChaosProxy
  #master: RedisServer
  #replica: RedisServer

  private constructor(front: ChaosProxy, feed: ChaosProxy, master: RedisServer, replica: RedisServer) {
    this.front = front
    this.#feed = feed
    this.#master = master
    this.#replica = replica
  }

  /** Starts both and waits until the replica is up to date. */
  static async start(config: RedisConfig = {}): Promise<ReplicaPair> {
    const master = await RedisServer.start(config)
    const [feed, front] = await Promise.all([ChaosProxy.start(master.port), ChaosProxy.start(master.port)])
    const replica = await RedisServer.start({ ...config, replicaof: `127.0.0.1 ${feed.port}` })
    const pair = new ReplicaPair(front, feed, master, replica)
    await pair.synchronised()
    return pair
  }

  /** The address for clients. */
  get url(): string {
    return `redis://127.0.0.1:${this.front.port}`
  }

  /** The server that is the master now. */
  get master(): RedisServer {
    return this.#master
  }

  get replica(): RedisServer {
    return this.#replica
  }

  /** Resolves when the replica has all that the master has. */
  async synchronised(): Promise<void> {
    await eventually('the replica is up to date', () => this.#replica.hasAllOf(this.#master), 60_000)
  }

  /** The replica is told nothing more; neither side notices. */
  fallBehind(): void {
    this.#feed.sink()
  }

  /**
   * The master dies and the replica takes its place, with what it has: clients are cut and reach the new master. Afterwards the old one
   * comes back, empty, as the replica of the new one.
   */
  async failover(): Promise<void> {
    const [dead, promoted] = [this.#master, this.#replica]
    await dead.kill()
    await promoted.command('REPLICAOF', 'NO', 'ONE')
    this.front.switchUpstream(promoted.port)
    this.front.killAll()
    this.#master = promoted
    this.#replica = dead
  }

  /** Brings the one that died back as an up-to-date replica of the other, so that it can all happen again. */
  async restore(): Promise<void> {
    this.#feed.heal()
    this.#feed.killAll()
    this.#feed.switchUpstream(this.#master.port)
    await this.#replica.restart({ empty: true })
    await this.#replica.command('REPLICAOF', '127.0.0.1', String(this.#feed.port))
    await this.synchronised()
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await Promise.all([this.front.close(), this.#feed.close(), this.#master.stop(), this.#replica.stop()])
  }
}
