import { resolve } from 'node:path'
import { systemClock } from '../clock.js'
import {
  comparisonFolder,
  type ComparisonReport,
  type ComparisonRun,
  type LeftOut,
} from '../io/reports/comparison-report.js'
import { KPI_NAMES, runTitle } from '../io/reports/figures.js'
import { rulesOf } from '../io/rules-of.js'
import { compareRuns, type ComparisonRow } from '../planning/compare.js'
import type { Lot } from '../planning/lot.js'
import { refusals } from '../planning/planner.js'
import type { Settings } from '../planning/settings.js'
import type { StrategyName } from '../planning/strategy-name.js'
import { InputError, type Problem } from '../problem.js'
import { PlanningFailure } from '../runs/plan-in-thread.js'
import { writeFiles } from './output-files.js'
import { planDocument } from './plan-document.js'
import { planAndCheck } from './planning.js'
import { Failure, type Shell } from './shell.js'
import { textTable } from './text-table.js'

/** By what the rows of a comparison are sorted. */
export const SORT_KEYS = ['makespan', 'utilization', 'changeovers'] as const

/** One of `SORT_KEYS`. */
export type SortKey = (typeof SORT_KEYS)[number]

/** What is compared, and how it is told. */
export interface ComparisonOrder {
  readonly name: string
  readonly lots: readonly Lot[]
  readonly settings: Settings
  readonly strategies: readonly StrategyName[]
  /** Those of them that are left out, and said to be, where they refuse the input; the others then have no plan. */
  readonly whereApplicable?: ReadonlySet<StrategyName>
  readonly sortBy: SortKey
  readonly json: boolean
  /** Undefined: nothing is written. */
  readonly folder: string | undefined
}

/** Plans the lots in the order given and with each strategy, writes the files, prints the table. @throws Failure when a strategy came to no plan, or none could be asked, once all others are told. */
export async function compare(order: ComparisonOrder, shell: Shell): Promise<void> {
  const { name, lots, settings, json } = order
  const runs: ComparisonRun[] = []
  const leftOut: LeftOut[] = []
  for (const strategy of ['given', ...order.strategies] as const) {
    const run = await runOf(strategy, order, shell)
    if ('code' in run) leftOut.push(run)
    else runs.push(run)
    if (!json && !('code' in run)) shell.stdout.write(`${endOf(run)}\n`)
  }
  const report: ComparisonReport = { name, settings, lots, runs, leftOut, generatedAt: new Date(systemClock.now()) }
  if (order.folder !== undefined) {
    const paths = await writeFiles(resolve(shell.cwd, order.folder), comparisonFolder(report), shell.interrupted)
    if (!json) shell.stdout.write(paths.map((path) => `Wrote ${path}\n`).join(''))
  }
  shell.stdout.write(
    json
      ? `${JSON.stringify(documentOf(report, order.sortBy))}\n`
      : `\n${tableOf(report, order.sortBy)}${notesOn(leftOut)}`,
  )
  const failed = runs.filter(({ result }) => result === undefined)
  if (failed.length > 0) throw new Failure(`no plan came of ${failed.map(({ strategy }) => strategy).join(', ')}`)
  if (leftOut.length === order.strategies.length) throw new Failure('no strategy can plan these lots by these settings')
}

/** A strategy that refuses the input, or fails, does not keep the others from being compared. */
async function runOf(
  strategy: StrategyName | 'given',
  order: ComparisonOrder,
  shell: Shell,
): Promise<ComparisonRun | LeftOut> {
  const { lots, settings } = order
  const mayLeaveOut = strategy !== 'given' && order.whereApplicable?.has(strategy) === true
  const task = { lots, rules: rulesOf(settings), settings, mode: settings.mode }
  const [refusal] = mayLeaveOut ? refusals(task, strategy) : []
  if (mayLeaveOut && refusal !== undefined) return leftOutFor(strategy, refusal)
  try {
    const { result, problems } = await planAndCheck({ lots, settings, strategy, validation: true }, shell)
    return { strategy, result: { ...result, problems } }
  } catch (error) {
    if (!(error instanceof InputError) && !(error instanceof PlanningFailure)) throw error
    const tooLate = error instanceof InputError ? error.problems.find(({ code }) => code === FOUND_OUT_LATE) : undefined
    if (mayLeaveOut && tooLate !== undefined) return leftOutFor(strategy, tooLate)
    return { strategy, error: { code: error.code, message: error.message } }
  }
}

/** The refusal that a strategy comes to only when it has begun to plan. */
const FOUND_OUT_LATE = 'too_many_blocks'

function leftOutFor(strategy: StrategyName, { code, message }: Problem): LeftOut {
  return { strategy, code, message }
}

function noteOn({ strategy, message }: LeftOut): string {
  return `Left out ${strategy}: ${message}`
}

function notesOn(leftOut: readonly LeftOut[]): string {
  return leftOut.length === 0 ? '' : `\n${leftOut.map((one) => `${noteOn(one)}\n`).join('')}`
}

function endOf(run: ComparisonRun): string {
  const end = run.result === undefined ? `no plan: ${run.error?.message ?? ''}` : `${run.result.kpis['Makespan (h)']} h`
  return `Planned ${runTitle(run.strategy)}: ${end}`
}

function tableOf({ runs }: ComparisonReport, sortBy: SortKey): string {
  const { rows, best } = compareRuns(runs)
  const lines = sorted(rows, sortBy).map(({ strategy, kpis, statistics }) => [
    strategy === best ? `${strategy} (best)` : runTitle(strategy),
    ...KPI_NAMES.map((name) => kpis?.[name] ?? '-'),
    statistics === undefined ? '-' : `${statistics.utilisationPercent.toFixed(1)} %`,
  ])
  return textTable([['Run', ...KPI_NAMES, 'Utilisation'], ...lines])
}

function documentOf({ runs, settings, leftOut = [] }: ComparisonReport, sortBy: SortKey): object {
  const { rows, best, summary } = compareRuns(runs)
  return {
    best: best ?? null,
    summary: summary ?? null,
    leftOut,
    runs: sorted(rows, sortBy).map(({ strategy, deltas }) => {
      const { result, error } = runs.find((run) => run.strategy === strategy) ?? {}
      const plan = result === undefined ? {} : planDocument(result, result.problems, settings)
      return { ...plan, strategy, error: error ?? null, deltas: deltas ?? null }
    }),
  }
}

/** The order given stays first; what came to no plan is last. */
function sorted(rows: readonly ComparisonRow[], sortBy: SortKey): ComparisonRow[] {
  return rows.toSorted((one, other) => rankOf(one, sortBy) - rankOf(other, sortBy))
}

function rankOf({ strategy, statistics }: ComparisonRow, sortBy: SortKey): number {
  if (strategy === 'given') return -Number.MAX_VALUE
  if (statistics === undefined) return Number.MAX_VALUE
  if (sortBy === 'utilization') return -statistics.utilisationPercent
  // Sums of the same hours in another order differ in the last digits; they are the same.
  return sortBy === 'changeovers' ? statistics.changeovers : Math.round(statistics.makespanHours * 1e6)
}
