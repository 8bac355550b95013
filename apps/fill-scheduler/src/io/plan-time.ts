import { DateTime, IANAZone } from 'luxon'
import type { Settings } from '../planning/settings.js'

/** What is needed to tell the time of a plan. */
export type TimeSettings = Pick<Settings, 'start' | 'timeZone'> & {
  readonly report: Pick<Settings['report'], 'dateTimeFormat'>
}

/** Hours of a plan as instants and as local text, and back. Hours are hours that pass: a day on which the clocks change has 23 or 25 of them. */
export interface PlanTime {
  /** Hour 0. */
  readonly start: Date
  /** The instant, to the millisecond. */
  instant(hours: number): Date
  /** ISO 8601 with the zone's offset, `2025-01-01T08:00:00+01:00`; milliseconds only where there are any. */
  iso(hours: number): string
  /** Local text in the format of the settings; what is finer than the format is cut off, not rounded. */
  text(hours: number): string
  hoursOf(instant: Date): number
  /** Hours of a text: ISO 8601 with offset, or local to the zone (`2025-01-31 14:00`, a `T` or seconds may be there). A day alone is its beginning, or its end when `day` says so. Undefined: it is no time. */
  parse(text: string, day?: 'begins' | 'ends'): number | undefined
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS

/** @throws RangeError when `timeZone` or `start` does not exist; settings that were checked have neither. */
export function planTime(settings: TimeSettings): PlanTime {
  const zone = IANAZone.create(settings.timeZone)
  if (!zone.isValid) throw new RangeError(`timeZone must be the name of a zone, received "${settings.timeZone}"`)
  const startMs = instantOf(settings.start, zone, 'begins')
  if (startMs === undefined) throw new RangeError(`start must be a local time, received "${settings.start}"`)

  const instant = (hours: number): Date => new Date(startMs + Math.round(hours * HOUR_MS))
  const local = (hours: number): DateTime => DateTime.fromJSDate(instant(hours), { zone }).setLocale('en')
  const offsetAt = offsetsOf(zone)
  const hoursOf = (time: Date): number => (time.getTime() - startMs) / HOUR_MS
  return {
    start: new Date(startMs),
    instant,
    iso: (hours) => {
      const ms = instant(hours).getTime()
      return isoOf(ms, offsetAt(ms))
    },
    text: (hours) => formatted(local(hours), settings.report.dateTimeFormat),
    hoursOf,
    parse: (text, day = 'begins') => {
      const ms = instantOf(text.trim(), zone, day)
      return ms === undefined ? undefined : hoursOf(new Date(ms))
    },
  }
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?$/i

/** Milliseconds since 1970 of a text, see `PlanTime.parse`. */
function instantOf(text: string, zone: IANAZone, day: 'begins' | 'ends'): number | undefined {
  const found = TIME.exec(text)
  if (found === null) return undefined
  const [, date = '', time, offset] = found
  const iso = `${date}T${time?.replace(',', '.') ?? '00:00'}`
  if (offset !== undefined) return valid(DateTime.fromISO(`${iso}${offset.toUpperCase()}`))
  const wall = valid(DateTime.fromISO(iso, { zone: 'utc' }))
  if (wall === undefined) return undefined
  return instantOfWallClock(time === undefined && day === 'ends' ? wall + DAY_MS : wall, zone)
}

const valid = (time: DateTime): number | undefined => (time.isValid ? time.toMillis() : undefined)

/**
 * The instant at which the clocks of a zone show a local time, given as if it were UTC. A time that exists twice, when clocks are set
 * back, is the first of the two. One that does not exist, when they are set forward, is as much later as was left out: 02:30 is 03:30.
 */
function instantOfWallClock(wallMs: number, zone: IANAZone): number {
  const before = zone.offset(wallMs - DAY_MS) * MINUTE_MS
  const after = zone.offset(wallMs + DAY_MS) * MINUTE_MS
  const shows = [wallMs - before, wallMs - after].filter((ms) => ms + zone.offset(ms) * MINUTE_MS === wallMs)
  return shows.length > 0 ? Math.min(...shows) : wallMs - before
}

/** Instants of many local times given as if they were UTC. */
export function wallClock(timeZone: string): (wallMs: number) => number {
  const zone = IANAZone.create(timeZone)
  const offsetAt = offsetsOf(zone)
  return (wallMs) => {
    const day = Math.floor(wallMs / DAY_MS) * DAY_MS
    const offset = offsetAt(day - DAY_MS).ms
    return offset === offsetAt(day + 2 * DAY_MS).ms ? wallMs - offset : instantOfWallClock(wallMs, zone)
  }
}

/** How much later the clocks of a zone are than UTC. */
interface Offset {
  readonly ms: number
  /** `+01:00` */
  readonly text: string
}

/** The offsets of a zone at many instants: asks the zone, which is slow, once a week where its clocks are not set in that week. */
function offsetsOf(zone: IANAZone): (ms: number) => Offset {
  const asked = (ms: number): Offset => offsetOf(zone.offset(ms) * MINUTE_MS)
  const weeks = new Map<number, Offset>()
  const atBeginning = (week: number): Offset => {
    const known = weeks.get(week) ?? asked(week * WEEK_MS)
    weeks.set(week, known)
    return known
  }
  return (ms) => {
    const week = Math.floor(ms / WEEK_MS)
    const offset = atBeginning(week)
    return offset.ms === atBeginning(week + 1).ms ? offset : asked(ms)
  }
}

function offsetOf(ms: number): Offset {
  const minutes = Math.trunc(Math.abs(ms) / MINUTE_MS)
  const two = (part: number): string => String(part).padStart(2, '0')
  return { ms, text: `${ms < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}` }
}

/** Plans have ten thousand times and more: a `DateTime` for each would hold everybody else up. */
function isoOf(ms: number, { ms: offsetMs, text }: Offset): string {
  const wall = new Date(Math.round(ms + offsetMs))
  if (Number.isNaN(wall.getTime())) return ''
  return `${wall.toISOString().slice(0, wall.getUTCMilliseconds() === 0 ? -5 : -1)}${text}`
}

const DIRECTIVES: Readonly<Record<string, string>> = { Y: 'yyyy', m: 'MM', d: 'dd', H: 'HH', M: 'mm', S: 'ss' }

function formatted(time: DateTime, format: string): string {
  return format.replace(/%(.)/g, (whole, letter: string) => {
    if (letter === '%') return '%'
    const tokens = Object.hasOwn(DIRECTIVES, letter) ? DIRECTIVES[letter] : undefined
    return tokens === undefined ? whole : time.toFormat(tokens)
  })
}
