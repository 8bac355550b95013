import type { Address, Shard, Topology } from './shard.js'

/** One server. */
export class SingleTopology implements Topology {
  readonly #shard: Shard

  constructor(address: Address) {
    this.#shard = { id: 'single', address }
  }

  shards(): readonly Shard[] {
    return [this.#shard]
  }

  shardOf(): Shard {
    return this.#shard
  }

  refresh(): Promise<void> {
    return Promise.resolve()
  }

  watch(): () => void {
    return () => {}
  }
}
