import type { Lot } from '../planning/lot.js'
import type { Problem } from '../problem.js'
import { columnKey, columnsOf, readTable, type TableRow } from './csv-table.js'
import { excerpt } from './received.js'
import { boundedProblems } from './problem-list.js'

/** Ids in an order, each once, and all that is wrong with the file. */
export interface SequenceRead {
  readonly ids: readonly string[]
  readonly problems: Problem[]
}

/** Lots in an order, and what is odd about it: warnings. */
export interface OrderedLots {
  readonly lots: Lot[]
  readonly problems: Problem[]
}

/**
 * Reads a file with the order of lots: one column `Lot ID` (`LotID`, `lot_id`, `lotid`); others and blank cells are ignored. An id that comes twice keeps its
 * first place and is a warning. Never throws because of what the file says.
 */
export function readSequence(source: string | Uint8Array): SequenceRead {
  const table = readTable(source)
  const { at, problems } = columnsOf(table.heading)
  const column = at.get(columnKey('Lot ID'))
  if (column === undefined && table.heading.length > 0) return { ids: [], problems: [...problems, missingColumn()] }
  const rowOfId = new Map<string, number>()
  const repeated = table.rows.flatMap((row) => enter(row, column ?? 0, rowOfId) ?? [])
  const found = [...problems, ...table.problems, ...repeated]
  if (rowOfId.size === 0 && table.problems.length === 0) found.push(emptySequence())
  return { ids: [...rowOfId.keys()], problems: boundedProblems(found) }
}

/** The listed lots in the order of the list, then all others in their own. No lot is lost; ids that no lot has are warnings. */
export function orderBySequence(lots: readonly Lot[], ids: readonly string[]): OrderedLots {
  const places = new Map(ids.toReversed().map((id, index) => [id, ids.length - index]))
  const placeOf = ({ id }: Lot): number => places.get(id) ?? ids.length + 1
  const known = new Set(lots.map(({ id }) => id))
  const unknown = [...new Set(ids)].filter((id) => !known.has(id))
  return {
    lots: lots.toSorted((a, b) => placeOf(a) - placeOf(b)),
    problems: boundedProblems(unknown.map(unknownLot)),
  }
}

function enter({ row, cells }: TableRow, column: number, rowOfId: Map<string, number>): Problem | undefined {
  const id = (cells[column] ?? '').normalize('NFC')
  if (id === '') return undefined
  const first = rowOfId.get(id)
  if (first === undefined) rowOfId.set(id, row)
  if (first === undefined) return undefined
  const message = `Lot ${excerpt(id)} is in row ${first} already; its first place counts.`
  return { severity: 'warning', code: 'duplicate_lot', message, row, column: 'Lot ID', lotId: id }
}

function unknownLot(id: string): Problem {
  return {
    severity: 'warning',
    code: 'unknown_lot',
    message: `The sequence names ${excerpt(id)}, which is no lot.`,
    lotId: id,
  }
}

function missingColumn(): Problem {
  const message = 'Missing columns in CSV: Lot ID (or LotID, lot_id, lotid)'
  return { severity: 'error', code: 'missing_column', message, row: 1 }
}

function emptySequence(): Problem {
  return { severity: 'error', code: 'no_lots', message: 'No lots found in the sequence.' }
}
