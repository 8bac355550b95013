import type { ExitStatus } from './child.js'
import type { History } from './history.js'
import type { NodeOptions } from './node-questions.js'
import { NodeProcess } from './node-process.js'
import { RedisProxy } from './proxy/redis-proxy.js'

/** How a fleet is set up. */
export interface FleetOptions {
  readonly nodes: number
  /** What they share: one Redis server by its port, reached through proxies, or any other engine as the options of a node name it. */
  readonly redis: number | { readonly engine: unknown }
  readonly history: History
  /** Options of every node. */
  readonly options: NodeOptions
}

interface Berth {
  readonly proxy: RedisProxy | undefined
  node: NodeProcess
  generation: number
}

/** Nodes that share what they keep; with one Redis server each reaches it through a proxy of its own, so that one can be cut off while the others go on. */
export class Fleet {
  readonly #berths: Berth[] = []
  readonly #options: FleetOptions
  /** Processes that are meant to end. */
  readonly #leaving = new Set<NodeProcess>()

  private constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Starts the nodes and waits until all of them are ready. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options)
    const { nodes, redis } = options
    for (let index = 0; index < nodes; index += 1) {
      const proxy = typeof redis === 'number' ? await RedisProxy.start(redis) : undefined
      fleet.#berths.push({ proxy, node: await fleet.#launch(proxy, `n${index}.0`), generation: 0 })
    }
    await Promise.all(fleet.nodes.map((node) => node.isReady()))
    return fleet
  }

  /** The nodes that run now, by their place. */
  get nodes(): readonly NodeProcess[] {
    return this.#berths.map(({ node }) => node)
  }

  /** Where clients connect. */
  get urls(): string[] {
    return this.nodes.filter((node) => node.isRunning && !this.#leaving.has(node)).map(({ url }) => url)
  }

  /** A node by its place. */
  node(index: number): NodeProcess {
    return this.#berth(index).node
  }

  /** What stands between a node and Redis. @throws RangeError where there is no proxy. */
  proxy(index: number): RedisProxy {
    const { proxy } = this.#berth(index)
    if (proxy === undefined) throw new RangeError('there are proxies only before a single Redis server')
    return proxy
  }

  /** Kills a node. */
  async kill9(index: number): Promise<void> {
    const { node } = this.#berth(index)
    this.#leaving.add(node)
    await node.kill9()
  }

  /** Asks a node to leave; resolves with its exit status. From now on no connection is sent there. */
  term(index: number): Promise<ExitStatus> {
    const { node } = this.#berth(index)
    this.#leaving.add(node)
    return node.term()
  }

  /** Starts a node in the place of one that has ended or is leaving, and waits until it is ready. */
  async replace(index: number): Promise<NodeProcess> {
    const berth = this.#berth(index)
    berth.generation += 1
    berth.node = await this.#launch(berth.proxy, `n${index}.${berth.generation}`)
    await berth.node.isReady()
    return berth.node
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const node of this.nodes) this.#leaving.add(node)
    await Promise.all(
      this.#berths.map(async ({ node, proxy }) => {
        await node.stop()
        await proxy?.close()
      }),
    )
  }

  async #launch(proxy: RedisProxy | undefined, name: string): Promise<NodeProcess> {
    const { options, history, redis } = this.#options
    const engine = typeof redis === 'number' ? { redis: proxy?.url } : redis.engine
    const node = await NodeProcess.start({ ...options, node: name, engine })
    void node.exited.then((status) =>
      history.note({ t: 'exit', process: name, status: String(status), expected: this.#leaving.has(node) }),
    )
    return node
  }

  #berth(index: number): Berth {
    const berth = this.#berths[index]
    if (berth === undefined) throw new RangeError(`there is no node ${index}`)
    return berth
  }
}
