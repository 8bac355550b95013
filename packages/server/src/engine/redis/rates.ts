import type { Rate, Rates } from '../engine.js'
import type { Keys } from './keys.js'
import { asNumber } from './reply.js'
import { TAKE_TOKENS } from './scripts/rate.js'
import type { ShardCommands } from './shard.js'

/** Token buckets, each a key that lives until the bucket is full. */
export class RedisRates implements Rates {
  readonly #commands: ShardCommands
  readonly #keys: Keys

  constructor(commands: ShardCommands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  async take(name: string, cost: number, { perSecond, burst }: Rate): Promise<number> {
    if (cost > burst) return Infinity
    const key = this.#keys.rate(name)
    const args = [cost, perSecond, burst].map(String)
    return asNumber(await this.#commands.of(key).run(TAKE_TOKENS, [key], args))
  }
}
