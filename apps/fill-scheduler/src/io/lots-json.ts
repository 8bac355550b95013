import type { Settings } from '../planning/settings.js'
import type { Problem } from '../problem.js'
import { type LotDraft, LOTS_MAX, lotsOfDrafts, type LotsRead, refused, tooManyLots } from './lot-draft.js'
import { boundedProblems } from './problem-list.js'
import { excerpt, received } from './received.js'

const COLUMNS = { id: 'lot_id', type: 'lot_type', vials: 'vials', due: 'due', priority: 'priority' } as const
const MEMBERS = [...Object.values(COLUMNS), 'fill_hours']

/** Clients round the fill hours that they count themselves: to hundredths, or to four digits. */
const FILL_HOURS_TOLERANCE = 0.01
const FILL_HOURS_TOLERANCE_RATIO = 0.001

/**
 * Lots of a JSON list of `{lot_id, lot_type, vials, due?, priority?, fill_hours?}`, by the same rules as a file; rows are positions in the list, from 1.
 * `fill_hours` must agree with vials and fill rate. `due` and `priority` may be null. Never throws because of what is in it.
 */
export function lotsFromJson(value: unknown, settings: Settings): LotsRead {
  if (!Array.isArray(value)) return refused('bad_lots', 'The lots must be a list.')
  if (value.length === 0) return refused('no_lots', 'No lots provided')
  if (value.length > LOTS_MAX) return tooManyLots(value.length)
  const problems: Problem[] = []
  const drafts = value.flatMap((lot: unknown, index) => draftOf(lot, index + 1, settings, problems) ?? [])
  const read = lotsOfDrafts(drafts, COLUMNS, settings)
  return { lots: read.lots, problems: boundedProblems([...problems, ...read.problems]) }
}

type Complain = (code: string, message: string, column?: string) => void

function draftOf(lot: unknown, row: number, settings: Settings, problems: Problem[]): LotDraft | undefined {
  const before = problems.length
  const complain: Complain = (code, message, column) =>
    void problems.push({ severity: 'error', code, message, row, ...(column === undefined ? {} : { column }) })
  if (typeof lot !== 'object' || lot === null || Array.isArray(lot)) {
    complain('bad_lot', `A lot must be an object with lot_id, lot_type and vials, received ${received(lot)}.`)
    return undefined
  }
  for (const name of Object.keys(lot).filter((name) => !MEMBERS.includes(name))) {
    complain('unknown_member', `A lot has ${MEMBERS.join(', ')}; received ${excerpt(name)}.`, excerpt(name))
  }
  const draft = {
    row,
    id: textOf(lot, COLUMNS.id, ['string'], complain).normalize('NFC'),
    type: textOf(lot, COLUMNS.type, ['string'], complain).normalize('NFC'),
    vials: textOf(lot, COLUMNS.vials, ['number'], complain),
    due: textOf(lot, COLUMNS.due, ['string'], complain),
    priority: textOf(lot, COLUMNS.priority, ['number', 'string'], complain),
  }
  checkFillHours(lot, draft, settings, complain)
  return problems.length === before ? draft : undefined
}

/** A member as the text that a file would have; what is absent or null says nothing. */
function textOf(lot: object, name: string, kinds: readonly ('string' | 'number')[], complain: Complain): string {
  const value = memberOf(lot, name)
  if (value === undefined || value === null) return ''
  if (kinds.some((kind) => typeof value === kind)) return String(value as string | number).trim()
  const expected = kinds.map((kind) => (kind === 'string' ? 'a text' : 'a number')).join(' or ')
  complain(`bad_${name}`, `${name} must be ${expected}, received ${received(value)}.`, name)
  return ''
}

function checkFillHours(lot: object, { vials }: LotDraft, settings: Settings, complain: Complain): void {
  const given = memberOf(lot, 'fill_hours')
  const hours = Number(vials) / settings.fillRateVialsPerHour
  if (given === undefined || given === null || !(hours > 0)) return
  const tolerance = Math.max(FILL_HOURS_TOLERANCE, hours * FILL_HOURS_TOLERANCE_RATIO)
  if (typeof given === 'number' && Math.abs(given - hours) <= tolerance) return
  const message = `fill_hours must be vials divided by the fill rate, ${hours.toFixed(4)}, or be left out; received ${received(given)}.`
  complain('bad_fill_hours', message, 'fill_hours')
}

function memberOf(lot: object, name: string): unknown {
  return Object.hasOwn(lot, name) ? (lot as Record<string, unknown>)[name] : undefined
}
