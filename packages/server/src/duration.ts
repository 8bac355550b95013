const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/

/** Milliseconds of a duration: a number is milliseconds, text is a whole number and a unit (`250ms`, `30s`, `5m`, `1h`, `7d`). Undefined when it is neither. */
export function durationMs(duration: number | string): number | undefined {
  if (typeof duration === 'number') return Number.isSafeInteger(duration) && duration >= 0 ? duration : undefined
  const [, count, unit] = DURATION.exec(duration) ?? []
  return count === undefined || unit === undefined ? undefined : Number(count) * (UNITS[unit] ?? NaN)
}
