import type { Cancel, Clock } from '../clock.js'
import { Duty } from '../core/nodes/duty.js'
import type { Engine } from '../engine/engine.js'
import { type Lives, lookAtLives } from './life.js'
import { Orphans, type OrphansParts } from './orphans.js'
import { Reconciler, type ReconcilerParts } from './reconciler.js'

/** What an overseer works with. */
export interface OverseerParts
  extends Omit<ReconcilerParts, 'isLive' | 'engine' | 'clock'>, Omit<OrphansParts, 'onMarked' | 'engine' | 'clock'> {
  readonly engine: Engine
  readonly clock: Clock
  /** The name under which this process holds leases. */
  readonly holder: string
}

/** How often an overseer looks. */
const LOOK_MS = 1_000

/** How long changes are gathered before they are looked at: what comes and goes in this time is no event. */
const GATHER_MS = 100

const LEASE = 'lifecycle'

/** One node of the cluster looks after what no node can tell alone: nodes that died, channels and members. All are ready to be that one. */
export class Overseer {
  readonly #parts: OverseerParts
  readonly #reconciler: Reconciler
  readonly #orphans: Orphans
  #lives: Lives = { live: new Set(), dead: [], lost: [] }
  readonly #duty: Duty
  #isHolder = false
  #gathering: Cancel | undefined
  readonly #gathered = new Set<string>()

  constructor(parts: OverseerParts) {
    this.#parts = parts
    this.#reconciler = new Reconciler({ ...parts, isLive: (life) => this.#isLive(life) })
    this.#orphans = new Orphans({ ...parts, onMarked: (tenant) => this.changed([tenant]) })
    const round = (): Promise<void> => this.#look()
    this.#duty = new Duty({ ...parts, lease: LEASE, everyMs: LOOK_MS, round, onDue: () => void this.look() })
  }

  /** Whether this node is the one. */
  get isHolder(): boolean {
    return this.#isHolder
  }

  /** Looks, or is ready to, from now on. */
  start(): void {
    this.#duty.start()
    void this.look()
  }

  /** Something of these tenants has changed (undefined: of any). */
  changed(tenants: readonly string[] | undefined): void {
    if (!this.#isHolder || !this.#duty.isOn) return
    if (tenants === undefined) return void this.look()
    for (const tenant of tenants) this.#gathered.add(tenant)
    this.#gathering ??= this.#parts.clock.after(GATHER_MS, () => this.#lookAtGathered())
  }

  /** Shows itself, and looks at everything if it is the one and does not do so just now. Resolves when it has looked, or could not. */
  async look(): Promise<void> {
    if (this.#parts.engine.problem() !== undefined) return void (this.#isHolder = false)
    // Also while it looks, however long that takes.
    this.#isHolder = await this.#duty.hold().catch(() => false)
    if (this.#isHolder) await this.#duty.do()
  }

  /** Looks a last time, so that what was marked is told, and leaves the rest to the others. */
  async stop(): Promise<void> {
    if (!this.#duty.isOn) return
    this.#gathering?.()
    await this.#duty.stop()
    if (this.#isHolder) await this.#reconciler.all().catch(this.#parts.onError)
    this.#isHolder = false
    await this.#duty.release()
  }

  async #look(): Promise<void> {
    this.#lives = await lookAtLives(this.#parts.engine)
    await this.#orphans.look(this.#lives)
    await this.#reconciler.all()
  }

  #lookAtGathered(): void {
    this.#gathering = undefined
    const tenants = [...this.#gathered]
    this.#gathered.clear()
    void this.#reconciler.some(tenants).catch(this.#parts.onError)
  }

  /** A life that began since the last look is not known yet. */
  async #isLive(life: string): Promise<boolean> {
    const { live, dead } = this.#lives
    if (live.has(life)) return true
    if (dead.includes(life)) return false
    this.#lives = await lookAtLives(this.#parts.engine)
    return this.#lives.live.has(life)
  }
}
