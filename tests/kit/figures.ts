/** The value that a share of the sorted sample does not exceed, by nearest rank; `share` from 0 to 1. */
export function percentile(sample: readonly number[], share: number): number {
  const sorted = [...sample].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** The middle one, by nearest rank. */
export function median(sample: readonly number[]): number {
  return percentile(sample, 0.5)
}

/** How many values fall into each bucket of `width`, from 0 to the last that holds any. */
export function histogram(sample: readonly number[], width: number): number[] {
  const buckets: number[] = []
  for (const value of sample) {
    const bucket = Math.floor(value / width)
    while (buckets.length <= bucket) buckets.push(0)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  return buckets
}

/** Prints what a proof has measured, one line per figure. */
export function printFigures(title: string, figures: Readonly<Record<string, string | number>>): void {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  const lines = Object.entries(figures).map(([name, value]) => `  ${name.padEnd(width)}  ${rounded(value)}`)
  process.stdout.write(`\n${title}\n${lines.join('\n')}\n`)
}

function rounded(value: string | number): string | number {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
