import type { Cancel, Clock } from '../../clock.js'
import type { Engine } from '../../engine/engine.js'
import type { Random } from '../../random.js'

/** How a node shows the others that it lives. */
export interface LeaseOptions {
  /** Milliseconds between renewals. */
  readonly renewMs: number
  /** Milliseconds without a renewal after which the others let go of what the node holds. */
  readonly leaseMs: number
}

/** What a node tells of itself. */
export interface NodeAbout {
  readonly version: string
  /** ISO-8601, UTC. */
  readonly startedAt: string
  /** Host and port where it listens, if it has a port of its own. */
  readonly address?: string
}

/** What a lease works with. */
export interface NodeLeaseParts {
  readonly engine: Pick<Engine, 'nodes' | 'problem' | 'watch'>
  readonly node: string
  readonly about: NodeAbout
  readonly clock: Clock
  readonly random: Random
  readonly options: LeaseOptions
  /** Enters again what this node holds: it may be gone. What rejects is done again after the next renewal. */
  restore(): Promise<void>
  onError(error: unknown): void
}

/** How often what dead nodes hold is looked for; each node takes a tenth more or less, so that they do not look together. */
const REAP_MS = 1_000

/** Renewals under way at most: an engine that never answers is not asked for ever. */
const RENEWALS_MAX = 8

/**
 * The lease of this node: while it is renewed, what the node has entered in the engine (members, shares of counters) stays. Where it was not renewed in time (the
 * process was frozen, the engine was away or lost its data) all of it is entered again. And the other way round: what nodes hold that have died is let go of.
 */
export class NodeLease {
  readonly #parts: NodeLeaseParts
  readonly #stops: Cancel[] = []
  #about: NodeAbout
  #held = false
  /** Whether what this node entered may be gone. */
  #doubtful = false
  #renewals = 0
  #restoring = false
  #reaping = false

  constructor(parts: NodeLeaseParts) {
    this.#parts = parts
    this.#about = parts.about
  }

  /** Whether the engine took the last renewal. */
  get isHeld(): boolean {
    return this.#held
  }

  /** Tells the others where this node listens, with the next renewal. */
  listensAt(address: string): void {
    this.#about = { ...this.#about, address }
  }

  /** Holds the lease from now on; resolves when the first try to take it has ended. */
  start(): Promise<void> {
    const { clock, engine, random, options } = this.#parts
    this.#stops.push(
      // As soon as it is back: the next renewal is not waited for.
      engine.watch((problem) => void (problem === undefined && this.#renew())),
      clock.every(options.renewMs, () => void this.#renew()),
      clock.every(REAP_MS * (0.9 + 0.2 * random.fraction()), () => void this.#reap()),
    )
    return this.#renew()
  }

  /** Lets the lease lapse; until then what the node holds stays. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** Gives the lease back: the others let go of what is left. */
  async leave(): Promise<void> {
    this.stop()
    await this.#parts.engine.nodes.leave(this.#parts.node).catch(this.#parts.onError)
  }

  async #renew(): Promise<void> {
    const { engine, node, options, onError } = this.#parts
    if (this.#renewals >= RENEWALS_MAX) return
    this.#renewals += 1
    try {
      const held = await engine.nodes.renew(node, JSON.stringify(this.#about), options.leaseMs)
      this.#held = true
      // Of a renewal that was not answered nobody knows what it would have said.
      if (!held || this.#doubtful) await this.#restore()
    } catch (error) {
      this.#held = false
      this.#doubtful = true
      onError(error)
    } finally {
      this.#renewals -= 1
    }
  }

  async #restore(): Promise<void> {
    this.#doubtful = true
    if (this.#restoring) return
    this.#restoring = true
    try {
      this.#doubtful = false
      await this.#parts.restore()
    } finally {
      this.#restoring = false
    }
  }

  async #reap(): Promise<void> {
    const { engine, onError } = this.#parts
    if (this.#reaping || engine.problem() !== undefined) return
    this.#reaping = true
    await engine.nodes.reap().catch(onError)
    this.#reaping = false
  }
}
