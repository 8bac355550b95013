import { CsvError, parse } from 'csv-parse/sync'
import type { Problem } from '../problem.js'
import { delimiterOf } from './delimiter.js'
import { excerpt } from './received.js'

/** A file of more bytes is refused. */
export const CSV_BYTES_MAX = 10 * 1024 * 1024
/** Lines of a file, blank ones and those within quotes included. */
const LINES_MAX = 20_000
const LINE_CHARACTERS_MAX = 100_000

/** A row of a table: its line in the file, the heading being line 1 (of a row with line breaks in quotes: its first), and its trimmed cells. */
export interface TableRow {
  readonly row: number
  readonly cells: readonly string[]
}

/** A table of text. Rows without any text are left out. */
export interface Table {
  readonly heading: readonly string[]
  readonly rows: readonly TableRow[]
  /** Errors that do not belong to a cell. Behind a row whose quotes are odd nothing can be read. */
  readonly problems: readonly Problem[]
}

/**
 * Reads CSV as planners have it: UTF-8 with or without a byte order mark, any line ends, fields in quotes, and as delimiter the comma or what
 * stands in the heading instead (semicolon or tab). Never throws because of what the text says.
 */
export function readTable(source: string | Uint8Array): Table {
  const text = textOf(source)
  if (typeof text !== 'string') return { heading: [], rows: [], problems: [text] }
  const { rows, problems } = readRows(text)
  const [heading, ...others] = rows
  return { heading: heading?.cells ?? [], rows: others, problems }
}

/** Column names are alike whatever their case, spaces, underscores and hyphens. */
export function columnKey(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '')
}

/** The text with `\n` for every line end, so that lines count alike everywhere. */
function textOf(source: string | Uint8Array): string | Problem {
  const bytes = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength
  if (bytes > CSV_BYTES_MAX)
    return refusal('too_large', `The file has ${bytes} bytes; at most ${CSV_BYTES_MAX} are read.`)
  const text = typeof source === 'string' ? source : decoded(source)
  if (typeof text !== 'string') return text
  const lines = text
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .split('\n')
  if (lines.length > LINES_MAX) {
    return refusal('too_many_lots', `The file has ${lines.length} lines; at most ${LINES_MAX} are read.`)
  }
  const long = lines.findIndex(({ length }) => length > LINE_CHARACTERS_MAX)
  if (long < 0) return lines.join('\n')
  return refusal('row_too_long', `A row has more than ${LINE_CHARACTERS_MAX} characters.`, long + 1)
}

function decoded(bytes: Uint8Array): string | Problem {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refusal('not_utf8', 'The file is not UTF-8; save it as "CSV UTF-8".', firstBadLine(bytes))
  }
}

/** Bytes of a line break stand in no other character of UTF-8: lines can be looked at one by one. */
function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let row = 1, from = 0; ; row += 1) {
    const end = bytes.indexOf(0x0a, from)
    try {
      decoder.decode(bytes.subarray(from, end < 0 ? undefined : end))
    } catch {
      return row
    }
    if (end < 0) return row
    from = end + 1
  }
}

function readRows(text: string): { rows: TableRow[]; problems: Problem[] } {
  const rows: TableRow[] = []
  let next = 1
  try {
    parse(text, {
      delimiter: delimiterOf(text.slice(0, LINE_CHARACTERS_MAX)),
      trim: true,
      relax_column_count: true,
      max_record_size: LINE_CHARACTERS_MAX,
      on_record: (cells: string[], { lines }) => {
        const row = lines - breaksIn(cells)
        next = lines + 1
        if (cells.some((cell) => cell !== '')) rows.push({ row, cells: cells.map((cell) => cell.trim()) })
        return null
      },
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return { rows, problems: [oddRow(error.code, next)] }
  }
  return { rows, problems: [] }
}

const breaksIn = (cells: readonly string[]): number => cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0)

function oddRow(code: CsvError['code'], row: number): Problem {
  const rest = 'Nothing behind it was read.'
  if (code === 'CSV_MAX_RECORD_SIZE') {
    return refusal('row_too_long', `A row has more than ${LINE_CHARACTERS_MAX} characters. ${rest}`, row)
  }
  if (code === 'CSV_QUOTE_NOT_CLOSED') return refusal('bad_quoting', `A quote is opened and never closed. ${rest}`, row)
  const message = `A quote stands inside a field; write it twice and the field in quotes ("5"" vial"). ${rest}`
  return refusal('bad_quoting', message, row)
}

/** An error about the input as a whole or a row of it. */
function refusal(code: string, message: string, row?: number): Problem {
  return { severity: 'error', code, message, ...(row === undefined ? {} : { row }) }
}

/** Where columns stand in a heading, by `columnKey`. Two columns of one name are an error. */
export function columnsOf(heading: readonly string[]): { at: ReadonlyMap<string, number>; problems: Problem[] } {
  const at = new Map<string, number>()
  const problems: Problem[] = []
  for (const [index, name] of heading.entries()) {
    const key = columnKey(name)
    if (key === '') continue
    if (!at.has(key)) at.set(key, index)
    else problems.push(refusal('duplicate_column', `The column ${excerpt(name)} is there twice.`, 1))
  }
  return { at, problems }
}
