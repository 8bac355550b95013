/** What went wrong with the messages of one or more subscribers. All zero is the only good value. */
export interface Faults {
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
}

/** No fault. */
export const NO_FAULTS: Faults = { lost: 0, duplicated: 0, reordered: 0 }

/** The sum of two. */
export function addFaults(a: Faults, b: Faults): Faults {
  return {
    lost: a.lost + b.lost,
    duplicated: a.duplicated + b.duplicated,
    reordered: a.reordered + b.reordered,
  }
}

/** How many messages were lost, doubled or out of place. */
export function faultCount(faults: Faults): number {
  return faults.lost + faults.duplicated + faults.reordered
}

/** Holds one subscriber's messages against the sequence that was published, which counts up from 0 without a hole. */
export class SequenceTally {
  readonly #missing: Set<number> = new Set()
  readonly #mayBeHeldBack: boolean
  #next = 0
  #duplicated = 0
  #reordered = 0

  /** `mayBeHeldBack`: the server may leave numbers out, so that holes are no faults and are not kept. */
  constructor(mayBeHeldBack: boolean = false) {
    this.#mayBeHeldBack = mayBeHeldBack
  }

  /** One more than the highest that arrived. */
  get next(): number {
    return this.#next
  }

  /** Notes that `sequence` arrived. True unless it had arrived before. */
  note(sequence: number): boolean {
    if (sequence === this.#next) {
      this.#next++
      return true
    }
    return sequence > this.#next ? this.#skipTo(sequence) : this.#noteLate(sequence)
  }

  /** What went wrong, given that everything before `published` was published and nothing more will arrive. */
  faults(published: number): Faults {
    const unseen = Math.max(0, published - this.#next)
    return { lost: this.#missing.size + unseen, duplicated: this.#duplicated, reordered: this.#reordered }
  }

  #skipTo(sequence: number): boolean {
    if (!this.#mayBeHeldBack) for (let hole = this.#next; hole < sequence; hole++) this.#missing.add(hole)
    this.#next = sequence + 1
    return true
  }

  #noteLate(sequence: number): boolean {
    const late = this.#missing.delete(sequence)
    if (late) this.#reordered++
    else this.#duplicated++
    return late
  }
}
