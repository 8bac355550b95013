import type { Lot } from '../lot.js'
import { changeoverHours, type Rules } from '../rules.js'

/** The types of lots as numbers from 0, with the changeovers between them: scores ask for them millions of times. */
export class ChangeoverTable {
  readonly #numbers = new Map<string, number>()
  readonly #rows: (Float64Array | undefined)[]
  readonly #same: number
  readonly #different: number

  constructor(lots: readonly Lot[], rules: Rules) {
    for (const type of typesOf(lots, rules)) this.#numbers.set(type, this.#numbers.size)
    const { sameTypeHours, differentTypeHours, spacingHours, matrix } = rules.changeover
    this.#same = Math.max(sameTypeHours, spacingHours)
    this.#different = Math.max(differentTypeHours, spacingHours)
    const types = [...this.#numbers.keys()]
    this.#rows = types.map((from) =>
      Object.hasOwn(matrix, from)
        ? Float64Array.from(types, (to) => changeoverHours(rules.changeover, from, to))
        : undefined,
    )
  }

  get count(): number {
    return this.#rows.length
  }

  /** -1 for none. */
  numberOf(type: string | undefined): number {
    return type === undefined ? -1 : (this.#numbers.get(type) ?? -1)
  }

  changeover(from: number, to: number): number {
    const row = this.#rows[from]
    if (row !== undefined) return row[to] ?? 0
    return from === to ? this.#same : this.#different
  }

  /** For each type, the least that any lot takes right behind it: changeover and filling. `shortest` has the shortest fill per type, Infinity where there is none. */
  leastNeeds(shortest: Float64Array): Float64Array {
    const [first, second] = twoShortest(shortest)
    return Float64Array.from({ length: this.count }, (_, from) => {
      if (this.#rows[from] !== undefined) return this.#leastOfRow(from, shortest)
      const other = (from === first ? shortest[second] : shortest[first]) ?? Infinity
      return Math.min(this.#same + (shortest[from] ?? Infinity), this.#different + other)
    })
  }

  /** The same without one lot that is the shortest of its type, for lots of that type. `second` has the second shortest fill per type. */
  leastNeedsButOne(shortest: Float64Array, second: Float64Array): Float64Array {
    const [best, next] = twoShortest(shortest)
    return Float64Array.from({ length: this.count }, (_, from) => {
      const own = second[from] ?? Infinity
      if (this.#rows[from] !== undefined) return this.#leastOfRow(from, shortest, own)
      const other = (from === best ? shortest[next] : shortest[best]) ?? Infinity
      return Math.min(this.#same + own, this.#different + other)
    })
  }

  #leastOfRow(from: number, shortest: Float64Array, own = shortest[from] ?? Infinity): number {
    let least = Infinity
    for (const [to, hours] of shortest.entries()) {
      least = Math.min(least, this.changeover(from, to) + (to === from ? own : hours))
    }
    return least
  }
}

function typesOf(lots: readonly Lot[], rules: Rules): ReadonlySet<string> {
  const begun = (rules.starts ?? []).flatMap(({ open }) => open?.previousType ?? [])
  return new Set([...lots.map(({ type }) => type), ...begun])
}

function twoShortest(shortest: Float64Array): readonly [number, number] {
  let first = -1
  let second = -1
  for (const [type, hours] of shortest.entries()) {
    if (first < 0 || hours < (shortest[first] ?? Infinity)) [first, second] = [type, first]
    else if (second < 0 || hours < (shortest[second] ?? Infinity)) second = type
  }
  return [first, second]
}
