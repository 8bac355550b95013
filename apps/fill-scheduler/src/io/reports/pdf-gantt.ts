import { setImmediate as otherWork } from 'node:timers/promises'
import { fadedLook, KIND_LOOKS } from './activity-kinds.js'
import type { GanttBar, GanttChart, GanttRow } from './gantt.js'
import { type PdfPages, SOFT_INK } from './pdf-pages.js'

const LABEL_WIDTH = 84
const MARKS_HEIGHT = 11
const LANE_HEIGHT = 21
const BAR_HEIGHT = 19
const ROW_GAP = 6
const GROUND = '#f3f5f8'
const MARK = '#c3cad3'
/** Narrower bars have no room for a name. */
const NAMED_WIDTH = 14

/** Draws the chart row by row, over as many pages as it takes; other work of the process goes on in between. */
export async function drawGantt(pages: PdfPages, chart: GanttChart): Promise<void> {
  const height = MARKS_HEIGHT + chart.lines * LANE_HEIGHT + ROW_GAP
  for (const row of chart.rows) {
    if (!pages.fits(height)) {
      pages.newPage()
      await otherWork()
    }
    drawRow(pages, row, chart.lines)
    pages.y += height
  }
}

function drawRow(pages: PdfPages, row: GanttRow, lines: number): void {
  const left = pages.left + LABEL_WIDTH
  const x = (place: number): number => left + place * (pages.width - LABEL_WIDTH)
  const bottom = pages.y + MARKS_HEIGHT + lines * LANE_HEIGHT - (LANE_HEIGHT - BAR_HEIGHT)
  drawLabels(pages, row, lines)
  for (let lane = 0; lane < lines; lane += 1) pages.box(left, laneTop(pages, lane), x(1) - left, BAR_HEIGHT, GROUND)
  for (const [at, mark] of row.marks.entries()) {
    const next = row.marks[at + 1]?.at ?? 1
    pages.rule(x(mark.at), pages.y, x(mark.at), bottom, MARK)
    pages.text(mark.label, x(mark.at) + 2, pages.y + 1, x(next) - x(mark.at) - 2, { size: 7, colour: SOFT_INK })
  }
  for (const bar of row.bars) drawBar(pages, bar, x)
}

/** With one line the date has room beside the bars; with several, their names stand there. */
function drawLabels(pages: PdfPages, { label }: GanttRow, lines: number): void {
  const [name = '', date = ''] = label.split(', ')
  const width = LABEL_WIDTH - 4
  if (lines > 1) pages.text(label, pages.left, pages.y + 1, width, { size: 7, bold: true })
  for (let lane = 0; lane < lines; lane += 1) {
    const y = laneTop(pages, lane)
    if (lines > 1) pages.text(`Line ${lane + 1}`, pages.left, y + 6, width, { size: 7.5, colour: SOFT_INK })
    else {
      pages.text(name, pages.left, y + 1, width, { size: 8, bold: true })
      pages.text(date, pages.left, y + 11, width, { size: 7, colour: SOFT_INK })
    }
  }
}

function drawBar(pages: PdfPages, { activity, from, to }: GanttBar, x: (place: number) => number): void {
  const look = KIND_LOOKS[activity.kind]
  const { colour, text, label } = activity.frozen ? fadedLook(look) : look
  const y = laneTop(pages, activity.line - 1)
  const width = Math.max(0.4, x(to) - x(from))
  // A hair less than the bar is long, so that neighbours can be told apart.
  pages.box(x(from), y, Math.max(0.3, width - 0.4), BAR_HEIGHT, colour)
  if (width < NAMED_WIDTH || activity.kind === 'CHANGEOVER') return
  const name = activity.kind === 'FILL' ? (activity.lotId ?? '') : label
  pages.text(name, x(from) + 2, y + 6, width - 4, { size: 7, bold: true, colour: text })
}

function laneTop(pages: PdfPages, lane: number): number {
  return pages.y + MARKS_HEIGHT + lane * LANE_HEIGHT
}
