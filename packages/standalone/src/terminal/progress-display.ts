import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import type { OutputStream } from '../shell.js'
import { createLiveBlock } from './live-block.js'
import type { Palette } from './palette.js'
import { renderProgressLine, renderProgressText } from './progress-line.js'
import { columnsOf, keepEnd, lineColumns, printable } from './text-width.js'

const REDRAW_MS = 100
const PLAIN_LINE_MS = 1000
const ROWS_DEFAULT = 24
const HEADING_COLUMNS_MAX = 24
const GAP = '  '

/** Shows what watchers of one or more operations see. */
export interface ProgressDisplay {
  show(snapshot: OperationSnapshot): void
  /** The watcher lost its connection (with the reason), or has it again. */
  trouble(reason: string | undefined): void
  end(): void
}

/** Every snapshot as a line of JSON. */
export function jsonDisplay(stdout: OutputStream): ProgressDisplay {
  return { show: (snapshot) => stdout.write(`${JSON.stringify(snapshot)}\n`), trouble: () => {}, end: () => {} }
}

/** What a live display is drawn with. */
export interface LiveDisplayParts {
  readonly stdout: OutputStream
  readonly clock: Clock
  readonly palette: Palette
  /** The operations, in the order of their lines. Their ids are shown where there are several. */
  readonly ids: readonly string[]
}

/** A line for each operation, redrawn in place; by the clock as well, for a bar without a percentage and for a terminal that is resized. */
export function liveDisplay({ stdout, clock, palette, ids }: LiveDisplayParts): ProgressDisplay {
  const block = createLiveBlock(stdout)
  const startedAt = clock.now()
  const latest = new Map<string, { snapshot: OperationSnapshot; at: number }>()
  let trouble: string | undefined
  const draw = (): void => {
    const columns = lineColumns(stdout.columns)
    const heading = headingOf(ids, columns)
    const width = heading('').length
    const now = clock.now()
    const shape = {
      columns: columns - width,
      ticks: now - startedAt,
      palette,
      ...(trouble !== undefined && { trouble }),
    }
    const lines = ids.flatMap((id) => {
      const { snapshot, at } = latest.get(id) ?? { at: now }
      const line = snapshot && renderProgressLine(snapshot, { ...shape, heardMs: now - at })
      return line === undefined ? [] : [palette.dim(heading(id)) + line]
    })
    if (lines.length > 0) block.draw(withinRows(lines, (stdout.rows ?? ROWS_DEFAULT) - 1))
  }
  const stop = clock.every(REDRAW_MS, draw)
  return {
    show: (snapshot) => void latest.set(snapshot.id, { snapshot, at: clock.now() }),
    trouble: (reason) => void (trouble = reason === undefined ? undefined : 'reconnecting'),
    end() {
      stop()
      draw()
      block.end()
    },
  }
}

/** What stands before each line where there are several: the id, in a column of its own. */
function headingOf(ids: readonly string[], columns: number): (id: string) => string {
  const widest = Math.max(...ids.map(columnsOf))
  const width = Math.min(widest, HEADING_COLUMNS_MAX, Math.floor(columns / 3))
  if (ids.length < 2 || width < 1) return () => ''
  return (id) => {
    const text = keepEnd(printable(id), width)
    return text + ' '.repeat(width - columnsOf(text)) + GAP
  }
}

function withinRows(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines
  const kept = lines.slice(0, Math.max(rows - 1, 0))
  return [...kept, `… and ${lines.length - kept.length} more`]
}

/** A line a second at most for each operation; phases and the end are never left out. */
export function plainDisplay(
  { stdout, stderr }: { readonly stdout: OutputStream; readonly stderr: OutputStream },
  clock: Clock,
  ids: readonly string[],
): ProgressDisplay {
  const printed = new Map<string, { at: number; phase: string | undefined }>()
  let lost = false
  return {
    show(snapshot) {
      const { id, state, progress } = snapshot
      const before = printed.get(id)
      const phase = progress.phase?.name
      const isNews = before === undefined || isTerminal(state) || phase !== before.phase
      if (!isNews && clock.now() - before.at < PLAIN_LINE_MS) return
      printed.set(id, { at: clock.now(), phase })
      stdout.write(`${ids.length > 1 ? `${printable(id)}${GAP}` : ''}${renderProgressText(snapshot)}\n`)
    },
    trouble(reason) {
      if (reason !== undefined && !lost) stderr.write(`connection lost (${printable(reason)}); reconnecting\n`)
      if (reason === undefined && lost) stderr.write('connected again\n')
      lost = reason !== undefined
    },
    end: () => {},
  }
}
