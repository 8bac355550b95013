/** The middle of a set of measurements and the range that holds its inner half. */
export interface Quartiles {
  readonly low: number
  readonly median: number
  readonly high: number
  /** How many measurements. */
  readonly count: number
}

/**
 * The quartiles of `values`, interpolated linearly between neighbours (type 7 of Hyndman and Fan, "Sample Quantiles in
 * Statistical Packages", 1996).
 *
 * @throws RangeError when there are no values.
 */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    low: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    high: quantile(sorted, 0.75),
    count: sorted.length,
  }
}

/**
 * What `theirs` cost in multiples of `ours`, slice by slice: the ratio of two measurements that stood next to each other, so
 * that a machine that slows down slows both.
 *
 * @throws RangeError when the two do not have the same length, or one of ours is not above zero.
 */
export function pairedRatios(theirs: readonly number[], ours: readonly number[]): number[] {
  if (theirs.length !== ours.length) {
    throw new RangeError(`paired measurements must be equally many, received ${theirs.length} and ${ours.length}`)
  }
  return theirs.map((their, index) => {
    const our = ours[index] ?? 0
    if (!(our > 0)) throw new RangeError(`a measurement must be above zero, received ${our}`)
    return their / our
  })
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)]
  const above = sorted[Math.ceil(place)]
  if (below === undefined || above === undefined) throw new RangeError('quartiles need at least one value')
  return below + (above - below) * (place - Math.floor(place))
}
