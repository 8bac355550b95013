import type { RegisterEntry, RegisterRequest, RegisterTotals, Registers } from '../engine.js'
import type { Keys } from './keys.js'
import { asJson, asList, asNumber, asText } from './reply.js'
import { LIST_ENTRIES, PUT_ENTRY, REMOVE_ENTRY, TOTAL_ENTRIES } from './scripts/register.js'
import type { Reply, Script, ShardCommands } from './shard.js'

/** Registers, each a sorted set and a hash that live as long as the last of their entries. */
export class RedisRegisters implements Registers {
  readonly #commands: ShardCommands
  readonly #keys: Keys

  constructor(commands: ShardCommands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  async put(
    name: string,
    { key, value = '', amount = 0, rank = 0, ttlMs, entriesMax }: RegisterRequest,
  ): Promise<(RegisterTotals & { readonly added: boolean }) | undefined> {
    const args = [JSON.stringify(key), value, String(amount), String(ttlMs), String(entriesMax ?? ''), String(rank)]
    const reply = await this.#run(PUT_ENTRY, name, args)
    return reply === null ? undefined : { ...asTotals(reply), added: asList(reply)[2] === 1 }
  }

  async remove(name: string, key: string): Promise<RegisterTotals & { readonly removed: boolean }> {
    const reply = await this.#run(REMOVE_ENTRY, name, [JSON.stringify(key)])
    return { ...asTotals(reply), removed: asList(reply)[2] === 1 }
  }

  async totals(name: string): Promise<RegisterTotals> {
    return asTotals(await this.#run(TOTAL_ENTRIES, name, []))
  }

  async list(name: string, limit: number): Promise<readonly RegisterEntry[]> {
    const flat = asList(await this.#run(LIST_ENTRIES, name, [String(limit)])).map(asText)
    return Array.from({ length: flat.length / 2 }, (_, at) => asEntry(flat[at * 2] ?? '', flat[at * 2 + 1] ?? ''))
  }

  #run(script: Script, name: string, args: readonly string[]): Promise<Reply> {
    const { ends, entries } = this.#keys.register(name)
    return this.#commands.of(ends).run(script, [ends, entries], args)
  }
}

function asTotals(reply: Reply): RegisterTotals {
  const [entries, amount] = asList(reply)
  return { entries: asNumber(entries), amount: asNumber(amount) }
}

function asEntry(key: string, held: string): RegisterEntry {
  const [amount = '', rank = ''] = held.split(' ', 2)
  const value = held.slice(amount.length + rank.length + 2)
  return { key: asJson(key) as string, value, amount: asNumber(amount) }
}
