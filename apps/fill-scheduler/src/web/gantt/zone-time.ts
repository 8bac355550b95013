/** A moment as the clocks of a zone show it. */
export interface LocalTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** What the clocks of a zone show at a moment (milliseconds since 1970). */
export function localTime(at: number, zone: string): LocalTime {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts
  return { year, month, day, hour, minute }
}

/** When the clocks of a zone show a time; where they skip it, the moment that comes as much later. Days and hours beyond the last of a month or day count on. */
export function momentOf({ year, month, day, hour, minute }: LocalTime, zone: string): number {
  const wanted = Date.UTC(year, month - 1, day, hour, minute)
  const first = wanted - offsetAt(wanted, zone)
  const second = wanted - offsetAt(first, zone)
  return first === second || offsetAt(second, zone) === wanted - second ? second : Math.max(first, second)
}

/** `2025-01-01T08:00`, as fields for local times take it. */
export function fieldText(at: number, zone: string): string {
  const { year, month, day, hour, minute } = localTime(at, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`
}

/** The moment that a field for local times names; undefined while it names none. */
export function fieldMoment(text: string, zone: string): number | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)/.exec(text)
  if (!found) return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = found.slice(1).map(Number)
  return momentOf({ year, month, day, hour, minute }, zone)
}

/** Milliseconds that a zone is ahead of UTC. */
function offsetAt(at: number, zone: string): number {
  const { year, month, day, hour, minute } = localTime(at, zone)
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(at / 60_000) * 60_000
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  })
  formats.set(zone, made)
  return made
}
