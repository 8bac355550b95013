const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/

/** A century (36525d): counted from now it is a time that dates, and the store, can hold. */
const MS_MAX = 3_155_760_000_000

/** Milliseconds of a duration: a number is milliseconds, text is a whole number and a unit (`250ms`, `30s`, `5m`, `1h`, `7d`). Undefined when it is neither, and beyond a century. */
export function durationMs(duration: number | string): number | undefined {
  const ms = typeof duration === 'number' ? duration : msOf(duration)
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= MS_MAX ? ms : undefined
}

function msOf(text: string): number {
  const [, count, unit = ''] = DURATION.exec(text) ?? []
  return Number(count) * (UNITS[unit] ?? NaN)
}
