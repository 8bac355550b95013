const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A whole number with thousands separators: `1,234,567`. */
export function formatCount(value: number): string {
  return COUNT.format(value)
}

/** Bytes in decimal units with at most one decimal: `999 B`, `1.2 MB`, `34 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.5 would be printed as 1000 of its unit.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value).toString()
  return `${digits} ${BYTE_UNITS[unit]}`
}

/** Seconds as people say them: `0.4 s`, `12 s`, `3 m 05 s`, `2 h 07 m`, `4 d 03 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.95) return `${(Math.round(seconds * 10) / 10).toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`
  return `${Math.floor(minutes / 1440)} d ${pad(Math.floor((minutes % 1440) / 60))} h`
}

function pad(value: number): string {
  return value.toString().padStart(2, '0')
}

/** How long something will take: `12 s`, and `(9–16 s)` behind it where the range says more than the middle. */
export function formatEta(eta: { seconds: number; low: number; high: number }): string {
  const middle = formatDuration(eta.seconds)
  const low = formatDuration(eta.low)
  const high = formatDuration(eta.high)
  if (low === high) return middle
  const sameUnit = /^\d+ s$/.test(low) && /^\d+ s$/.test(high)
  return `${middle} (${sameUnit ? low.slice(0, -2) : low}–${high})`
}

/** Units per second: `512 files/s`, `0.4 rows/s`. */
export function formatRate(rate: number, unit = ''): string {
  const figure = rate < 9.95 ? (Math.round(rate * 10) / 10).toString() : formatCount(rate)
  return unit ? `${figure} ${unit}/s` : `${figure}/s`
}

/** A percentage without decimals that never says 100 before the end: `0%`, `42%`, `99%`, `100%`. */
export function formatPercent(percent: number): string {
  return `${Math.floor(percent)}%`
}

/** Done and total with the unit: `12/340 files`, `12 files` while the total is unknown. */
export function formatDone(done: number, total?: number, unit?: string): string {
  const figures = total === undefined ? formatCount(done) : `${formatCount(done)}/${formatCount(total)}`
  return unit ? `${figures} ${unit}` : figures
}
