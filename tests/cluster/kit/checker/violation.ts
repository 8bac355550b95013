/** The invariants that a history is judged by. `docs` of each stand in the README of this folder. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I11' | 'I12'

/** One thing that must not be. */
export interface Violation {
  readonly invariant: Invariant
  readonly what: string
}

/** Takes violations down; of each kind only so many in words, all of them in number. */
export class Violations {
  readonly #listed: Violation[] = []
  readonly #counts = new Map<string, number>()
  readonly #listedMax: number

  constructor(listedMax: number = 200) {
    this.#listedMax = listedMax
  }

  /** Those in words. */
  get listed(): readonly Violation[] {
    return this.#listed
  }

  /** How many there are of an invariant, or in all. */
  count(invariant?: Invariant): number {
    if (invariant !== undefined) return this.#counts.get(invariant) ?? 0
    return [...this.#counts.values()].reduce((sum, one) => sum + one, 0)
  }

  add(invariant: Invariant, what: string): void {
    this.#counts.set(invariant, this.count(invariant) + 1)
    if (this.#listed.length < this.#listedMax) this.#listed.push({ invariant, what })
  }
}
