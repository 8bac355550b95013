import { StringDecoder } from 'node:string_decoder'
import type { OperationSnapshot } from '@holdfast/protocol'
import type { Clock } from '../../clock.js'
import type { Shell } from '../../shell.js'
import { type Palette, isLive, paletteOf } from '../../terminal/palette.js'
import { renderProgressLine } from '../../terminal/progress-line.js'
import { type StatusLine, createStatusLine } from '../../terminal/status-line.js'
import { lineColumns, printable } from '../../terminal/text-width.js'

const REDRAW_MS = 100

/** What a person sees of a run: the output of the command, and on a terminal the bar below it. */
export interface RunDisplay {
  output(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** A line of ours, on standard error. */
  note(text: string): void
  /** Leaves the bar as it is last. */
  end(): void
}

/** What the bar shows, asked for each time that it is drawn. */
export interface RunView {
  readonly snapshot: OperationSnapshot
  /** Milliseconds since it came. */
  readonly heardMs: number
  /** What stands in the place of the estimate. */
  readonly trouble: string | undefined
}

/** A display of a run: the bar is drawn where standard error is a terminal. */
export function createRunDisplay(shell: Shell, clock: Clock, view: () => RunView): RunDisplay {
  return isLive(shell.stderr, shell.env) ? liveDisplay(shell, clock, view) : plainDisplay(shell)
}

/** What both streams write goes to one terminal, above the bar; a stream that goes elsewhere goes there as it is. */
function liveDisplay(shell: Shell, clock: Clock, view: () => RunView): RunDisplay {
  const { stdout, stderr, env } = shell
  const line = createStatusLine(stderr)
  const bar = (): string => drawBar(view(), stderr.columns, clock.now(), paletteOf(stderr, env))
  const stop = clock.every(REDRAW_MS, () => line.draw(bar()))
  const write = {
    stderr: textWriter(line),
    stdout: isLive(stdout, env) ? textWriter(line) : (chunk: Buffer) => void stdout.write(chunk),
  }
  return {
    output: (stream, chunk) => write[stream](chunk),
    note: (text) => line.write(`${printable(text)}\n`),
    end() {
      stop()
      line.end(bar())
    },
  }
}

/** A character may come in two pieces. */
function textWriter(line: StatusLine): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  return (chunk) => line.write(decoder.write(chunk))
}

function drawBar(view: RunView, columns: number | undefined, now: number, palette: Palette): string {
  const { snapshot, heardMs, trouble } = view
  const shape = { columns: lineColumns(columns), ticks: now, heardMs, palette }
  return renderProgressLine(snapshot, { ...shape, ...(trouble !== undefined && { trouble }) })
}

function plainDisplay({ stdout, stderr }: Shell): RunDisplay {
  const streams = { stdout, stderr }
  return {
    output: (stream, chunk) => void streams[stream].write(chunk),
    note: (text) => void stderr.write(`${printable(text)}\n`),
    end: () => {},
  }
}
