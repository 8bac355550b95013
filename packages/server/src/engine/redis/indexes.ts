import type { IndexEntry, IndexRange, Indexes } from '../engine.js'
import { INDEX_ENTRIES_MAX, soundScore } from '../index-order.js'
import { decodeMember, encodeMember } from './index-member.js'
import type { Keys } from './keys.js'
import { asList, asNumber, asText } from './reply.js'
import { PUT_INDEXED, RANGE_INDEXED, REMOVE_INDEXED } from './scripts/sorted-index.js'
import type { Reply, Script, ShardCommands } from './shard.js'

/** Indexes, each two sorted sets that live as long as the last of their entries. */
export class RedisIndexes implements Indexes {
  readonly #commands: ShardCommands
  readonly #keys: Keys

  constructor(commands: ShardCommands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  async put(name: string, { key, score, ttlMs }: IndexEntry & { readonly ttlMs: number }): Promise<void> {
    const args = [encodeMember(key), String(soundScore(score)), String(ttlMs), String(INDEX_ENTRIES_MAX)]
    await this.#run(PUT_INDEXED, name, args)
  }

  async remove(name: string, key: string): Promise<boolean> {
    return (await this.#run(REMOVE_INDEXED, name, [encodeMember(key)])) === 1
  }

  async range(
    name: string,
    { from = -Infinity, to = Infinity, after, order, limit }: IndexRange,
  ): Promise<readonly IndexEntry[]> {
    const args = [bound(from), bound(to), order === 'descending' ? '1' : '0', String(limit)]
    const behind = after === undefined ? ['', ''] : [bound(after.score), encodeMember(after.key)]
    const flat = asList(await this.#run(RANGE_INDEXED, name, [...args, ...behind]))
    return Array.from({ length: flat.length / 2 }, (_, at) => ({
      key: decodeMember(asText(flat[at * 2])),
      score: asNumber(flat[at * 2 + 1]),
    }))
  }

  #run(script: Script, name: string, args: readonly string[]): Promise<Reply> {
    const { order, ends } = this.#keys.index(name)
    return this.#commands.of(order).run(script, [order, ends], args)
  }
}

/** A score as Redis writes it. */
function bound(score: number): string {
  if (score === Infinity) return '+inf'
  return score === -Infinity ? '-inf' : String(score + 0)
}
