import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import type { Engine } from '../engine/engine.js'
import { HoldfastError } from '../core/errors.js'
import type { Operation } from '../operations/operation.js'
import type { Operations } from '../operations/operations.js'

/** A cluster in which operations run while things go wrong. */
export interface ChaosParts {
  readonly clock: Clock
  /** Where watchers listen. */
  readonly engine: Engine
  /** Nodes on that engine, open. */
  readonly nodes: readonly Operations[]
  /** Lets time pass. */
  pass(ms: number): Promise<void>
  /** From 0 up to but not including 1. */
  fraction(): number
}

/** How much, and how long everything takes. */
export interface ChaosPlan {
  readonly operations: number
  /** Operations that run at a time. */
  readonly together: number
  /** Milliseconds between two reports of a worker, and of its lease. */
  readonly reportMs: number
  readonly leaseMs: number
}

/** What came of it. */
export interface ChaosOutcome {
  readonly ends: Readonly<Record<string, number>>
  readonly killed: number
  readonly frozen: number
  readonly raced: number
  /** What must not be, one line each. */
  readonly violations: readonly string[]
}

type Fate = 'works' | 'killed' | 'frozen' | 'raced'

const TENANT = 'chaos'

/** What a watcher of an operation is told. */
class Witness {
  readonly #id: string
  readonly #violations: string[]
  #version = 0
  #attempt = 0
  #percent = 0
  end: string | undefined

  constructor(id: string, violations: string[]) {
    this.#id = id
    this.#violations = violations
  }

  see({ version, attempt, state, progress: { percent = this.#percent } }: OperationSnapshot): void {
    if (this.end !== undefined) this.#violate(`told of ${state} after ${this.end}`)
    if (version <= this.#version) this.#violate(`version ${version} after ${this.#version}`)
    if (attempt < this.#attempt) this.#violate(`attempt ${attempt} after ${this.#attempt}`)
    if (attempt === this.#attempt && percent < this.#percent) this.#violate(`${percent} % after ${this.#percent} %`)
    this.#version = version
    this.#attempt = attempt
    this.#percent = percent
    if (isTerminal(state)) this.end = state
  }

  #violate(what: string): void {
    this.#violations.push(`${this.#id}: ${what}`)
  }
}

/**
 * Runs operations whose workers die (5 %), freeze and come back after somebody else has taken over (2 %), or complete while somebody cancels (20 %), on several nodes. What a worker left
 * another takes up. Each must come to one end, told to its watcher once.
 */
export async function runChaos(parts: ChaosParts, plan: ChaosPlan): Promise<ChaosOutcome> {
  const violations: string[] = []
  const counts = { killed: 0, frozen: 0, raced: 0, works: 0 }
  const ends: Record<string, number> = {}
  for (let first = 0; first < plan.operations; first += plan.together) {
    const count = Math.min(plan.together, plan.operations - first)
    const lives = Array.from({ length: count }, async (_, at) => {
      const fate = fateOf(parts.fraction())
      counts[fate] += 1
      const end = await new Life(parts, plan, `op-${first + at}`, violations).live(fate)
      ends[end] = (ends[end] ?? 0) + 1
    })
    let isOver = false
    const all = Promise.all(lives).finally(() => (isOver = true))
    for (let passed = 0; !isOver && passed < plan.leaseMs * 40; passed += plan.reportMs) await parts.pass(plan.reportMs)
    if (!isOver) violations.push(`operations from ${first} on did not end`)
    else await all
  }
  return { ends, killed: counts.killed, frozen: counts.frozen, raced: counts.raced, violations }
}

function fateOf(fraction: number): Fate {
  if (fraction < 0.05) return 'killed'
  if (fraction < 0.07) return 'frozen'
  return fraction < 0.27 ? 'raced' : 'works'
}

/** One operation, from its begin to its end. */
class Life {
  readonly #parts: ChaosParts
  readonly #plan: ChaosPlan
  readonly #id: string
  readonly #witness: Witness

  constructor(parts: ChaosParts, plan: ChaosPlan, id: string, violations: string[]) {
    this.#parts = parts
    this.#plan = plan
    this.#id = id
    this.#witness = new Witness(id, violations)
  }

  async live(fate: Fate): Promise<string> {
    const ignore = (): void => undefined
    const unlisten = await this.#parts.engine.listen(
      { tenant: TENANT, channel: `operation:${this.#id}` },
      {
        message: (_, { data }) => this.#witness.see(JSON.parse(data) as OperationSnapshot),
        signal: ignore,
        members: ignore,
        rotated: ignore,
        uncertain: ignore,
      },
    )
    const spec = { id: this.#id, kind: 'chaos', owner: `user-${this.#id}`, total: 5, lease: this.#plan.leaseMs }
    const operation = await this.#node().start(TENANT, { ...spec, heartbeat: 'manual' })
    if (fate === 'works') await this.#work(operation, 5)
    else if (fate === 'raced') await this.#race(operation)
    else await this.#abandon(operation, fate)
    const stored = await this.#until((snapshot) => isTerminal(snapshot.state))
    await this.#pause()
    await unlisten()
    if (this.#witness.end === stored.state) return stored.state
    throw new Error(`${this.#id} is ${stored.state}, and its watcher was told ${String(this.#witness.end)}`)
  }

  async #work(operation: Operation, steps: number): Promise<void> {
    for (let step = 0; step < steps && !operation.signal.aborted; step += 1) {
      operation.advance()
      await this.#pause()
    }
    await refusable(operation.signal.aborted ? operation.cancelled() : operation.complete())
  }

  /** Somebody cancels through another node at the moment in which the worker completes. */
  async #race(operation: Operation): Promise<void> {
    operation.advance(2)
    await this.#pause()
    const own = (): Promise<void> => (operation.signal.aborted ? operation.cancelled() : operation.complete())
    const fail = { state: 'failed' as const, error: { message: 'raced' } }
    await Promise.all([
      refusable(this.#soon().then(own)),
      refusable(this.#soon().then(() => this.#node().cancel(TENANT, this.#id))),
      refusable(this.#soon().then(() => this.#node().end(TENANT, this.#id, fail))),
    ])
  }

  /** A few turns later. */
  async #soon(): Promise<void> {
    for (let turns = this.#parts.fraction() * 40; turns > 0; turns -= 1) await Promise.resolve()
  }

  /** The worker says no more. When that shows another takes the operation up; one that was frozen then goes on as if nothing had been. */
  async #abandon(operation: Operation, fate: Fate): Promise<void> {
    operation.advance(3)
    await this.#until(({ state }) => state === 'stalled')
    const next = await this.#node().take(TENANT, this.#id, { heartbeat: 'manual' })
    next.advance()
    await this.#pause()
    if (fate === 'frozen') await this.#work(operation, 1)
    await this.#work(next, 4)
  }

  async #until(holds: (snapshot: OperationSnapshot) => boolean): Promise<OperationSnapshot> {
    for (;;) {
      // A store that does not answer in time is asked again.
      const snapshot = await this.#node()
        .find(TENANT, this.#id)
        .catch(() => undefined)
      if (snapshot !== undefined && holds(snapshot)) return snapshot
      await this.#pause()
    }
  }

  #node(): Operations {
    const { nodes, fraction } = this.#parts
    const node = nodes[Math.floor(fraction() * nodes.length)]
    if (node === undefined) throw new Error('there are no nodes')
    return node
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(this.#plan.reportMs, resolve))
  }
}

/** Of several who end an operation one does. */
async function refusable(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof HoldfastError && ['already_ended', 'stale_report'].includes(error.code))) throw error
  }
}
