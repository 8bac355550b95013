import type { OperationSnapshot } from '@holdfast/protocol'
import type { Shell } from '../shell.js'
import { paletteOf } from '../terminal/palette.js'
import { renderProgressLine, renderProgressText } from '../terminal/progress-line.js'
import { columnsOf, keepEnd, printable } from '../terminal/text-width.js'

const COLUMNS_DEFAULT = 80
const GAP = '  '

/** Whether data is to be printed as JSON: where it is asked for, and wherever no person reads. */
export function wantsJson({ json }: { readonly json?: boolean }, { stdout }: Shell): boolean {
  return json === true || stdout.isTTY !== true
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown, { stdout }: Shell): void {
  stdout.write(`${JSON.stringify(value)}\n`)
}

/** Prints an operation: a line with a bar for people, its snapshot as JSON elsewhere. */
export function printSnapshot(snapshot: OperationSnapshot, options: { readonly json?: boolean }, shell: Shell): void {
  if (wantsJson(options, shell)) return printJson(snapshot, shell)
  const { stdout, env } = shell
  const columns = (stdout.columns ?? COLUMNS_DEFAULT) - 1
  const id = `${printable(snapshot.id)}${GAP}`
  const line = renderProgressLine(snapshot, {
    columns: columns - columnsOf(id),
    ticks: 0,
    palette: paletteOf(stdout, env),
  })
  stdout.write(`${id}${line}\n`)
}

/** An operation as a row: id, state, progress, owner, label. */
export function snapshotRow(snapshot: OperationSnapshot): readonly string[] {
  return [snapshot.id, snapshot.state, renderProgressText(snapshot), snapshot.owner, snapshot.label ?? snapshot.kind]
}

/** Prints rows in columns below a heading, the last one cut where the terminal ends. Nothing but the heading is coloured. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[], shell: Shell): void {
  const { stdout, env } = shell
  const { dim } = paletteOf(stdout, env)
  const shown = rows.map((row) => row.map(printable))
  const widths = heading.map((title, at) => Math.max(...[title, ...shown.map((row) => row[at] ?? '')].map(columnsOf)))
  const columns = (stdout.columns ?? COLUMNS_DEFAULT) - 1
  const lineOf = (row: readonly string[]): string =>
    clip(
      row
        .map((text, at) => text + ' '.repeat((widths[at] ?? 0) - columnsOf(text)))
        .join(GAP)
        .trimEnd(),
      columns,
    )
  stdout.write(`${dim(lineOf(heading))}\n${shown.map((row) => `${lineOf(row)}\n`).join('')}`)
}

function clip(line: string, columns: number): string {
  if (columnsOf(line) <= columns) return line
  return [...keepEnd([...line].reverse().join(''), columns)].reverse().join('')
}
