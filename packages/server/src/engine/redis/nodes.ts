import type { Random } from '../../random.js'
import type { LiveNode, Nodes } from '../engine.js'
import type { Holdings } from './holdings.js'
import type { Keys } from './keys.js'
import { asList, asText } from './reply.js'
import { LET_GO } from './scripts/member.js'
import { RENEW_NODE } from './scripts/node.js'
import { HOLD_LEASE, RELEASE_LEASE } from './scripts/lease.js'
import type { Reply, ShardCommands } from './shard.js'

/** How long one process may take for a portion of what a dead node held, before another may go on with it. */
const REAPING_MS = 30_000

/** Holdings, and entries of one channel, that are let go of in one step. */
const PORTION = 200

/** The nodes, their leases, and what becomes of what they held. */
export class RedisNodes implements Nodes {
  readonly #commands: ShardCommands
  readonly #keys: Keys
  readonly #random: Random
  readonly #holdings: Holdings
  readonly #losses: () => number
  /** What `losses` was when each node last renewed its lease. */
  readonly #lossesKnown = new Map<string, number>()
  /** Leases that lapsed, with what was held under them. */
  readonly #givenUp: { readonly node: string; readonly owner: string; readonly names: readonly string[] }[] = []
  /** The name of this process as a reaper. */
  readonly #reaper: string

  /** `losses` counts how often the servers may have forgotten what they had stored. */
  constructor(parts: {
    commands: ShardCommands
    keys: Keys
    random: Random
    holdings: Holdings
    losses: () => number
  }) {
    this.#commands = parts.commands
    this.#keys = parts.keys
    this.#random = parts.random
    this.#holdings = parts.holdings
    this.#losses = parts.losses
    this.#reaper = parts.random.id(12)
  }

  async renew(node: string, about: string, ttlMs: number): Promise<boolean> {
    const [owner, candidate] = [this.#holdings.ownerOf(node), this.#random.id(9)]
    const losses = this.#losses()
    // The lease may be older than what was held under it, and lost: then it is taken again, and all of it entered again.
    const isSure = losses === (this.#lossesKnown.get(node) ?? losses)
    const args = [node, about, String(ttlMs), isSure ? owner : '', candidate]
    const keys = [this.#keys.node('lease', node), this.#registry]
    const isRenewed = (await this.#commands.of(this.#registry).run(RENEW_NODE, keys, args)) === 1
    this.#lossesKnown.set(node, losses)
    if (!isRenewed) {
      const given = this.#holdings.become(node, candidate)
      if (given.names.length > 0) this.#givenUp.push({ node, ...given })
    }
    // That it was not renewed is told once, so it is told also when this fails; then the next renewal does it.
    await this.#register().catch(() => undefined)
    return isRenewed
  }

  async leave(node: string): Promise<void> {
    this.#lossesKnown.delete(node)
    this.#holdings.become(node, undefined)
    await this.#commands.of(this.#registry).send(['DEL', this.#keys.node('lease', node)])
  }

  async list(): Promise<readonly LiveNode[]> {
    const { live } = await this.#look()
    return live
  }

  async reap(): Promise<readonly string[]> {
    await this.#holdings.tidy()
    const { live, gone } = await this.#look()
    const reaped = new Set<string>()
    for (const [owner, node] of gone) if (await this.#reapOne(owner)) reaped.add(node)
    for (const { node } of live) reaped.delete(node)
    return [...reaped]
  }

  /** Has what was held under lapsed leases let go of once more: some of it was on its way then, and may have come after whoever let go of the rest. */
  async #register(): Promise<void> {
    for (let next = this.#givenUp.shift(); next !== undefined; next = this.#givenUp.shift()) {
      try {
        await this.#holdings.restore(next.owner, next.names)
        await this.#registrySend('HSET', next.owner, next.node)
      } catch (error) {
        this.#givenUp.push(next)
        throw error
      }
    }
  }

  get #registry(): string {
    return this.#keys.nodes('registry')
  }

  async #registrySend(command: string, ...args: readonly string[]): Promise<Reply> {
    return this.#commands.of(this.#registry).send([command, this.#registry, ...args])
  }

  /** The nodes that hold their lease, and the owners whose lease is gone, each with its node. */
  async #look(): Promise<{ live: LiveNode[]; gone: [owner: string, node: string][] }> {
    const registered = pairs(await this.#registrySend('HGETALL'))
    const [live, gone] = [new Array<LiveNode>(), new Array<[string, string]>()]
    if (registered.length === 0) return { live, gone }
    const leases = registered.map(([, node]) => this.#keys.node('lease', node))
    const held = asList(await this.#commands.of(this.#registry).send(['MGET', ...leases]))
    for (const [at, [owner, node]] of registered.entries()) {
      const lease = held[at]
      if (typeof lease === 'string' && lease.startsWith(`${owner}\n`))
        live.push({ node, about: lease.slice(owner.length + 1) })
      else gone.push([owner, node])
    }
    return { live, gone }
  }

  /** Lets go of all that an owner holds; false where another does. Whoever dies meanwhile leaves the rest to the next. */
  async #reapOne(owner: string): Promise<boolean> {
    if (!(await this.#holdReaping(owner))) return false
    const key = this.#keys.own('holdings', owner)
    for (;;) {
      const names = asList(await this.#commands.of(key).send(['SRANDMEMBER', key, String(PORTION)])).map(asText)
      if (names.length === 0) break
      await Promise.all(names.map((name) => this.#letGo(owner, name)))
      await this.#commands.of(key).send(['SREM', key, ...names])
      if (!(await this.#holdReaping(owner))) return false
    }
    const isFirst = (await this.#registrySend('HDEL', owner)) === 1
    const lock = this.#keys.node('reaping', owner)
    await this.#commands.of(lock).run(RELEASE_LEASE, [lock], [this.#reaper])
    return isFirst
  }

  async #holdReaping(owner: string): Promise<boolean> {
    const lock = this.#keys.node('reaping', owner)
    return (await this.#commands.of(lock).run(HOLD_LEASE, [lock], [this.#reaper, String(REAPING_MS)])) === 1
  }

  async #letGo(owner: string, holding: string): Promise<void> {
    const colon = holding.indexOf(':')
    const name = holding.slice(colon + 1)
    if (holding.slice(0, colon) === 'members') return this.#letGoMembers(owner, name)
    const counter = this.#keys.counter(name)
    await this.#commands.of(counter).send(['HDEL', counter, owner])
  }

  async #letGoMembers(owner: string, name: string): Promise<void> {
    const { members, users, live } = this.#keys.named(name)
    let cursor = '0'
    do {
      const args = [owner, cursor, String(PORTION)]
      cursor = asText(await this.#commands.of(members).run(LET_GO, [members, users, live], args))
    } while (cursor !== '0')
  }
}

function pairs(reply: Reply): [string, string][] {
  const flat = asList(reply).map(asText)
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2] ?? '', flat[at * 2 + 1] ?? ''])
}
