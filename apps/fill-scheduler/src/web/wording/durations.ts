/** How long something still takes, in seconds, with a range. */
export interface Estimate {
  readonly seconds: number
  readonly low: number
  readonly high: number
}

/** `about 2 min, between 1 and 4`; without the range where it says nothing more. */
export function estimateWords({ seconds, low, high }: Estimate): string {
  const { name, size } = unitOf(Math.max(1, seconds))
  const [middle, from, to] = [seconds, low, high].map((value) => rounded(value / size))
  return from === to ? `about ${middle} ${name}` : `about ${middle} ${name}, between ${from} and ${to}`
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationWords(seconds: number): string {
  const total = Math.max(0, Math.round(seconds))
  if (total < 60) return `${total} s`
  const minutes = Math.floor(total / 60)
  if (minutes < 60) return `${minutes} min${total % 60 > 0 ? ` ${total % 60} s` : ''}`
  return `${Math.floor(minutes / 60)} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ''}`
}

function unitOf(seconds: number): { readonly name: string; readonly size: number } {
  if (seconds < 90) return { name: 's', size: 1 }
  return seconds < 5400 ? { name: 'min', size: 60 } : { name: 'h', size: 3600 }
}

/** One decimal below ten where it matters, never zero. */
function rounded(value: number): string {
  if (value >= 9.95) return String(Math.round(value))
  const half = Math.round(value * 2) / 2
  return String(half < 1 ? 1 : half)
}
