import type { Lot } from '../lot.js'
import type { ChangeoverTable } from './changeover-table.js'

/** The lots that remain of each type, the shortest first, kept while lots are taken away. */
export class RemainingFills {
  readonly #types: ChangeoverTable
  readonly #byType: Lot[][]
  /** The two shortest fills by number of type; Infinity where none remains. */
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
    const type = this.#types.numberOf(lot.type)
    const list = this.#byType[type] ?? []
    const at = placeOf(lot, list)
    if (at >= 0) list.splice(at, 1)
    this.#look(type)
  }

  /** What `work` answers when the lot was taken, which it is not afterwards. */
  without<T>(lot: Lot, work: () => T): T {
    const type = this.#types.numberOf(lot.type)
    const list = this.#byType[type] ?? []
    const at = placeOf(lot, list)
    if (at >= 0) list.splice(at, 1)
    this.#look(type)
    const result = work()
    if (at >= 0) list.splice(at, 0, lot)
    this.#look(type)
    return result
  }

  /** Calls `look` for the lots that remain and take no longer than `hoursMax` (by number of type) to fill, type by type, the shortest first: where little room is left, few of many. */
  within(hoursMax: (type: number) => number, look: (lot: Lot) => void): void {
    for (const [type, list] of this.#byType.entries()) {
      const most = hoursMax(type)
      for (const lot of list) {
        if (lot.fillHours > most) break
        look(lot)
      }
    }
  }

  #look(type: number): void {
    const list = this.#byType[type]
    this.first[type] = list?.[0]?.fillHours ?? Infinity
    this.second[type] = list?.[1]?.fillHours ?? Infinity
  }
}

/** -1: it is not there. */
function placeOf(lot: Lot, list: readonly Lot[]): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle]?.fillHours ?? 0) < lot.fillHours) low = middle + 1
    else high = middle
  }
  return list.indexOf(lot, low)
}
