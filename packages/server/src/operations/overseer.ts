import type { Clock } from '../clock.js'
import { asHoldfastError } from '../core/errors.js'
import { Duty } from '../core/nodes/duty.js'
import type { Engine, IndexEntry } from '../engine/engine.js'
import type { Sighting, View } from './deadlines.js'
import { DUE_INDEX, type Register, TENANTS_INDEX } from './register.js'
import { parseOperationKey } from './store.js'

/** What an overseer works with. */
export interface OverseerParts {
  readonly engine: Engine
  readonly clock: Clock
  /** The name under which this node holds leases. */
  readonly holder: string
  readonly register: Register
  /** Looks at an operation that is due, and answers what to remember of it. Rejects when the engine cannot be reached. */
  readonly look: (tenant: string, id: string, view: View) => Promise<Sighting | undefined>
  readonly onError: (error: unknown) => void
}

/** How often an overseer looks. */
const LOOK_MS = 1_000

/** Operations looked at together, and how often in one look. */
const BATCH = 100
const BATCHES_MAX = 100

/** Operations remembered at most, of those that could not be judged at once. */
const SEEN_MAX = 100_000

const LEASE = 'operations'

/** One node of the cluster looks at operations when they are due: what their workers do not say any more, time says. All are ready to be that one. */
export class OperationOverseer {
  readonly #parts: OverseerParts
  readonly #seen = new Map<string, Sighting>()
  readonly #duty: Duty
  #blindUntil = -Infinity
  /** Where the walk through all operations is. */
  #walk: { tenant: string; after: IndexEntry | undefined } | undefined

  constructor(parts: OverseerParts) {
    this.#parts = parts
    this.#duty = new Duty({
      ...parts,
      lease: LEASE,
      everyMs: LOOK_MS,
      round: () => this.#round(),
      onDue: () => this.#due(),
    })
  }

  /** Whether this node is the one. */
  get isHolder(): boolean {
    return this.#duty.isHeld
  }

  /** Looks, or is ready to, from now on. */
  start(): void {
    this.#duty.start()
  }

  /** Leaves it to the others. */
  async stop(): Promise<void> {
    if (!this.#duty.isOn) return
    await this.#duty.stop()
    await this.#duty.release()
  }

  #due(): void {
    if (this.#parts.engine.problem() === undefined) void this.#duty.do()
    else this.#blind()
  }

  async #round(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      this.#blind()
      throw error
    }
  }

  /** While nobody can look, workers may not be able to speak either: neither that nothing new was seen nor that their time is over says anything of them. */
  #blind(): void {
    this.#blindUntil = this.#parts.clock.now()
    this.#seen.clear()
  }

  async #look(): Promise<void> {
    const { engine, clock } = this.#parts
    for (let batches = 0; batches < BATCHES_MAX && this.#duty.isOn; batches += 1) {
      // Held again for each batch: where there is much to do it takes long.
      if (!(await this.#duty.hold())) return this.#seen.clear()
      const entries = await engine.indexes.range(DUE_INDEX, { to: clock.now(), limit: BATCH })
      const looked = await Promise.all(entries.map(({ key }) => this.#lookAt(key)))
      const isAway = looked.includes(false)
      // It may be one part of the engine: the leases of the others go on to lapse by their time.
      if (isAway) this.#seen.clear()
      if (isAway || entries.length < BATCH) break
    }
    await this.#walkOn()
  }

  /** Whether it could be looked at. */
  async #lookAt(key: string): Promise<boolean> {
    const operation = parseOperationKey(key)
    if (operation === undefined) return this.#parts.engine.indexes.remove(DUE_INDEX, key)
    try {
      const view = { seen: this.#seen.get(key), blindUntil: this.#blindUntil }
      const sighting = await this.#parts.look(operation.tenant, operation.id, view)
      this.#seen.delete(key)
      if (sighting !== undefined && this.#seen.size < SEEN_MAX) this.#seen.set(key, sighting)
      return true
    } catch (error) {
      this.#parts.onError(error)
      if (asHoldfastError(error).code === 'engine_unavailable') return false
      // It stays due, and in nobody's way.
      await this.#parts.register.postpone(operation.tenant, operation.id)
      return true
    }
  }

  /** A few of all operations each time: what lost its place among those that are due gets it back, and what is gone leaves the lists. */
  async #walkOn(): Promise<void> {
    const { engine, register } = this.#parts
    const entries = this.#walk && (await register.look(this.#walk.tenant, this.#walk.after))
    const last = entries?.at(-1)
    if (this.#walk !== undefined && last !== undefined) {
      this.#walk = { tenant: this.#walk.tenant, after: last }
      return
    }
    const after = this.#walk && { after: { key: this.#walk.tenant, score: 0 } }
    const [next] = await engine.indexes.range(TENANTS_INDEX, { limit: 1, ...after })
    this.#walk = next && { tenant: next.key, after: undefined }
  }
}
