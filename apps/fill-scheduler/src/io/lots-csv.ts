import type { Settings } from '../planning/settings.js'
import type { Problem } from '../problem.js'
import { columnKey, columnsOf, readTable, type Table } from './csv-table.js'
import { type LotDraft, lotsOfDrafts, type LotsRead, refused } from './lot-draft.js'
import { boundedProblems } from './problem-list.js'

const COLUMNS = { id: 'Lot ID', type: 'Type', vials: 'Vials', due: 'Due', priority: 'Priority' } as const
const REQUIRED = ['id', 'type', 'vials'] as const

/**
 * Reads a file of lots: columns `Lot ID`, `Type`, `Vials`, and `Due` (the end of a day, or a time, of the settings' zone) and `Priority` where there are
 * due dates; others are ignored, and the case and spaces of headings. Tells all problems at once, each with its row; never throws because of what the
 * file says. Bytes have to be UTF-8.
 */
export function readLots(source: string | Uint8Array, settings: Settings): LotsRead {
  const table = readTable(source)
  const { at, problems } = columnsOf(table.heading)
  const missing = missingColumns(table, at)
  if (missing !== undefined) return { lots: [], problems: [...problems, missing] }
  const read = lotsOfDrafts(draftsOf(table, at), COLUMNS, settings)
  const found = [...problems, ...table.problems, ...read.problems]
  if (found.length === 0 && read.lots.length === 0) return refused('no_lots', 'No lots found after reading CSV.')
  return { lots: read.lots, problems: boundedProblems(found) }
}

function missingColumns({ heading }: Table, at: ReadonlyMap<string, number>): Problem | undefined {
  const missing = REQUIRED.map((member) => COLUMNS[member]).filter((name) => !at.has(columnKey(name)))
  if (missing.length === 0 || heading.length === 0) return undefined
  const message = `Missing columns in CSV: ${missing.join(', ')}`
  return { severity: 'error', code: 'missing_column', message, row: 1 }
}

function draftsOf({ rows }: Table, at: ReadonlyMap<string, number>): LotDraft[] {
  const cell = (cells: readonly string[], member: keyof typeof COLUMNS): string =>
    cells[at.get(columnKey(COLUMNS[member])) ?? -1] ?? ''
  return rows.map(({ row, cells }) => ({
    row,
    id: cell(cells, 'id').normalize('NFC'),
    type: cell(cells, 'type').normalize('NFC'),
    vials: cell(cells, 'vials'),
    due: cell(cells, 'due'),
    priority: cell(cells, 'priority'),
  }))
}
