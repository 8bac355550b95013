const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `500ms`, `30s`, `5m`, `1h` or `7d` in milliseconds; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}
