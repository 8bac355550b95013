import type { Keys } from './keys.js'
import type { ShardCommands } from './shard.js'

/** What a holding is of. */
export type HoldingKind = 'members' | 'counter'

/** Names known to be written down; beyond it each use writes again. */
const KNOWN_MAX = 500_000

/** Names written in one command. */
const PORTION = 1_000

interface Holding {
  /** Resolves when it is written down. */
  readonly written: Promise<void>
  /** Uses under way. */
  uses: number
  /** How much is held there. */
  amount: number
}

/**
 * Where this process holds something in the name of a node: written down in Redis before it is held, so that whoever lets go of it after the node's death
 * finds it. What nothing is held in any more is struck out when `tidy` is called.
 */
export class Holdings {
  readonly #commands: ShardCommands
  readonly #keys: Keys
  readonly #owners = new Map<string, string>()
  readonly #known = new Map<string, Map<string, Holding>>()

  constructor(commands: ShardCommands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  /** The name under which a node holds things: that of its present lease. */
  ownerOf(node: string): string {
    return this.#owners.get(node) ?? `-${node}`
  }

  /** The node has a new lease: what it held under the one before is not its own any more. Answers the owner before and its holdings. */
  become(node: string, owner: string | undefined): { readonly owner: string; readonly names: readonly string[] } {
    const before = this.ownerOf(node)
    if (owner === undefined) this.#owners.delete(node)
    else this.#owners.set(node, owner)
    const names = [...(this.#known.get(before)?.keys() ?? [])]
    this.#known.delete(before)
    return { owner: before, names }
  }

  /** Does something that may make `owner` hold more or less of `name`; `act` answers how much is held in it now, as far as this process knows. */
  async use<T>(
    owner: string,
    kind: HoldingKind,
    name: string,
    act: () => Promise<{ readonly outcome: T; readonly amount: (before: number) => number }>,
  ): Promise<T> {
    const holding = this.#holding(owner, `${kind}:${name}`)
    holding.uses += 1
    try {
      await holding.written
      const { outcome, amount } = await act()
      holding.amount = Math.max(0, amount(holding.amount))
      return outcome
    } catch (error) {
      // Nobody knows whether it was done.
      holding.amount += 1
      throw error
    } finally {
      holding.uses -= 1
    }
  }

  /** Strikes out what nothing is held in. */
  async tidy(): Promise<void> {
    for (const [owner, known] of this.#known) {
      const idle = [...known].filter(([, holding]) => holding.uses === 0 && holding.amount === 0).map(([name]) => name)
      for (let at = 0; at < idle.length; at += PORTION) {
        const portion = idle.slice(at, at + PORTION).filter((name) => known.get(name)?.uses === 0)
        // Whoever uses one of them from here on writes it down again, over the same connection and so after this.
        for (const name of portion) known.delete(name)
        if (portion.length > 0) await this.#write('SREM', owner, portion)
      }
      if (known.size === 0) this.#known.delete(owner)
    }
  }

  /** Writes down again what an owner that was given up may still hold. */
  async restore(owner: string, names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += PORTION) await this.#write('SADD', owner, names.slice(at, at + PORTION))
  }

  #holding(owner: string, name: string): Holding {
    const known = this.#known.get(owner) ?? new Map<string, Holding>()
    this.#known.set(owner, known)
    const held = known.get(name)
    if (held !== undefined) return held
    const holding = { written: this.#write('SADD', owner, [name]), uses: 0, amount: 0 }
    if (known.size >= KNOWN_MAX) return holding
    known.set(name, holding)
    holding.written.catch(() => {
      if (known.get(name) === holding) known.delete(name)
    })
    return holding
  }

  async #write(command: 'SADD' | 'SREM', owner: string, names: readonly string[]): Promise<void> {
    const key = this.#keys.own('holdings', owner)
    await this.#commands.of(key).send([command, key, ...names])
  }
}
