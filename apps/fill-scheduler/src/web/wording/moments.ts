import { systemClock } from '../../clock.js'

const local = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
const today = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' })

/** When something happened, in the zone of the browser: `today, 14:05` or `21 Nov 2026, 14:05`. */
export function moment(iso: string | null | undefined, now: number = systemClock.now()): string {
  if (!iso) return '–'
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  return at.toDateString() === new Date(now).toDateString() ? `today, ${today.format(at)}` : local.format(at)
}

const planFormats = new Map<string, Intl.DateTimeFormat>()

/** A moment of a plan, in the zone of the plan: `Wed 1 Jan 2025, 08:00`. */
export function planMoment(at: number | string, zone: string): string {
  return formatOf(zone)
    .format(new Date(at))
    .replace(/^(\w+),/, '$1')
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = planFormats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  planFormats.set(zone, made)
  return made
}
