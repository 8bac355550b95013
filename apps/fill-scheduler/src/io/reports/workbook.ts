import writeWorkbook, { type CellObject, type Sheet } from 'write-excel-file/node'
import type { KindLook } from './activity-kinds.js'
import { visible } from './visible-text.js'

/** A sheet before it is written: the first row is the heading, which stays in sight. */
export interface Worksheet {
  readonly name: string
  /** In characters. */
  readonly widths: readonly number[]
  readonly rows: readonly (readonly (CellObject | undefined)[])[]
}

/** What programs allow in the name of a sheet. */
const NAME_LENGTH_MAX = 31

/** A workbook of these sheets. Names are made such that every program accepts them. */
export async function workbook(sheets: readonly Worksheet[]): Promise<Uint8Array> {
  const taken = new Set<string>()
  const written = sheets.map(({ name, widths, rows }) => ({
    sheet: sheetName(name, taken),
    columns: widths.map((width) => ({ width })),
    stickyRowsCount: 1,
    orientation: 'landscape' as const,
    data: rows.map((row) => row.map((cell) => cell ?? null)),
  }))
  return writeWorkbook(written as Sheet<Buffer>[]).toBuffer()
}

/** A heading. */
export function headingCell(text: string, align: 'left' | 'right' = 'left'): CellObject {
  return { type: String, value: text, fontWeight: 'bold', backgroundColor: '#e8ecf1', align }
}

/** Text that stays text, also when somebody edits it: it is no formula and no number, whatever it looks like. */
export function textOf(text: string | undefined): CellObject | undefined {
  return text === undefined || text === '' ? undefined : { type: String, value: writable(text), format: '@' }
}

/** The writer leaves out U+FFFD, and what is left out is not seen. */
function writable(text: string): string {
  return visible(text).replaceAll('\uFFFD', '?')
}

/** A number with this many decimals. */
export function numberOf(value: number, decimals = 0): CellObject {
  return { type: Number, value, format: decimals === 0 ? '0' : `0.${'0'.repeat(decimals)}` }
}

/** A date, of which the wall clock is meant. */
export function dateOf(value: Date, format: string): CellObject {
  return { type: Date, value, format, align: 'left' }
}

/** A word on its colour. */
export function badgeOf({ label, colour, text }: KindLook): CellObject {
  return { type: String, value: label, backgroundColor: colour, textColor: text }
}

/** A format of `report.dateTimeFormat` in the language of workbooks; what is no directive is taken literally. */
export function workbookDateFormat(format: string): string {
  const tokens: Readonly<Record<string, string>> = {
    '%Y': 'yyyy',
    '%m': 'mm',
    '%d': 'dd',
    '%H': 'hh',
    '%M': 'mm',
    '%S': 'ss',
    '%%': '\\%',
  }
  return format.replaceAll(/%.|[^%]|%$/gsu, (part) => tokens[part] ?? (/^[-/:. ]$/.test(part) ? part : `\\${part}`))
}

/** Without what is not allowed, short enough, and unlike the others in any case. */
function sheetName(name: string, taken: Set<string>): string {
  const allowed = visible(name)
    .replaceAll(/[\\/?*:[\]]/g, ' ')
    .replaceAll(/^'+|'+$/g, '')
    .trim()
  const base = allowed === '' ? 'Sheet' : allowed
  for (let count = 1; ; count += 1) {
    const ending = count === 1 ? '' : ` ${count}`
    const candidate = `${[...base].slice(0, NAME_LENGTH_MAX - ending.length).join('')}${ending}`
    if (taken.has(candidate.toLowerCase())) continue
    taken.add(candidate.toLowerCase())
    return candidate
  }
}
