import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import type { Logger } from '../../telemetry/log.js'
import type { Keys } from './keys.js'
import type { RedisLeases } from './leases.js'
import { asList, asText } from './reply.js'
import type { Shard, ShardCommands, Topology } from './shard.js'

/** How a janitor works. */
export interface JanitorLimits {
  /** Keys that are looked at in a second, about. */
  readonly keysPerSecond: number
  /** Milliseconds from the end of a walk to the beginning of the next. */
  readonly restMs: number
  /** The life of what had none. */
  readonly lifeMs: number
}

/** A million keys in half an hour; a life as long as the longest that anything is kept after its end. */
export const JANITOR_LIMITS: JanitorLimits = { keysPerSecond: 500, restMs: 600_000, lifeMs: 7 * 86_400_000 }

/** What a janitor needs of the rest. */
export interface JanitorParts {
  readonly commands: ShardCommands
  readonly topology: Topology
  readonly keys: Keys
  readonly leases: RedisLeases
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly limits: JanitorLimits
}

/** The parts of the key space that live for a time, each named in `keys.ts`. What is not here belongs to the lease of a node. */
const MORTAL = ['log', 'top', 'state', 'key', 'record', 'lease', 'rate', 'ends', 'entries', 'order', 'order-ends']

/** One step a second; who does not take one for so long has left the walk to others. */
const STEP_MS = 1_000
const LEASE_MS = 5_000
const LEASE = 'janitor'

/**
 * Walks through all keys, slowly, one node at a time, and gives a life to those that should have one and have none: what somebody else wrote or restored, or made
 * persistent by hand. Nothing here writes such a key, so each is worth a line in the log.
 */
export class Janitor {
  readonly #parts: JanitorParts
  readonly #mortal: RegExp
  readonly #name: string
  /** Where the walk is: the shards left and the cursor in the first of them. */
  #walk: { readonly shards: readonly Shard[]; readonly cursor: string } | undefined
  #restUntil = 0
  /** Until when another is left to walk. */
  #leftUntil = 0
  #given = 0
  #isStepping = false
  #stop: Cancel | undefined

  constructor(parts: JanitorParts) {
    this.#parts = parts
    this.#name = parts.random.id(9)
    const root = parts.keys.root.replaceAll('.', '\\.')
    this.#mortal = new RegExp(`^${root}\\{[^}]*\\}:(?:${MORTAL.join('|')}):[=~]`)
  }

  /** How many keys got a life from this node. */
  get given(): number {
    return this.#given
  }

  start(): void {
    this.#stop ??= this.#parts.clock.every(STEP_MS, () => void this.#step())
  }

  /** Leaves the walk to another node. */
  async close(): Promise<void> {
    this.#stop?.()
    if (this.#stop !== undefined) await this.#parts.leases.release(LEASE, this.#name).catch(() => undefined)
    this.#stop = undefined
  }

  async #step(): Promise<void> {
    const { clock, leases } = this.#parts
    if (this.#isStepping || clock.now() < this.#leftUntil) return
    this.#isStepping = true
    try {
      if (!(await leases.hold(LEASE, this.#name, LEASE_MS))) {
        this.#leftUntil = clock.now() + LEASE_MS
        this.#walk = undefined
      } else if (clock.now() >= this.#restUntil) await this.#look()
    } catch {
      // The server is away. Where it was lost is looked at once more.
      this.#walk = undefined
    } finally {
      this.#isStepping = false
    }
  }

  /** Looks at the keys of one second. */
  async #look(): Promise<void> {
    const { commands, topology, keys, clock, limits } = this.#parts
    const { shards, cursor } = this.#walk ?? { shards: topology.shards(), cursor: '0' }
    const [shard, ...rest] = shards
    if (shard === undefined) return
    const scan = ['SCAN', cursor, 'MATCH', `${keys.root}{*`, 'COUNT', String(limits.keysPerSecond)]
    const [next, found] = asList(await commands.shard(shard.id).send(scan))
    await Promise.all(asList(found).map((key) => this.#see(asText(key))))
    if (asText(next) !== '0') this.#walk = { shards, cursor: asText(next) }
    else this.#walk = rest.length > 0 ? { shards: rest, cursor: '0' } : undefined
    if (this.#walk === undefined) this.#restUntil = clock.now() + limits.restMs
  }

  async #see(key: string): Promise<void> {
    if (!this.#mortal.test(key)) return
    const { commands, log, limits } = this.#parts
    const isGiven = (await commands.of(key).send(['PEXPIRE', key, String(limits.lifeMs), 'NX'])) === 1
    if (!isGiven) return
    this.#given += 1
    log.warn({ event: 'engine.lifetime_given', key, lifeMs: limits.lifeMs }, 'a key that should end had no lifetime')
  }
}
