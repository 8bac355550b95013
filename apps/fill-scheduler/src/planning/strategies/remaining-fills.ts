import type { Lot } from '../lot.js'
import type { ChangeoverTable } from './changeover-table.js'

/** The two shortest fills that remain of each type, kept while lots are taken away. */
export class RemainingFills {
  readonly #types: ChangeoverTable
  readonly #byType: Lot[][]
  readonly #taken = new Set<Lot>()
  /** By number of type; Infinity where none remains. */
  readonly first: Float64Array
  readonly second: Float64Array

  constructor(lots: readonly Lot[], types: ChangeoverTable) {
    this.#types = types
    this.#byType = Array.from({ length: types.count }, () => [])
    for (const lot of lots) this.#byType[types.numberOf(lot.type)]?.push(lot)
    for (const list of this.#byType) list.sort((one, other) => one.fillHours - other.fillHours)
    this.first = Float64Array.from(this.#byType, (list) => list[0]?.fillHours ?? Infinity)
    this.second = Float64Array.from(this.#byType, (list) => list[1]?.fillHours ?? Infinity)
  }

  take(lot: Lot): void {
    this.#taken.add(lot)
    const type = this.#types.numberOf(lot.type)
    const list = this.#byType[type] ?? []
    while (list[0] !== undefined && this.#taken.has(list[0])) list.shift()
    this.#look(type)
  }

  /** What `work` answers when the lot was taken, which it is not afterwards. */
  without<T>(lot: Lot, work: () => T): T {
    const type = this.#types.numberOf(lot.type)
    this.#taken.add(lot)
    this.#look(type)
    const result = work()
    this.#taken.delete(lot)
    this.#look(type)
    return result
  }

  #look(type: number): void {
    let first = Infinity
    for (const lot of this.#byType[type] ?? []) {
      if (this.#taken.has(lot)) continue
      if (first < Infinity) {
        this.first[type] = first
        this.second[type] = lot.fillHours
        return
      }
      first = lot.fillHours
    }
    this.first[type] = first
    this.second[type] = Infinity
  }
}
