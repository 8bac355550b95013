import type { Engine } from '../engine/engine.js'
import type { Random } from '../random.js'
import { ENTRY_MS, LIVES, TOLD_MS, fateOf } from './places.js'

/** What a life works with. */
export interface LifeParts {
  readonly engine: Pick<Engine, 'records' | 'registers'>
  readonly random: Random
  readonly node: string
}

/** What became of a life: it goes on; it goes on, but what it has entered may be lost; others have declared it dead, and another has begun. */
export type LifeCheck = 'same' | 'forgotten' | 'new'

/** Lives of nodes that are looked at. */
const LIVES_MAX = 10_000

/**
 * The life of a node, under which it enters what others have to know when it is killed. A node that did not show itself for the time of its lease may be declared
 * dead: what is written down of a life that is over stays, and should the node come back it begins another one.
 */
export class Life {
  readonly #parts: LifeParts
  #id: string
  #isSure = true

  constructor(parts: LifeParts) {
    this.#parts = parts
    this.#id = parts.random.id(9)
  }

  /** The name of the life that goes on now. */
  get id(): string {
    return this.#id
  }

  /** Begins: former lives of a node of this name, of processes that are no more, are over. Rejects when the engine refuses. */
  async begin(): Promise<void> {
    const { engine, node } = this.#parts
    await this.#enter(this.#id)
    const lives = await engine.registers.list(LIVES, LIVES_MAX)
    const former = lives.filter(({ key, value }) => value === node && key !== this.#id)
    await Promise.all(former.map(({ key }) => declareDead(engine, key)))
  }

  /** Looks whether the life goes on; where it does not another begins. Rejects when the engine refuses; then nothing has changed. */
  async check(): Promise<LifeCheck> {
    if (await isDead(this.#parts.engine, this.#id)) {
      const next = this.#parts.random.id(9)
      await this.#enter(next)
      this.#id = next
      return 'new'
    }
    // Of an answer that was not heard nobody knows what it would have said.
    const wasSure = this.#isSure
    this.#isSure = false
    const isNews = await this.#enter(this.#id)
    this.#isSure = true
    return isNews || !wasSure ? 'forgotten' : 'same'
  }

  /** Answers whether the others knew nothing of it. */
  async #enter(life: string): Promise<boolean> {
    const { engine, node } = this.#parts
    const entered = await engine.registers.put(LIVES, { key: life, value: node, ttlMs: ENTRY_MS * 2 })
    return entered?.added ?? false
  }
}

/** Declares that a life is over. That cannot be taken back. */
export async function declareDead(engine: Pick<Engine, 'records'>, life: string): Promise<void> {
  await engine.records.put(fateOf(life), 'dead', { ttlMs: TOLD_MS })
}

async function isDead(engine: Pick<Engine, 'records'>, life: string): Promise<boolean> {
  return (await engine.records.get(fateOf(life))) !== undefined
}

/** The lives of all nodes at one moment. */
export interface Lives {
  /** Not declared dead. */
  readonly live: ReadonlySet<string>
  /** Declared dead, by whoever did so. */
  readonly dead: readonly string[]
  /** Of the live ones, those whose node does not hold its lease. */
  readonly lost: readonly string[]
}

/** Looks at the lives of all nodes. */
export async function lookAtLives(engine: Pick<Engine, 'records' | 'registers' | 'nodes'>): Promise<Lives> {
  const [lives, nodes] = await Promise.all([engine.registers.list(LIVES, LIVES_MAX), engine.nodes.list()])
  const names = new Set(nodes.map(({ node }) => node))
  const fates = await Promise.all(lives.map(({ key }) => isDead(engine, key)))
  const dead = lives.filter((_, at) => fates[at]).map(({ key }) => key)
  const others = lives.filter((_, at) => !fates[at])
  return {
    live: new Set(others.map(({ key }) => key)),
    dead,
    lost: others.filter(({ value }) => !names.has(value)).map(({ key }) => key),
  }
}
