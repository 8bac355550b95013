import { formatBytes, formatCount } from '../../quantity.js'
import type { IndexSummary } from '../index-summary.js'
import { make } from './elements.js'

/** The details of an index: a table by extension, a table of the largest files, and what was left out. */
export function renderResult(summary: IndexSummary): Node[] {
  const tables = make('div', { class: 'tables' }, renderExtensions(summary), renderLargest(summary))
  return [tables, ...renderFootnote(summary)]
}

/** The totals of an index, as pairs of a term and its value. */
export function renderTotals({ files, bytes, lines, directories }: IndexSummary): Node[] {
  const tile = (name: string, value: string): HTMLElement =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value))
  return [
    tile('Files', formatCount(files)),
    tile('Size', formatBytes(bytes)),
    tile('Lines of text', formatCount(lines)),
    tile('Directories', formatCount(directories)),
  ]
}

function renderExtensions({ extensions }: IndexSummary): HTMLElement {
  const rows = extensions.map((row) => ({ name: row.extension, value: row.bytes, note: formatCount(row.files) }))
  return renderTable('By extension', ['Extension', 'Files', 'Share', 'Size'], rows)
}

function renderLargest({ largest }: IndexSummary): HTMLElement {
  const rows = largest.map(({ path, bytes }) => ({ name: path, value: bytes, note: undefined }))
  return renderTable('Largest files', ['File', 'Share', 'Size'], rows)
}

interface Row {
  readonly name: string
  readonly value: number
  readonly note: string | undefined
}

function renderTable(caption: string, columns: string[], rows: Row[]): HTMLElement {
  const largest = Math.max(1, ...rows.map((row) => row.value))
  const numeric = new Set(['Files', 'Size'])
  const heads = columns.map((name) =>
    make(
      'th',
      { class: numeric.has(name) ? 'number' : name === 'Share' ? 'share' : '', attributes: { scope: 'col' } },
      name,
    ),
  )
  const body = make('tbody', {}, ...rows.map((row) => renderRow(row, largest)))
  return make('table', {}, make('caption', {}, caption), make('thead', {}, make('tr', {}, ...heads)), body)
}

function renderRow({ name, value, note }: Row, largest: number): HTMLElement {
  const bar = make('div', { class: 'share-bar', attributes: { 'aria-hidden': 'true' } })
  bar.style.width = `${(value / largest) * 100}%`
  const cells = [make('th', { class: 'name', attributes: { scope: 'row', title: name } }, ...renderName(name))]
  if (note !== undefined) cells.push(make('td', { class: 'number' }, note))
  cells.push(make('td', { class: 'share' }, bar), make('td', { class: 'number' }, formatBytes(value)))
  return make('tr', {}, ...cells)
}

/** The file first, then the directory as far as there is room; the whole path is in the tooltip. */
function renderName(path: string): Node[] {
  const cut = path.lastIndexOf('/')
  if (cut < 0) return [document.createTextNode(path)]
  return [document.createTextNode(path.slice(cut + 1)), make('span', { class: 'directory' }, path.slice(0, cut))]
}

function renderFootnote({ links, unreadable }: IndexSummary): Node[] {
  const notes = [
    links > 0 ? `${formatCount(links)} symbolic links not followed` : '',
    unreadable > 0 ? `${formatCount(unreadable)} entries could not be read` : '',
  ].filter((text) => text !== '')
  return notes.length === 0 ? [] : [make('p', { class: 'footnote' }, `${notes.join('; ')}.`)]
}
