import type { Lot } from '../planning/lot.js'
import type { Settings } from '../planning/settings.js'
import { validateLots } from '../planning/validate-lots.js'
import type { Problem } from '../problem.js'
import { type PlanTime, planTime } from './plan-time.js'
import { excerpt } from './received.js'
import { visible } from './reports/visible-text.js'
import { rulesOf } from './rules-of.js'

/** Lots that were read, and all that is wrong with the input. Where a problem is an error, nothing may be planned: the lots are then those that are right. */
export interface LotsRead {
  readonly lots: Lot[]
  readonly problems: Problem[]
}

/** A lot as somebody wrote it. Texts are trimmed; an empty one says nothing. */
export interface LotDraft {
  /** Line of the file, or position in a list, from 1. */
  readonly row: number
  readonly id: string
  readonly type: string
  readonly vials: string
  readonly due: string
  readonly priority: string
}

/** What the members of a draft are called where it was written. */
export type ColumnNames = Readonly<Record<keyof Omit<LotDraft, 'row'>, string>>

/** More lots than this are refused. */
export const LOTS_MAX = 5_000
const NAME_LENGTH_MAX = 64
const VIALS_MAX = 1_000_000_000
const PRIORITY_MAX = 100
/** Further away than this, a due date is a slip of the pen. */
const DUE_HOURS_MAX = 876_600

/** Makes lots of drafts: every draft is looked at, whatever is wrong with others. Whether lots fit into windows and working time is for `validateLots` to say. */
export function lotsOfDrafts(drafts: readonly LotDraft[], columns: ColumnNames, settings: Settings): LotsRead {
  if (drafts.length > LOTS_MAX) return tooManyLots(drafts.length)
  const desk: Desk = { settings, columns, time: planTime(settings), rowOfId: new Map() }
  const read: LotsRead = { lots: [], problems: [] }
  for (const draft of drafts) readDraft(draft, desk, read)
  if (read.lots.length === 0) return read
  const unfit = validateLots(read.lots, rulesOf(settings)).map((problem) => withRow(problem, desk))
  const errors = new Set(unfit.filter(({ severity }) => severity === 'error').map(({ lotId }) => lotId))
  return {
    lots: read.lots.filter(({ id }) => !errors.has(id)),
    problems: [...read.problems, ...unfit],
  }
}

/** Nothing was read, for one reason. */
export function refused(code: string, message: string): LotsRead {
  return { lots: [], problems: [{ severity: 'error', code, message }] }
}

/** More lots than anybody plans at once. */
export function tooManyLots(count: number): LotsRead {
  return refused('too_many_lots', `There are ${count} lots; at most ${LOTS_MAX} can be planned at once.`)
}

function withRow(problem: Problem, { rowOfId, columns }: Desk): Problem {
  const row = rowOfId.get(problem.lotId ?? '')
  return row === undefined ? problem : { ...problem, row, column: columns.vials }
}

interface Desk {
  readonly settings: Settings
  readonly columns: ColumnNames
  readonly time: PlanTime
  /** Where an id was seen first. */
  readonly rowOfId: Map<string, number>
}

type Complaint = (member: keyof ColumnNames, code: string, message: string, severity?: Problem['severity']) => void

function readDraft(draft: LotDraft, desk: Desk, read: LotsRead): void {
  let isRight = true
  const lotId = isName(draft.id) ? { lotId: draft.id } : {}
  const complain: Complaint = (member, code, message, severity = 'error') => {
    if (severity === 'error') isRight = false
    read.problems.push({ severity, code, message, row: draft.row, column: desk.columns[member], ...lotId })
  }
  checkId(draft, desk, complain)
  checkName('type', draft.type, 'Type', complain)
  const vials = readVials(draft, complain)
  const due = readDue(draft, desk, complain)
  const priority = readPriority(draft, desk.settings, complain)
  if (!isRight || vials === undefined) return
  const fillHours = vials / desk.settings.fillRateVialsPerHour
  read.lots.push({ id: draft.id, type: draft.type, vials, fillHours, ...due, ...priority })
}

function checkId({ id, row }: LotDraft, { rowOfId }: Desk, complain: Complaint): void {
  checkName('id', id, 'Lot ID', complain)
  if (id === '') return
  const first = rowOfId.get(id)
  if (first === undefined) rowOfId.set(id, row)
  else complain('id', 'duplicate_lot', `Duplicate Lot ID detected: ${excerpt(id)} is in row ${first} already.`)
}

const isName = (text: string): boolean => text !== '' && text.length <= NAME_LENGTH_MAX && visible(text) === text

function checkName(member: 'id' | 'type', name: string, title: string, complain: Complaint): void {
  if (name === '') complain(member, `empty_${member}`, `A lot has empty ${title}.`)
  if (name.length > NAME_LENGTH_MAX) {
    const message = `${title} must have at most ${NAME_LENGTH_MAX} characters, received ${name.length}.`
    complain(member, 'too_long', message)
  }
  if (visible(name) !== name) {
    complain(member, 'control_character', `${title} must not have line breaks or other control characters.`)
  }
}

/** Digits only; one `.0` or `.00` at the end is what other programs write of whole numbers. `1.000`, `1,000`, `1e5` could mean two things and are refused. */
function readVials({ vials }: LotDraft, complain: Complaint): number | undefined {
  if (vials === '') {
    complain('vials', 'missing_vials', 'One or more lots have missing Vials values.')
    return undefined
  }
  const count = /^\d{1,16}(?:\.00?)?$/.test(vials) ? Number(vials) : Number.NaN
  if (count >= 1 && count <= VIALS_MAX) return count
  complain('vials', 'bad_vials', badVials(vials, count))
  return undefined
}

function badVials(vials: string, count: number): string {
  const hint = /^[+-]?\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+$/.test(vials)
    ? ' (write it without thousands separators)'
    : ''
  const limit = count > VIALS_MAX ? ` of at most ${VIALS_MAX}` : ''
  return `Vials must be a positive integer${limit}, received "${excerpt(vials)}"${hint}.`
}

function readDue({ due }: LotDraft, { time }: Desk, complain: Complaint): { dueHours?: number } {
  if (due === '') return {}
  const dueHours = time.parse(due, 'ends')
  if (dueHours === undefined || Math.abs(dueHours) > DUE_HOURS_MAX) {
    const message = `Due must be a day or a time (2025-01-31, 2025-01-31 14:00), received "${excerpt(due)}".`
    complain('due', 'bad_due', message)
    return {}
  }
  if (dueHours < 0) complain('due', 'due_before_start', 'Due is before the plan begins.', 'warning')
  return { dueHours }
}

function readPriority({ priority }: LotDraft, settings: Settings, complain: Complaint): { priority?: number } {
  if (priority === '') return {}
  const levels = Object.entries(settings.dueDates.priorityLevels)
  const level = levels.find(([name]) => name.toLowerCase() === priority.toLowerCase())?.[1]
  const value = level ?? (/^\d{1,3}(?:\.\d{1,6})?$/.test(priority) ? Number(priority) : Number.NaN)
  if (value <= PRIORITY_MAX) return { priority: value }
  const names = levels.map(([name]) => name).join(', ')
  const message = `Priority must be a number from 0 to ${PRIORITY_MAX} or one of ${names}, received "${excerpt(priority)}".`
  complain('priority', 'bad_priority', message)
  return {}
}
