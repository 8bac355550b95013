import type { Records, StoredRecord } from '../engine.js'
import type { Keys } from './keys.js'
import { asList, asNumber } from './reply.js'
import { PUT_RECORD, TAKE_RECORD } from './scripts/record.js'
import type { Reply, ShardCommands } from './shard.js'

/** Keyed records, each a hash with a lifetime. */
export class RedisRecords implements Records {
  readonly #commands: ShardCommands
  readonly #keys: Keys

  constructor(commands: ShardCommands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    const name = this.#keys.record(key)
    return asRecord(await this.#commands.of(name).send(['HMGET', name, 'v', 'd']))
  }

  async put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Promise<number | undefined> {
    const name = this.#keys.record(key)
    const args = [value, String(options.ttlMs), String(options.ifVersion ?? '')]
    const version = await this.#commands.of(name).run(PUT_RECORD, [name], args)
    return version === null ? undefined : asNumber(version)
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const name = this.#keys.record(key)
    return asRecord(await this.#commands.of(name).run(TAKE_RECORD, [name], []))
  }
}

function asRecord(reply: Reply): StoredRecord | undefined {
  const [version, value] = reply === null ? [] : asList(reply)
  return typeof value === 'string' ? { value, version: asNumber(version) } : undefined
}
