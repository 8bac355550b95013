/** The capacity is taken for this much larger: what the tolerance of hours lets pass must not be refused by a proof. */
const CAPACITY_FACTOR = 1 + 1e-9

/** So many thresholds are tried at most; fewer only weaken the bound. */
const THRESHOLDS_MAX = 1_000

/** `u^(k)` is tried for k up to this. */
const ROUNDINGS_MAX = 12

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
  for (const epsilon of thresholdsOf(shares)) most = Math.max(most, fewestFor(shares, epsilon))
  return Math.ceil(most - 1e-7)
}

function fewestFor(shares: readonly number[], epsilon: number): number {
  const cut = (share: number): number => (share > 1 - epsilon ? 1 : share < epsilon ? 0 : share)
  let most = sumOf(shares, cut)
  most = Math.max(most, sumOf(shares, beside(epsilon)))
  for (let k = 1; k <= 4; k++)
    most = Math.max(
      most,
      sumOf(shares, (share) => rounded(cut(share), k)),
    )
  return most
}

/** `u^(k)`: ⌊(k + 1)·x⌋ / k, a little lower where (k + 1)·x is whole. */
function rounded(share: number, k: number): number {
  return share >= 1 ? 1 : Math.max(0, Math.floor((k + 1) * share - 1e-12)) / k
}

/** `φ^ε`: a share up to a half counts as one ε of those that fit into a bin, a larger one as those that no longer fit beside it. */
function beside(epsilon: number): (share: number) => number {
  const fit = Math.floor(1 / epsilon + 1e-12)
  return (share) => {
    if (share > 0.5) return 1 - Math.floor((1 - share) / epsilon + 1e-12) / fit
    return share >= epsilon ? 1 / fit : 0
  }
}

/** The bounds change only where ε passes a size, or what a size leaves of a bin. */
function thresholdsOf(shares: readonly number[]): number[] {
  const all = shares.flatMap((share) => [share, 1 - share]).filter((epsilon) => epsilon > 1e-6 && epsilon <= 0.5)
  const distinct = [...new Set(all)].toSorted((a, b) => a - b)
  const step = Math.max(1, distinct.length / THRESHOLDS_MAX)
  const chosen: number[] = []
  for (let at = 0; at < distinct.length; at += step) chosen.push(distinct[Math.floor(at)] ?? 0)
  return chosen
}

function sumOf(shares: readonly number[], worth: (share: number) => number): number {
  let sum = 0
  for (const share of shares) sum += worth(share)
  return sum
}
