import type { Leases } from '../engine.js'
import type { Keys } from './keys.js'
import { HOLD_LEASE, RELEASE_LEASE } from './scripts/lease.js'
import type { ShardCommands } from './shard.js'

/** Leases, each a key with a lifetime. */
export class RedisLeases implements Leases {
  readonly #commands: ShardCommands
  readonly #keys: Keys

  constructor(commands: ShardCommands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  async hold(name: string, holder: string, ttlMs: number): Promise<boolean> {
    const key = this.#keys.lease(name)
    return (await this.#commands.of(key).run(HOLD_LEASE, [key], [holder, String(ttlMs)])) === 1
  }

  async release(name: string, holder: string): Promise<void> {
    const key = this.#keys.lease(name)
    await this.#commands.of(key).run(RELEASE_LEASE, [key], [holder])
  }
}
