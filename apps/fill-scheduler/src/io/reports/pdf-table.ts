import { setImmediate as otherWork } from 'node:timers/promises'
import type { KindLook } from './activity-kinds.js'
import type { PdfPages } from './pdf-pages.js'

/** A column; `width` is its share of the page. */
export interface PdfColumn {
  readonly title: string
  readonly width: number
  readonly align?: 'left' | 'right'
}

/** A row: texts, or a word on its colour; `heading` stands out. */
export interface PdfRow {
  readonly cells: readonly (string | KindLook)[]
  readonly heading?: string
}

const ROW_HEIGHT = 15
const PADDING = 4
const BAND = '#e8ecf1'
const RULE = '#d0d7de'

/** Draws a table over as many pages as it takes, its headings on each; other work of the process goes on in between. */
export async function drawTable(
  pages: PdfPages,
  columns: readonly PdfColumn[],
  rows: readonly PdfRow[],
): Promise<void> {
  const places = placesOf(pages, columns)
  drawHeadings(pages, columns, places)
  for (const row of rows) {
    // A heading does not stay alone at the foot of a page.
    if (!pages.fits(row.heading === undefined ? ROW_HEIGHT : 2 * ROW_HEIGHT)) {
      pages.newPage()
      drawHeadings(pages, columns, places)
      await otherWork()
    }
    if (row.heading === undefined) drawRow(pages, columns, places, row.cells)
    else drawBand(pages, row.heading)
    pages.y += ROW_HEIGHT
  }
}

interface Place {
  readonly x: number
  readonly width: number
}

function placesOf(pages: PdfPages, columns: readonly PdfColumn[]): Place[] {
  const shares = columns.reduce((sum, { width }) => sum + width, 0)
  let x = pages.left
  return columns.map((column) => {
    const place = { x: x + PADDING, width: (column.width / shares) * pages.width - 2 * PADDING }
    x += (column.width / shares) * pages.width
    return place
  })
}

function drawHeadings(pages: PdfPages, columns: readonly PdfColumn[], places: readonly Place[]): void {
  for (const [at, { title, align = 'left' }] of columns.entries()) {
    const place = places[at]
    if (place) pages.text(title, place.x, pages.y + 3.5, place.width, { size: 8.5, bold: true, align })
  }
  pages.rule(pages.left, pages.y + ROW_HEIGHT, pages.left + pages.width, pages.y + ROW_HEIGHT, '#57606a')
  pages.y += ROW_HEIGHT
}

function drawBand(pages: PdfPages, heading: string): void {
  pages.box(pages.left, pages.y + 0.5, pages.width, ROW_HEIGHT - 1, BAND)
  pages.text(heading, pages.left + PADDING, pages.y + 3.5, pages.width - 2 * PADDING, { size: 8.5, bold: true })
}

function drawRow(
  pages: PdfPages,
  columns: readonly PdfColumn[],
  places: readonly Place[],
  cells: PdfRow['cells'],
): void {
  for (const [at, cell] of cells.entries()) {
    const place = places[at]
    if (place === undefined) continue
    if (typeof cell === 'string') {
      pages.text(cell, place.x, pages.y + 3.5, place.width, { size: 8.5, align: columns[at]?.align ?? 'left' })
    } else {
      pages.box(place.x, pages.y + 2, place.width, ROW_HEIGHT - 4, cell.colour, 3)
      pages.text(cell.label, place.x + PADDING, pages.y + 4.8, place.width - 2 * PADDING, {
        size: 7.5,
        bold: true,
        colour: cell.text,
      })
    }
  }
  pages.rule(pages.left, pages.y + ROW_HEIGHT, pages.left + pages.width, pages.y + ROW_HEIGHT, RULE)
}
