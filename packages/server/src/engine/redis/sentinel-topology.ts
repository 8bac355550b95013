import type { RedisConnection } from './connector.js'
import type { Seeds } from './seeds.js'
import type { Address, Shard, Topology } from './shard.js'

/** The master of a set that Sentinel watches. Whether it is one is seen when a link greets it. */
export class SentinelTopology implements Topology {
  readonly #seeds: Seeds
  readonly #master: string
  readonly #listeners = new Set<() => void>()
  #shard: Shard | undefined
  #running: Promise<void> | undefined

  /** `master`: the name under which the sentinels know the set. */
  constructor(seeds: Seeds, master: string) {
    this.#seeds = seeds
    this.#master = master
  }

  shards(): readonly Shard[] {
    return this.#shard === undefined ? [] : [this.#shard]
  }

  shardOf(): Shard | undefined {
    return this.#shard
  }

  refresh(): Promise<void> {
    this.#running ??= this.#find().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #find(): Promise<void> {
    const address = await this.#seeds.ask((connection) => masterOf(connection, this.#master))
    const known = this.#shard?.address
    if (known?.host === address.host && known.port === address.port) return
    this.#shard = { id: this.#master, address }
    for (const listener of this.#listeners) listener()
  }
}

async function masterOf(connection: RedisConnection, name: string): Promise<Address> {
  const answer = await connection.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name])
  const [host, port] = Array.isArray(answer) ? (answer as unknown[]) : []
  if (typeof host !== 'string' || !Number.isInteger(Number(port))) throw new Error(`knows no master named ${name}`)
  return { host, port: Number(port) }
}
