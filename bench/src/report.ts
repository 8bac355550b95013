import type { DecisionResult } from './decisions.js'
import type { FanOutResult, FanOutRow } from './fan-out.js'
import type { MemoryRow } from './idle-memory.js'
import type { Machine } from './machine.js'
import { type OperationsResult, REPORTS_PER_SECOND } from './operations.js'
import type { Effort } from './options.js'
import type { Quartiles } from './statistics.js'
import { NO_FAULTS } from './tally.js'
import type { Measurements, Verdict } from './targets.js'

/** Above this the generator decided the pace of the run. It does not touch CPU per delivery, but it is said. */
const BUSY_MAX = 0.95
/** Above this, what else ran took processors and caches away, and both servers look more alike than they are. */
const FOREIGN_CORES_MAX = 0.2

/** Everything that a run leaves behind. */
export interface Report extends Measurements {
  readonly machine: Machine
  readonly effort: Effort
  readonly verdicts: readonly Verdict[]
  readonly faults: readonly string[]
}

/** The report as a page of Markdown; the terminal shows the same. */
export function renderReport(report: Report): string {
  const parts = ['# Benchmark', ...describeRun(report)]
  if (report.fanOut !== undefined) parts.push(...renderFanOut(report.fanOut))
  if (report.operations !== undefined) parts.push(...renderOperations(report.operations))
  if (report.idleMemory !== undefined) parts.push(...renderMemory(report.idleMemory))
  for (const result of report.decisions ?? []) parts.push(...renderDecision(result))
  parts.push(...renderVerdicts(report))
  return `${parts.join('\n\n')}\n`
}

function describeRun({ machine, effort }: Report): string[] {
  const { at, node, socketIo, system, processor, cores, memoryGiB, loadBefore, pinned } = machine
  const place = pinned ? 'server on core 0, generator on core 1' : '**not pinned: server and generator share cores**'
  return [
    `${at}, ${system}, ${processor}, ${cores} cores, ${memoryGiB} GiB, load ${loadBefore} before the run; ` +
      `Node ${node}, Socket.IO ${socketIo}; ${place}. ` +
      `Effort: ${effort.name}, ${effort.rounds} slices of ${effort.sliceMs} ms per candidate and k.`,
  ]
}

function renderFanOut({ subscribers, rows, faults }: FanOutResult): string[] {
  const shown = rows.map((row) => [
    String(row.k),
    spread(row.cost.holdfast, 2),
    spread(row.cost['socket-io'], 2),
    spread(row.ratio, 2),
    row.deliveries.toLocaleString('en'),
    percent(row.serverBusy),
    percent(row.generatorBusy),
    row.foreignCores.toFixed(2),
  ])
  const counted = Object.entries(faults).map(([name, found]) => {
    const { lost, duplicated, reordered } = found ?? NO_FAULTS
    return `${name} ${lost} lost, ${duplicated} doubled, ${reordered} reordered`
  })
  return [
    `## Fan-out of one channel to ${subscribers.toLocaleString('en')} subscribers, 128-byte messages`,
    'CPU of the whole server process, user and kernel, in µs per delivery: median (quartiles). k is the number of messages that a ' +
      'connection gets per write. The ratio is paired slice by slice.',
    table(
      ['k', 'Holdfast', 'Socket.IO', 'ratio', 'deliveries', 'server busy', 'generator busy', 'foreign cores'],
      shown,
    ),
    `Messages: ${counted.join('; ')}.`,
    ...rows.filter((row) => row.generatorBusy > BUSY_MAX).map(saturation),
    ...rows.filter((row) => row.foreignCores > FOREIGN_CORES_MAX).map(contention),
  ]
}

function saturation({ k, generatorBusy }: FanOutRow): string {
  return `At k=${k} the generator was busy ${percent(generatorBusy)} of the time: deliveries a second are its limit, not the server's.`
}

function contention({ k, foreignCores }: FanOutRow): string {
  return `**At k=${k} other processes took ${foreignCores.toFixed(2)} cores meanwhile: measure again on a quiet machine.**`
}

function renderOperations({ pieces, watchers, rows }: OperationsResult): string[] {
  const shown = rows.map(({ candidate, way, cost, pace, ratio, leftBehind, foreignCores }) => [
    `${candidate}, ${way}`,
    spread(cost, 1),
    Math.round(pace.median).toLocaleString('en'),
    spread(ratio, 1),
    String(leftBehind),
    foreignCores.toFixed(2),
  ])
  return [
    `## Reports of ${pieces} operations, ${watchers.toLocaleString('en')} watchers, ${REPORTS_PER_SECOND.toLocaleString('en')} reports a second asked for`,
    'CPU of the whole server process, user and kernel, in µs per report, telling the watchers included. Holdfast tells each watcher five times a second and at the end; ' +
      'Socket.IO tells each report, as it is mostly written. The ratio is paired slice by slice.',
    table(['server', 'µs per report', 'reports a second', 'ratio', 'watchers without the end', 'foreign cores'], shown),
  ]
}

function renderMemory(rows: readonly MemoryRow[]): string[] {
  const shown = rows.map((row) => [
    row.candidate,
    row.connections.toLocaleString('en'),
    mebibytes(row.empty.residentBytes),
    mebibytes(row.full.residentBytes),
    kibibytes(row.residentBytesEach),
    kibibytes(row.heapBytesEach),
  ])
  return [
    '## Memory of an idle connection, authenticated, with two subscriptions',
    'Resident memory of the server process after forced collections.',
    table(['candidate', 'connections', 'RSS at 0', 'RSS at all', 'RSS each', 'heap each'], shown),
  ]
}

function renderDecision({ title, rows }: DecisionResult): string[] {
  const shown = rows.map(({ candidate, nanoseconds, ratio }) => [candidate, spread(nanoseconds, 0), spread(ratio, 2)])
  return [
    `## ${title}`,
    'Nanoseconds for each decision; the ratio is paired slice by slice.',
    table(['candidate', 'ns', 'ratio'], shown),
  ]
}

function renderVerdicts({ verdicts, faults }: Report): string[] {
  const parts = ['## Targets']
  if (faults.length > 0) parts.push(`**A figure with a loss is no figure.** ${faults.join('; ')}`)
  if (verdicts.length === 0) return [...parts, 'None of the targets was measured.']
  return [
    ...parts,
    table(
      ['target', 'measured', ''],
      verdicts.map((v) => [v.target, v.measured, v.met ? 'met' : '**missed**']),
    ),
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

function spread(values: Quartiles | undefined, digits: number): string {
  if (values === undefined) return '-'
  const { low, median, high } = values
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}
