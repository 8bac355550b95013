/** Chance that can be repeated: Marsaglia's xorshift with 32 bits, good enough to choose test cases. */
export class SeededRandom {
  #state: number

  constructor(seed: number) {
    // Zero is the one state that xorshift never leaves.
    this.#state = seed >>> 0 || 0x9e3779b9
  }

  /** A number from 0 up to but not including 1. */
  fraction(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state / 0x1_0000_0000
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  /** True once in `times` on average. */
  once(times: number): boolean {
    return this.fraction() * times < 1
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length - 1)]
    if (choice === undefined) throw new RangeError('there must be something to choose from')
    return choice
  }
}

/** The seed of this run: `HOLDFAST_TEST_SEED`, or a new one. Print it, so that a failure can be repeated. */
export function seedOfThisRun(): number {
  const given = process.env['HOLDFAST_TEST_SEED']
  return given === undefined ? (process.pid * 2_654_435_761 + Date.now()) >>> 0 : Number(given) >>> 0
}
