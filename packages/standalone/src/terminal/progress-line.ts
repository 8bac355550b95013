import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { formatDone, formatDuration, formatEta, formatPercent, formatRate } from '../quantity.js'
import { PLAIN, type Palette } from './palette.js'
import { columnsOf, keepEnd, keepStart, printable } from './text-width.js'

const BAR_COLUMNS_MAX = 32
const BAR_COLUMNS_MIN = 8
const ITEM_COLUMNS_MIN = 12
const GAP = '  '
/** Eighths of a block, so that the bar moves more often than its width has columns. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** How a progress line is drawn. */
export interface ProgressLineOptions {
  /** Columns of the terminal; the line never takes more. */
  readonly columns: number
  /** Milliseconds since the drawing began; moves the block of a bar that has no percentage. */
  readonly ticks: number
  /** Milliseconds since the snapshot came, by which an operation that runs has run longer. Default 0. */
  readonly heardMs?: number
  /** What stands in the place of the estimate while the watcher itself is in trouble: `reconnecting`. */
  readonly trouble?: string
  /** Default: no colours. */
  readonly palette?: Palette
}

/**
 * One line that says how an operation stands: phase, bar, percentage, done of total, rate, estimate with its range,
 * item. Pure. Where the terminal is too narrow, the item goes first, then the rate, the label, the counts and the
 * estimate; the bar shrinks before any of them, and the percentage stays.
 */
export function renderProgressLine(snapshot: OperationSnapshot, options: ProgressLineOptions): string {
  const segments = segmentsOf(snapshot, options)
  const room = Math.max(options.columns, 1)
  const kept = fit(segments, room)
  const spare = room - columnsOfSegments(kept)
  const bar = renderBar(snapshot, Math.min(BAR_COLUMNS_MAX, Math.max(spare, 0)), options.ticks)
  const texts = kept.map((segment) => ({ ...segment, text: segment.name === 'bar' ? bar : segment.text }))
  const filled = texts.filter(({ text }) => text !== '')
  const line = filled.map(({ text }) => text).join(GAP)
  if (columnsOf(line) > room) return clip(line, room)
  const { palette = PLAIN } = options
  const painted = filled.map((segment) => paint(segment, snapshot, palette)).join(GAP)
  const item = itemOf(snapshot, room - columnsOf(line) - GAP.length)
  return item === '' ? painted : painted + GAP + palette.dim(item)
}

const COLOUR_OF_STATE = {
  queued: 'dim',
  running: 'cyan',
  waiting: 'yellow',
  stalled: 'yellow',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  expired: 'red',
} as const satisfies Record<OperationSnapshot['state'], keyof Palette>

function paint({ name, text }: Segment, { state }: OperationSnapshot, palette: Palette): string {
  if (name === 'label' || name === 'percent') return palette.bold(text)
  if (name === 'rate') return palette.dim(text)
  return name === 'bar' || (name === 'eta' && state !== 'running') ? palette[COLOUR_OF_STATE[state]](text) : text
}

/** The same without a bar, for files and pipes: one line per change worth a line. */
export function renderProgressText(snapshot: OperationSnapshot): string {
  return segmentsOf(snapshot, {})
    .map((segment) => segment.text.trim())
    .filter((text) => text !== '')
    .join(GAP)
}

interface Segment {
  readonly name: 'label' | 'bar' | 'percent' | 'done' | 'rate' | 'eta'
  readonly text: string
}

/** What is given up first where the line is too long. */
const EXPENDABLE: readonly Segment['name'][] = ['rate', 'label', 'done', 'eta', 'bar']

function segmentsOf(
  snapshot: OperationSnapshot,
  { trouble, heardMs }: Pick<ProgressLineOptions, 'trouble' | 'heardMs'>,
): Segment[] {
  const { progress } = snapshot
  return [
    { name: 'label', text: labelOf(snapshot) },
    { name: 'bar', text: '' },
    { name: 'percent', text: progress.percent === undefined ? '' : formatPercent(progress.percent).padStart(4) },
    { name: 'done', text: doneOf(progress) },
    { name: 'rate', text: rateOf(snapshot) },
    { name: 'eta', text: trouble ?? etaOf(snapshot, heardMs) },
  ]
}

function labelOf({ progress, label, kind, state }: OperationSnapshot): string {
  if (state === 'queued') return `${printable(label ?? kind)} (queued)`
  const { phase } = progress
  return phase ? `${phase.index}/${phase.count} ${printable(phase.name)}` : printable(label ?? kind)
}

/** Nothing of nothing is no news. */
function doneOf({ done, total, unit = '' }: OperationSnapshot['progress']): string {
  return done === 0 && total === undefined ? '' : formatDone(done, total, printable(unit))
}

function rateOf({ rate, state, progress }: OperationSnapshot): string {
  return rate !== undefined && rate > 0 && !isTerminal(state) ? formatRate(rate, printable(progress.unit ?? '')) : ''
}

function etaOf(snapshot: OperationSnapshot, heardMs = 0): string {
  if (isTerminal(snapshot.state)) return `${snapshot.state} after ${formatDuration(snapshot.elapsed)}`
  if (snapshot.cancelRequested) return 'cancelling'
  if (snapshot.state !== 'running') return snapshot.state
  return snapshot.eta ? `ETA ${formatEta(snapshot.eta)}` : formatDuration(snapshot.elapsed + heardMs / 1000)
}

function itemOf({ progress, state }: OperationSnapshot, columns: number): string {
  if (isTerminal(state) || columns < ITEM_COLUMNS_MIN) return ''
  // Of a path the end says most, of a sentence the beginning.
  const { item, message = '' } = progress
  return item === undefined ? keepStart(printable(message), columns) : keepEnd(printable(item), columns)
}

/** Drops expendable segments until what is left, with the narrowest bar, fits. */
function fit(segments: Segment[], room: number): Segment[] {
  let kept = segments.filter((segment) => segment.name === 'bar' || segment.text !== '')
  for (const name of EXPENDABLE) {
    const bar = kept.some((segment) => segment.name === 'bar') ? BAR_COLUMNS_MIN : 0
    if (columnsOfSegments(kept) + bar <= room) break
    kept = kept.filter((segment) => segment.name !== name)
  }
  return kept
}

function columnsOfSegments(segments: Segment[]): number {
  return segments.reduce((sum, segment) => sum + columnsOf(segment.text), GAP.length * Math.max(segments.length - 1, 0))
}

function clip(line: string, columns: number): string {
  return columnsOf(line) <= columns ? line : keepEnd(line, columns)
}

/** A bar of exactly `columns` columns, its two edges included; an unknown percentage moves a block to and fro. */
function renderBar({ progress, state }: OperationSnapshot, columns: number, ticks: number): string {
  const inside = columns - 2
  if (inside < 1) return ''
  const filled =
    progress.percent === undefined && !isTerminal(state)
      ? renderMovingBlock(inside, ticks)
      : renderFilled(inside, progress.percent ?? (state === 'completed' ? 100 : 0))
  return `▕${filled}▏`
}

function renderFilled(columns: number, percent: number): string {
  const eighths = Math.floor((Math.min(percent, 100) / 100) * columns * 8)
  const text = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]
  return text.padEnd(columns)
}

function renderMovingBlock(columns: number, ticks: number): string {
  const block = Math.min(4, columns)
  const path = columns - block
  const step = path === 0 ? 0 : Math.floor(ticks / 100) % (path * 2)
  const before = step <= path ? step : path * 2 - step
  return ' '.repeat(before) + '█'.repeat(block) + ' '.repeat(path - before)
}
