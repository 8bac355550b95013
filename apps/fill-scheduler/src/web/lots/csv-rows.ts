import { delimiterOf } from '../../io/delimiter.js'
import type { LotData } from '../api/answers.js'

/** A row of a file as somebody wrote it; only shown, never planned with. */
export interface CsvRow {
  /** Line of the file, the heading being line 1. */
  readonly row: number
  readonly cells: readonly string[]
}

/** Reads a file for showing it beside what the server says of it: quoted cells, empty lines left out, cells divided as the server divides them. */
export function csvRows(text: string): { readonly heading: readonly string[]; readonly rows: readonly CsvRow[] } {
  const lines = linesOf(text.replace(/^\uFEFF/, ''))
  const delimiter = delimiterOf(lines[0]?.text ?? '')
  const [heading, ...rows] = lines.map(({ row, text }) => ({ row, cells: cellsOf(text, delimiter) }))
  return { heading: heading?.cells ?? [], rows }
}

/** Lots as a file, to be changed and planned again. */
export function csvOf(lots: readonly LotData[]): string {
  const hasDue = lots.some(({ due }) => due != null)
  const hasPriority = lots.some(({ priority }) => priority != null)
  const heading = ['Lot ID', 'Type', 'Vials', ...(hasDue ? ['Due'] : []), ...(hasPriority ? ['Priority'] : [])]
  const rows = lots.map((lot) => [
    lot.lot_id,
    lot.lot_type,
    String(lot.vials),
    ...(hasDue ? [lot.due ?? ''] : []),
    ...(hasPriority ? [String(lot.priority ?? '')] : []),
  ])
  return [heading, ...rows].map((cells) => cells.map(quoted).join(',')).join('\n')
}

function quoted(cell: string): string {
  return /[",;\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** Lines with their numbers; a line break in quotes ends none. */
function linesOf(text: string): { readonly row: number; readonly text: string }[] {
  const lines: { row: number; text: string }[] = []
  let pending: { row: number; text: string } | undefined
  for (const [at, line] of text.split(/\r\n|\n|\r/).entries()) {
    const current: { row: number; text: string } = pending
      ? { ...pending, text: `${pending.text}\n${line}` }
      : { row: at + 1, text: line }
    pending = (current.text.split('"').length - 1) % 2 === 1 ? current : undefined
    if (!pending && current.text.trim() !== '') lines.push(current)
  }
  if (pending) lines.push(pending)
  return lines
}

function cellsOf(line: string, delimiter: string): readonly string[] {
  const cells: string[] = []
  let [cell, isQuoted] = ['', false]
  for (const letter of line) {
    if (letter === '"') isQuoted = !isQuoted
    if (letter === delimiter && !isQuoted) {
      cells.push(cell)
      cell = ''
    } else cell += letter
  }
  return [...cells, cell].map(unquoted)
}

function unquoted(cell: string): string {
  const text = cell.trim()
  return /^".*"$/s.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text
}
