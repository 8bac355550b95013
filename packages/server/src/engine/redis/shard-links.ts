import type { Cancel, Clock } from '../../clock.js'
import { EngineUnavailableError } from '../unavailable.js'
import { Backoff } from './backoff.js'
import { CommandLink, type LinkParts } from './command-link.js'
import { redirectOf, remedyOf } from './error-replies.js'
import type { Address, Commands, Reply, Script, ShardCommands, Topology } from './shard.js'

/** After how long at the latest what is known of the shards is compared with what they say. */
const COMPARE_MS = 10_000

/** The command links: one for each shard, wherever it moves. */
export class ShardLinks implements ShardCommands {
  readonly #topology: Topology
  readonly #parts: Omit<LinkParts, 'astray'>
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #links = new Map<string, CommandLink>()
  #problem: string | undefined
  #stopWatching: Cancel | undefined
  #stopComparing: Cancel | undefined
  #stopSearching: Cancel | undefined
  #isClosed = false

  constructor(topology: Topology, parts: Omit<LinkParts, 'astray'>) {
    this.#topology = topology
    this.#parts = parts
    this.#clock = parts.clock
    this.#backoff = new Backoff(parts.random)
  }

  /** Resolves when every shard's link is up, or three attempts have failed. */
  async start(): Promise<void> {
    this.#stopWatching = this.#topology.watch(() => this.#reconcile())
    this.#stopComparing = this.#clock.every(COMPARE_MS, () => this.#search())
    for (const delayMs of [0, 1_000, 2_000]) {
      if (delayMs > 0) await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve))
      if (this.#isClosed || (await this.#refresh())) break
    }
    this.#reconcile()
    if (this.#links.size === 0) this.#search()
    await Promise.all([...this.#links.values()].map((link) => link.tried()))
  }

  close(): void {
    this.#isClosed = true
    this.#stopWatching?.()
    this.#stopComparing?.()
    this.#stopSearching?.()
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  /** What keeps commands from being let through, in one sentence. */
  problem(): string | undefined {
    for (const link of this.#links.values()) if (link.problem !== undefined) return link.problem
    return this.#links.size === 0 ? (this.#problem ?? 'no server was found yet') : undefined
  }

  of(key: string): Commands {
    return new KeyCommands(this, key)
  }

  shard(id: string): Commands {
    const link = this.#links.get(id)
    return link ?? refusing(`there is no shard ${id}`)
  }

  /** The link of the shard that holds `key` now. */
  linkOf(key: string): CommandLink | undefined {
    const shard = this.#topology.shardOf(key)
    return shard && this.#links.get(shard.id)
  }

  /** The link to this very server, if one of the shards is there. */
  linkAt(address: Address): CommandLink | undefined {
    for (const link of this.#links.values())
      if (link.address.host === address.host && link.address.port === address.port) return link
    return undefined
  }

  /** Finds out anew where the shards are. Answers whether it could. */
  async #refresh(): Promise<boolean> {
    try {
      await this.#topology.refresh()
      this.#problem = undefined
      return true
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
      this.#parts.changed()
      return false
    }
  }

  /** As `refresh`, for one who was sent elsewhere. */
  async refresh(): Promise<void> {
    await this.#refresh()
  }

  /** Looks until it has found out; one search at a time. */
  #search(): void {
    if (this.#isClosed || this.#stopSearching !== undefined) return
    this.#stopSearching = () => {}
    void this.#refresh().then((found) => {
      this.#stopSearching = undefined
      if (this.#isClosed) return
      if (found) this.#backoff.succeeded()
      else this.#searchLater()
    })
  }

  #searchLater(): void {
    const cancel = this.#clock.after(this.#backoff.next(), () => {
      this.#stopSearching = undefined
      this.#search()
    })
    this.#stopSearching = cancel
  }

  #reconcile(): void {
    if (this.#isClosed) return
    const shards = this.#topology.shards()
    for (const [id, link] of this.#links) {
      if (shards.some((shard) => shard.id === id)) continue
      this.#links.delete(id)
      link.close()
    }
    for (const shard of shards) {
      const known = this.#links.get(shard.id)
      if (known !== undefined) known.moveTo(shard.address)
      else this.#open(shard)
    }
    this.#parts.changed()
  }

  #open(shard: { readonly id: string; readonly address: Address }): void {
    const link = new CommandLink(shard, { ...this.#parts, astray: () => this.#search() })
    this.#links.set(shard.id, link)
    link.start()
  }
}

/** The commands of whichever shard holds a key. One that was answered by another address, and so not executed, is sent there, once. */
class KeyCommands implements Commands {
  readonly #links: ShardLinks
  readonly #key: string

  constructor(links: ShardLinks, key: string) {
    this.#links = links
    this.#key = key
  }

  send(args: readonly string[]): Promise<Reply> {
    return this.#act(
      (link) => link.send(args),
      () => args,
    )
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#act(
      (link) => link.run(script, keys, args),
      () => ['EVAL', script.text, String(keys.length), ...keys, ...args],
    )
  }

  #act(act: (link: CommandLink) => Promise<Reply>, asked: () => readonly string[]): Promise<Reply> {
    const link = this.#links.linkOf(this.#key)
    return link === undefined
      ? Promise.reject(this.#nowhere())
      : act(link).catch((error: unknown) => this.#follow(error, act, asked))
  }

  #follow(error: unknown, act: (link: CommandLink) => Promise<Reply>, asked: () => readonly string[]): Promise<Reply> {
    const { cause } = error as Error
    const remedy = remedyOf(cause)
    if (remedy === 'follow') return this.#moved(act)
    if (remedy === 'ask') return this.#asked(cause, asked(), error)
    throw error
  }

  async #moved(act: (link: CommandLink) => Promise<Reply>): Promise<Reply> {
    await this.#links.refresh()
    const link = this.#links.linkOf(this.#key)
    if (link === undefined) throw this.#nowhere()
    return act(link)
  }

  async #asked(cause: unknown, args: readonly string[], error: unknown): Promise<Reply> {
    const address = redirectOf(cause)
    const link = address && this.#links.linkAt(address)
    if (link === undefined) throw error
    return link.ask(args)
  }

  #nowhere(): EngineUnavailableError {
    return new EngineUnavailableError(this.#links.problem() ?? 'no server holds this part of the key space')
  }
}

function refusing(reason: string): Commands {
  const refuse = (): Promise<never> => Promise.reject(new EngineUnavailableError(reason))
  return { send: refuse, run: refuse }
}
