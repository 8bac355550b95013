import type { Cancel, Clock } from '../../clock.js'
import type { Engine } from '../../engine/engine.js'

/** What a duty works with. */
export interface DutyParts {
  readonly engine: Pick<Engine, 'leases' | 'problem'>
  readonly clock: Pick<Clock, 'every'>
  /** The name of the lease that the one node holds which has the duty. */
  readonly lease: string
  /** The name under which this process holds leases. */
  readonly holder: string
  /** Milliseconds between two rounds. */
  readonly everyMs: number
  /** One round: has to ask whether this node has the duty (`hold`), and again where it takes long. */
  readonly round: () => Promise<void>
  /** Called when a round is due (default: begins it). */
  readonly onDue?: () => void
  readonly onError: (error: unknown) => void
}

/** Milliseconds for which a node has a duty without showing itself. */
const LEASE_MS = 5_000

/** What one node of the cluster does for all, round by round, one at a time. All are ready to be that node. */
export class Duty {
  readonly #parts: DutyParts
  #stop: Cancel | undefined
  #round: Promise<void> | undefined
  #holding: Promise<boolean> = Promise.resolve(false)
  #isHeld = false

  constructor(parts: DutyParts) {
    this.#parts = parts
  }

  /** Whether this node does it, or is ready to. */
  get isOn(): boolean {
    return this.#stop !== undefined
  }

  /** Whether this node had the duty when that was asked last, and could be asked now. */
  get isHeld(): boolean {
    return this.#isHeld && this.#parts.engine.problem() === undefined
  }

  /** Rounds from now on. */
  start(): void {
    const { clock, everyMs, onDue = () => void this.do() } = this.#parts
    this.#stop ??= clock.every(everyMs, onDue)
  }

  /** No rounds from now on; resolves when the last is over. */
  async stop(): Promise<void> {
    this.#stop?.()
    this.#stop = undefined
    await this.#round
  }

  /** Leaves the duty to the others. What cannot be told lapses. */
  async release(): Promise<void> {
    const { engine, lease, holder, onError } = this.#parts
    // What asks for it now would get it back.
    await this.#holding.catch(() => false)
    this.#isHeld = false
    if (engine.problem() === undefined) await engine.leases.release(lease, holder).catch(onError)
  }

  /** Whether this node has the duty, from now on for some seconds. Rejects when the engine cannot be reached. */
  async hold(): Promise<boolean> {
    const { engine, lease, holder } = this.#parts
    if (!this.isOn) return false
    this.#holding = engine.leases.hold(lease, holder, LEASE_MS)
    this.#isHeld = await this.#holding.catch((error: unknown) => {
      this.#isHeld = false
      throw error
    })
    return this.#isHeld
  }

  /** A round, unless one is under way: then until that is over. */
  async do(): Promise<void> {
    const { engine, round, onError } = this.#parts
    if (engine.problem() !== undefined || !this.isOn) return
    this.#round ??= round()
      .catch(onError)
      .finally(() => (this.#round = undefined))
    await this.#round
  }
}
