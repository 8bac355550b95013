import type { Kpis, PlanningResult, PlanStatistics } from './strategy.js'
import type { StrategyName } from './strategy-name.js'

/** What one way to plan came to; without a result it did not. */
export interface ComparedRun {
  readonly strategy: StrategyName | 'given'
  readonly result?: Pick<PlanningResult, 'kpis' | 'statistics'> | undefined
}

/** The figures that decide which run is the best. */
interface ScoredRun {
  readonly strategy: StrategyName | 'given'
  readonly result?:
    | { readonly statistics: Pick<PlanStatistics, 'makespanHours' | 'utilisationPercent' | 'changeovers'> }
    | undefined
}

/** What a figure is compared by. */
export type KpiName = keyof Kpis

/** What is more (or less, negative) than in the order given. Only hours are compared; two decimals. */
export type KpiDeltas = Partial<Record<KpiName, string>>

/** One row of a comparison. */
export interface ComparisonRow {
  readonly strategy: StrategyName | 'given'
  /** Undefined: it came to no plan. */
  readonly kpis: Kpis | undefined
  readonly statistics: PlanStatistics | undefined
  /** Against the order given; undefined for itself, and where one of the two came to no plan. */
  readonly deltas: KpiDeltas | undefined
}

/** Several ways to plan the same lots, and what to make of them. */
export interface RunComparison {
  /** `given` first, then as they were named. */
  readonly rows: readonly ComparisonRow[]
  /** The strategy to take; undefined: none came to a plan. */
  readonly best: StrategyName | undefined
  readonly summary: ComparisonFigures | undefined
}

/** Makespans of the strategies that came to a plan, in hours, the order given not among them. */
export interface ComparisonFigures {
  readonly strategies: number
  readonly completed: number
  readonly bestHours: number
  readonly worstHours: number
  readonly averageHours: number
  /** Worst minus best. */
  readonly rangeHours: number
  /** Of the best against the worst, in percent of the worst. */
  readonly improvementPercent: number
  /** Of the best against the order given, in percent of that; undefined where that came to no plan. */
  readonly improvementOnGivenPercent: number | undefined
}

/** Puts runs of the same lots side by side, with the order given as the baseline. */
export function compareRuns(runs: readonly ComparedRun[]): RunComparison {
  const given = runs.find(({ strategy }) => strategy === 'given')
  const inOrder = [...(given === undefined ? [] : [given]), ...runs.filter((run) => run !== given)]
  return { rows: inOrder.map((run) => rowOf(run, given)), best: bestOf(runs), summary: figuresOf(runs) }
}

/** Sums of the same hours in another order differ in the last digits, and are the same. */
const SAME_SCORE = 1e-6

/** The strategy with the least makespan · 10 − utilisation · 5 + changeovers (hours, percent, number); of equal ones the first. The order given does not take part. */
export function bestOf(runs: readonly ScoredRun[]): StrategyName | undefined {
  let best: StrategyName | undefined
  let least = Infinity
  for (const { strategy, result } of runs) {
    if (strategy === 'given' || result === undefined) continue
    const { makespanHours, utilisationPercent, changeovers } = result.statistics
    const score = makespanHours * 10 - utilisationPercent * 5 + changeovers
    if (best === undefined || score < least - SAME_SCORE) [best, least] = [strategy, score]
  }
  return best
}

function rowOf({ strategy, result }: ComparedRun, given: ComparedRun | undefined): ComparisonRow {
  const baseline = strategy === 'given' ? undefined : given?.result?.kpis
  return {
    strategy,
    kpis: result?.kpis,
    statistics: result?.statistics,
    deltas: result === undefined || baseline === undefined ? undefined : deltasOf(result.kpis, baseline),
  }
}

function deltasOf(kpis: Kpis, baseline: Kpis): KpiDeltas {
  const names = Object.keys(kpis) as KpiName[]
  const hours = names.filter((name) => name.endsWith('(h)'))
  return Object.fromEntries(hours.map((name) => [name, (Number(kpis[name]) - Number(baseline[name])).toFixed(2)]))
}

function figuresOf(runs: readonly ComparedRun[]): ComparisonFigures | undefined {
  const strategies = runs.filter(({ strategy }) => strategy !== 'given')
  const makespans = strategies.flatMap(({ result }) => result?.statistics.makespanHours ?? [])
  if (makespans.length === 0) return undefined
  const best = Math.min(...makespans)
  const worst = Math.max(...makespans)
  const given = runs.find(({ strategy }) => strategy === 'given')?.result?.statistics.makespanHours
  return {
    strategies: strategies.length,
    completed: makespans.length,
    bestHours: best,
    worstHours: worst,
    averageHours: makespans.reduce((sum, hours) => sum + hours, 0) / makespans.length,
    rangeHours: worst - best,
    improvementPercent: improvementPercent(worst, best),
    improvementOnGivenPercent: given === undefined ? undefined : improvementPercent(given, best),
  }
}

function improvementPercent(fromHours: number, toHours: number): number {
  return fromHours > 0 ? ((fromHours - toHours) / fromHours) * 100 : 0
}
