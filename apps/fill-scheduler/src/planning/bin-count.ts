/** The capacity is taken for this much larger: what the tolerance of hours lets pass must not be refused by a proof. */
const CAPACITY_FACTOR = 1 + 1e-9

/** So many thresholds are tried at most, and of many sizes so many that this many are looked at in all; fewer only weaken the bound. */
const THRESHOLDS_MAX = 1_000
const LOOKS_MAX = 1_000_000

/** `u^(k)` is tried for k up to this. */
const ROUNDINGS_MAX = 12

/** The same after `U^ε`. */
const CUT_ROUNDINGS_MAX = 4

/**
 * How many bins things of these sizes need at least: the largest of several bounds that are each right, so the answer is, too. Sizes are at most `capacity` and not negative.
 *
 * Each bound sums a dual feasible function over the sizes: a function f of shares of a bin with Σ f(x) ≤ 1 for all shares whose sum is at most 1. What is in a bin then counts at
 * most 1, so there are at least ⌈Σ f⌉ bins. The functions are those of S. Fekete and J. Schepers, “New classes of fast lower bounds for bin packing problems”, 2001:
 * the share itself (the volume); `U^ε`, which takes what is larger than 1 − ε for a full bin and leaves out what is smaller than ε (all ε together are the bound L2 of
 * S. Martello and P. Toth); `φ^ε`, which counts how often ε fits beside what is larger than half a bin; `u^(k)`, which rounds to multiples of 1/k, alone and after `U^ε`.
 */
export function fewestBins(sizes: readonly number[], capacity: number): number {
  if (sizes.length === 0) return 0
  const shares = sizes.map((size) => size / (capacity * CAPACITY_FACTOR)).toSorted((a, b) => a - b)
  let most = Math.max(
    1,
    sumOf(shares, (share) => share),
  )
  for (let k = 1; k <= ROUNDINGS_MAX; k++)
    most = Math.max(
      most,
      sumOf(shares, (share) => rounded(share, k)),
    )
  const sorted = new SortedShares(shares)
  for (const epsilon of thresholdsOf(shares)) most = Math.max(most, fewestFor(sorted, epsilon))
  return Math.ceil(most - 1e-7)
}

function fewestFor(shares: SortedShares, epsilon: number): number {
  const middle = shares.between(epsilon)
  let most = Math.max(shares.cut(middle), shares.beside(epsilon, middle))
  for (let k = 1; k <= CUT_ROUNDINGS_MAX; k++) most = Math.max(most, shares.cutRounded(middle, k))
  return most
}

/** From where to where shares are neither too small for `U^ε` nor taken for full. */
type Middle = readonly [from: number, to: number]

/** Shares in order, the smallest first: what a function that is a step or a line says of many at once is asked of their number and sum. */
class SortedShares {
  readonly #shares: readonly number[]
  /** Of those before each. */
  readonly #sums: readonly number[]
  /** How many are no larger than a half. */
  readonly #small: number
  /** By k, then by step: how many `u^(k)` rounds to less than so many steps. */
  readonly #below: readonly (readonly number[])[]

  constructor(shares: readonly number[]) {
    this.#shares = shares
    let sum = 0
    this.#sums = [0, ...shares.map((share) => (sum += share))]
    this.#small = this.#before((share) => share <= 0.5)
    this.#below = Array.from({ length: CUT_ROUNDINGS_MAX + 1 }, (_, k) =>
      Array.from({ length: k + 1 }, (_step, step) => this.#before((share) => (k + 1) * share - 1e-12 < step)),
    )
  }

  between(epsilon: number): Middle {
    return [this.#before((share) => share < epsilon), this.#before((share) => share <= 1 - epsilon)]
  }

  /** Σ `U^ε`. */
  cut([from, to]: Middle): number {
    return (this.#sums[to] ?? 0) - (this.#sums[from] ?? 0) + this.#shares.length - to
  }

  /** Σ `u^(k)` after `U^ε`. */
  cutRounded([from, to]: Middle, k: number): number {
    let steps = (this.#shares.length - to) * k
    for (let step = 1; step <= k; step++) steps += Math.max(0, to - Math.max(from, this.#below[k]?.[step] ?? to))
    return steps / k
  }

  /** Σ `φ^ε`: a share up to a half counts as one ε of those that fit into a bin, a larger one as those that no longer fit beside it. */
  beside(epsilon: number, [from]: Middle): number {
    const fit = Math.floor(1 / epsilon + 1e-12)
    let sum = Math.max(0, this.#small - from) / fit
    for (let at = this.#small; at < this.#shares.length; at++)
      sum += 1 - Math.floor((1 - (this.#shares[at] ?? 0)) / epsilon + 1e-12) / fit
    return sum
  }

  /** How many there are of which something is so that is so only of the smallest. */
  #before(isSo: (share: number) => boolean): number {
    let low = 0
    let high = this.#shares.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isSo(this.#shares[middle] ?? 0)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** `u^(k)`: ⌊(k + 1)·x⌋ / k, a little lower where (k + 1)·x is whole. */
function rounded(share: number, k: number): number {
  return share >= 1 ? 1 : Math.max(0, Math.floor((k + 1) * share - 1e-12)) / k
}

/** The bounds change only where ε passes a size, or what a size leaves of a bin. */
function thresholdsOf(shares: readonly number[]): number[] {
  const all = shares.flatMap((share) => [share, 1 - share]).filter((epsilon) => epsilon > 1e-6 && epsilon <= 0.5)
  const distinct = [...new Set(all)].toSorted((a, b) => a - b)
  const step = Math.max(1, distinct.length / Math.min(THRESHOLDS_MAX, LOOKS_MAX / shares.length))
  const chosen: number[] = []
  for (let at = 0; at < distinct.length; at += step) chosen.push(distinct[Math.floor(at)] ?? 0)
  return chosen
}

function sumOf(shares: readonly number[], worth: (share: number) => number): number {
  let sum = 0
  for (const share of shares) sum += worth(share)
  return sum
}
