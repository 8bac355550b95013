import type { Problem } from '../problem.js'
import { longestStretchHours } from './calendar.js'
import { freshBlock, lineAt } from './line.js'
import type { Lot } from './lot.js'
import { EPSILON_HOURS, type Rules } from './rules.js'

/** Names and types are at most this long. */
const NAME_LENGTH_MAX = 64

/** From this length on a single lot is worth a warning. */
const LONG_FILL_HOURS = 100

/**
 * Checks lots against the rules before anything is planned; all problems at once. Errors: numbers of the rules that are
 * not positive, no lots (but where work that had begun is all there is), empty or overlong ids and types, ids that
 * come twice, vials that are not whole and positive, fill times, due hours and priorities that are no numbers, lots
 * that fit into no window, or into no working time. Warning: a fill of more than 100 h.
 */
export function validateLots(lots: readonly Lot[], rules: Rules): Problem[] {
  const problems = ruleProblems(rules)
  if (lots.length === 0 && rules.starts === undefined) problems.push(error('no_lots', 'No lots provided'))
  const seen = new Set<string>()
  for (const lot of lots) {
    problems.push(...nameProblems(lot), ...numberProblems(lot))
    if (seen.has(lot.id)) problems.push(error('duplicate_lot', `Duplicate Lot ID detected: ${lot.id}`, lot.id))
    seen.add(lot.id)
  }
  if (problems.length > 0) return [...problems, ...lots.flatMap((lot) => sizeProblems(lot, rules))]
  return lots.flatMap((lot) => [...sizeProblems(lot, rules), ...workingTimeProblems(lot, rules)])
}

function ruleProblems(rules: Rules): Problem[] {
  return (['windowHours', 'cleanHours'] as const)
    .filter((field) => !(rules[field] > 0))
    .map((field) => ({
      severity: 'error',
      code: 'bad_rule',
      message: `${field} must be > 0, received ${rules[field]}`,
      field,
    }))
}

function nameProblems({ id, type }: Lot): Problem[] {
  return [
    ...(id.trim() === '' ? [error('empty_id', 'A lot has empty Lot ID.')] : []),
    ...(type.trim() === '' ? [error('empty_type', `Lot ${id} has an empty type.`, id)] : []),
    ...(['Lot ID', 'Type'] as const)
      .filter((_, index) => (index === 0 ? id : type).length > NAME_LENGTH_MAX)
      .map((name) => error('too_long', `${name} must have at most ${NAME_LENGTH_MAX} characters: ${id}`, id)),
  ]
}

function numberProblems({ id, vials, fillHours, dueHours, priority }: Lot): Problem[] {
  const problems: Problem[] = []
  if (!(Number.isSafeInteger(vials) && vials > 0)) {
    problems.push(error('bad_vials', `Lot ${id}: Vials must be a positive integer, received ${vials}.`, id))
  }
  if (!(Number.isFinite(fillHours) && fillHours > 0)) {
    problems.push(error('bad_fill_hours', `Lot ${id}: fill hours must be > 0, received ${fillHours}.`, id))
  }
  if (dueHours !== undefined && !Number.isFinite(dueHours)) {
    problems.push(error('bad_due', `Lot ${id}: due hours must be a number, received ${dueHours}.`, id))
  }
  if (priority !== undefined && !(Number.isFinite(priority) && priority >= 0)) {
    problems.push(error('bad_priority', `Lot ${id}: the priority must be a number >= 0, received ${priority}.`, id))
  }
  return problems
}

function sizeProblems({ id, vials, fillHours }: Lot, { windowHours }: Rules): Problem[] {
  if (fillHours > windowHours + EPSILON_HOURS) {
    const most = Math.floor(windowHours * (vials / fillHours) + EPSILON_HOURS)
    const message =
      `Lot ${id}: ${vials} vials take ${fillHours.toFixed(2)} h, which exceeds the ${windowHours} h clean window. ` +
      `Max vials per lot at current rate: ${most}.`
    return [error('oversize_lot', message, id)]
  }
  if (!(fillHours > LONG_FILL_HOURS)) return []
  const message = `Lot ${id} takes ${fillHours.toFixed(2)} h to fill, more than ${LONG_FILL_HOURS} h.`
  return [{ severity: 'warning', code: 'long_fill', message, lotId: id }]
}

/** Each lot alone, behind a cleaning: whatever can be planned at all can be planned like that. */
function workingTimeProblems(lot: Lot, rules: Rules): Problem[] {
  if (rules.calendar === undefined || lot.fillHours > rules.windowHours + EPSILON_HOURS) return []
  const fits = (rules.starts ?? [undefined])
    .slice(0, rules.lines)
    .every((start) => freshBlock({ ...lineAt(start, rules), closesHours: undefined }, [lot], rules) !== undefined)
  if (fits) return []
  const message =
    `Lot ${lot.id}: working time never has ${rules.cleanHours} h for a cleaning and then, within ` +
    `${rules.windowHours} h, ${lot.fillHours.toFixed(2)} h for the fill. The longest time without a rest is ${longestStretchHours(rules.calendar)} h.`
  return [error('outside_working_time', message, lot.id)]
}

function error(code: string, message: string, lotId?: string): Problem {
  return { severity: 'error', code, message, ...(lotId === undefined ? {} : { lotId }) }
}
