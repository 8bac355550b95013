import type { Lot } from '../lot.js'
import type { LotTypes } from './lot-types.js'

/** The shortest fill that remains of each type, kept while lots are taken away. */
export class ShortestFills {
  readonly #types: LotTypes
  readonly #byType: Lot[][]
  readonly #next: number[]
  readonly #taken = new Set<Lot>()
  /** By number of type; Infinity where none remains. */
  readonly hours: Float64Array

  constructor(lots: readonly Lot[], types: LotTypes) {
    this.#types = types
    this.#byType = Array.from({ length: types.count }, () => [])
    for (const lot of lots) this.#byType[types.numberOf(lot.type)]?.push(lot)
    for (const list of this.#byType) list.sort((one, other) => one.fillHours - other.fillHours)
    this.#next = this.#byType.map(() => 0)
    this.hours = Float64Array.from(this.#byType, (list) => list[0]?.fillHours ?? Infinity)
  }

  take(lot: Lot): void {
    this.#taken.add(lot)
    const type = this.#types.numberOf(lot.type)
    const list = this.#byType[type] ?? []
    let next = this.#next[type] ?? 0
    for (let first = list[next]; first !== undefined && this.#taken.has(first); first = list[next]) next += 1
    this.#next[type] = next
    this.hours[type] = list[next]?.fillHours ?? Infinity
  }
}
