import type { Counters } from '../engine.js'
import type { Holdings } from './holdings.js'
import type { Keys } from './keys.js'
import { asList, asNumber } from './reply.js'
import { ADD_TO_COUNTER } from './scripts/counter.js'
import type { ShardCommands } from './shard.js'

/** Numbers that nodes share, each a hash of shares. */
export class RedisCounters implements Counters {
  readonly #commands: ShardCommands
  readonly #keys: Keys
  readonly #holdings: Holdings

  constructor(commands: ShardCommands, keys: Keys, holdings: Holdings) {
    this.#commands = commands
    this.#keys = keys
    this.#holdings = holdings
  }

  add(name: string, by: number, options: { node: string; max?: number }): Promise<number | undefined> {
    const owner = this.#holdings.ownerOf(options.node)
    const key = this.#keys.counter(name)
    return this.#holdings.use(owner, 'counter', name, async () => {
      const args = [owner, String(by), String(options.max ?? '')]
      const reply = await this.#commands.of(key).run(ADD_TO_COUNTER, [key], args)
      if (reply === null) return { outcome: undefined, amount: (before) => before }
      const [sum, share] = asList(reply).map(asNumber)
      return { outcome: sum, amount: (before) => share ?? before }
    })
  }
}
