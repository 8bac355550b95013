import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import { EPSILON_HOURS, type Rules } from '../rules.js'

/**
 * Moves lots between blocks while that saves hours: all lots of a type go to a block that has the type already, and up
 * to two lots or another type come back for them where room is needed. A block that goes on from begun work stays as it
 * is. Undefined where rules are such that it is not known what that saves: with a matrix, a calendar, or where switching
 * takes less than staying. Calls `check` now and then, which may throw.
 */
export function exchanged(arrangement: Arrangement, rules: Rules, check: () => void): Arrangement | undefined {
  const { sameTypeHours, differentTypeHours, matrix } = rules.changeover
  if (Object.keys(matrix).length > 0 || differentTypeHours < sameTypeHours) return undefined
  if (rules.calendar !== undefined) return undefined
  const begun = arrangement.map((line, index) => line.slice(0, rules.starts?.[index]?.open === undefined ? 0 : 1))
  const own = arrangement.map((line, index) => line.slice(begun[index]?.length))
  const exchange = new Exchange(own.flat(), rules, check)
  exchange.run()
  let at = 0
  return own.map((line, index) => [...(begun[index] ?? []), ...line.flatMap(() => exchange.block(at++))])
}

/** All lots of one type in a block. */
interface Run {
  readonly type: string
  readonly lots: readonly Lot[]
  readonly fillHours: number
}

/** What a block takes depends on this alone, given that lots of a type stand together. */
interface Shape {
  readonly fillHours: number
  readonly lots: number
  readonly types: number
}

/** What may come back from a block. */
interface Return {
  readonly lots: readonly Lot[]
  readonly fillHours: number
  readonly types: ReadonlySet<string>
  /** How many types the block has no lots of any more then. */
  readonly typesGone: number
}

/** A block with what is asked of it over and over. */
class TypedBlock {
  readonly runs: readonly Run[]
  readonly shape: Shape
  /** No return has more of either. */
  readonly mostReturned: { readonly fillHours: number; readonly lots: number }
  readonly #types: ReadonlySet<string>
  readonly #returns = new Map<string, readonly Return[]>()

  constructor(lots: readonly Lot[]) {
    this.runs = runsOf(lots)
    const fillHours = lots.reduce((sum, lot) => sum + lot.fillHours, 0)
    this.shape = { fillHours, lots: lots.length, types: this.runs.length }
    this.mostReturned = {
      fillHours: this.runs.length < 2 ? 0 : fillHours,
      lots: this.runs.length < 2 ? 0 : lots.length,
    }
    this.#types = new Set(this.runs.map(({ type }) => type))
  }

  get lots(): readonly Lot[] {
    return this.runs.flatMap((run) => run.lots)
  }

  has(type: string): boolean {
    return this.#types.has(type)
  }

  /** What may come back for lots of a type. */
  returnsFor(type: string): readonly Return[] {
    const known = this.#returns.get(type)
    if (known !== undefined) return known
    const returns = returnsOf(this.runs.filter((run) => run.type !== type))
    this.#returns.set(type, returns)
    return returns
  }
}

/** The blocks while lots go from one to another. */
class Exchange {
  readonly #rules: Rules
  readonly #same: number
  readonly #different: number
  readonly #check: () => void
  readonly #blocks: TypedBlock[]
  /** By block: at which attempt it was made, and at which it was last tried in vain with all others. */
  readonly #madeAt: number[]
  readonly #triedAt: number[]
  #attempts = 0

  constructor(blocks: readonly (readonly Lot[])[], rules: Rules, check: () => void) {
    this.#rules = rules
    this.#same = Math.max(rules.changeover.sameTypeHours, rules.changeover.spacingHours)
    this.#different = Math.max(rules.changeover.differentTypeHours, rules.changeover.spacingHours)
    this.#check = check
    this.#blocks = blocks.map((lots) => new TypedBlock(lots))
    this.#madeAt = this.#blocks.map(() => 0)
    this.#triedAt = this.#blocks.map(() => -1)
  }

  /** Ends because each exchange saves hours and there are finitely many ways to fill the blocks. */
  run(): void {
    for (let found = true; found;) {
      found = false
      for (const index of this.#blocks.keys()) found = this.#improve(index) || found
    }
  }

  /** The block as it is now, in a list; none if it is empty. */
  block(index: number): readonly (readonly Lot[])[] {
    const lots = this.#blocks[index]?.lots ?? []
    return lots.length === 0 ? [] : [lots]
  }

  #improve(index: number): boolean {
    this.#check()
    this.#attempts += 1
    const giver = this.#blocks[index]
    const triedAt = this.#triedAt[index] ?? -1
    for (const run of giver?.runs ?? []) {
      for (const [other, taker] of this.#blocks.entries()) {
        // Two blocks that were tried in vain are only tried again when one of them has changed.
        if (giver === undefined || giver === taker || (this.#madeAt[other] ?? 0) <= triedAt) continue
        const back = taker.has(run.type) ? this.#returnFor(giver, run, taker) : undefined
        if (back === undefined) continue
        this.#replace(index, [...giver.lots.filter((lot) => lot.type !== run.type), ...back.lots])
        this.#replace(other, [...taker.lots.filter((lot) => !back.lots.includes(lot)), ...run.lots])
        return true
      }
    }
    this.#triedAt[index] = this.#attempts
    return false
  }

  #replace(index: number, lots: readonly Lot[]): void {
    this.#blocks[index] = new TypedBlock(lots)
    this.#madeAt[index] = this.#attempts
    this.#triedAt[index] = -1
  }

  /** What has to come back so that both blocks fit and hours are saved; undefined: nothing does. */
  #returnFor(giver: TypedBlock, run: Run, taker: TypedBlock): Return | undefined {
    if (!this.#mayTake(taker, run)) return undefined
    const before = this.#costHours(giver.shape) + this.#costHours(taker.shape)
    return taker.returnsFor(run.type).find((back) => {
      const given = shapeAfter(taker.shape, run, back)
      if (!this.#fits(given)) return false
      const kept = shapeBefore(giver, run, back)
      return this.#fits(kept) && this.#costHours(kept) + this.#costHours(given) <= before - EPSILON_HOURS
    })
  }

  /** Whether there is room for the run where the most is given back that may be: asked of many blocks, so it has to be quick. */
  #mayTake({ shape, mostReturned }: TypedBlock, run: Run): boolean {
    const moreHours = run.fillHours + run.lots.length * this.#same
    const lessHours = mostReturned.fillHours + mostReturned.lots * this.#different
    return shape.fillHours + this.#changeoverHours(shape) + moreHours - lessHours <= this.#rules.windowHours + 1e-6
  }

  #fits(shape: Shape): boolean {
    return shape.fillHours + this.#changeoverHours(shape) <= this.#rules.windowHours + EPSILON_HOURS
  }

  #costHours(shape: Shape): number {
    return shape.lots === 0 ? 0 : this.#rules.cleanHours + this.#changeoverHours(shape)
  }

  #changeoverHours({ lots, types }: Shape): number {
    return Math.max(0, types - 1) * this.#different + (lots - types) * this.#same
  }
}

/** The block that took the run, which has its type, and gave something back. */
function shapeAfter(taker: Shape, run: Run, back: Return): Shape {
  return {
    fillHours: taker.fillHours - back.fillHours + run.fillHours,
    lots: taker.lots - back.lots.length + run.lots.length,
    types: taker.types - back.typesGone,
  }
}

/** The block that gave the run away and got something back. */
function shapeBefore({ shape, runs }: TypedBlock, run: Run, back: Return): Shape {
  let types = back.types.size
  for (const { type } of runs) if (type !== run.type && !back.types.has(type)) types += 1
  return {
    fillHours: shape.fillHours - run.fillHours + back.fillHours,
    lots: shape.lots - run.lots.length + back.lots.length,
    types,
  }
}

/** Nothing, one lot, all of a type, or two lots of these. */
function returnsOf(runs: readonly Run[]): readonly Return[] {
  const back = (lots: readonly Lot[]): Return => ({
    lots,
    fillHours: lots.reduce((sum, lot) => sum + lot.fillHours, 0),
    types: new Set(lots.map((lot) => lot.type)),
    typesGone: runs.filter((run) => run.lots.every((lot) => lots.includes(lot))).length,
  })
  const lots = runs.flatMap((run) => run.lots)
  return [
    back([]),
    ...lots.map((lot) => back([lot])),
    ...runs.filter((run) => run.lots.length > 2).map((run) => back(run.lots)),
    ...lots.flatMap((lot, index) => lots.slice(index + 1).map((other) => back([lot, other]))),
  ]
}

function runsOf(lots: readonly Lot[]): readonly Run[] {
  const byType = new Map<string, Lot[]>()
  for (const lot of lots) {
    const run = byType.get(lot.type)
    if (run === undefined) byType.set(lot.type, [lot])
    else run.push(lot)
  }
  return Array.from(byType, ([type, run]) => {
    return { type, lots: run, fillHours: run.reduce((sum, lot) => sum + lot.fillHours, 0) }
  })
}
