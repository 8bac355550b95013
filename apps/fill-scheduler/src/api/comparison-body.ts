import { setImmediate } from 'node:timers/promises'
import { z } from '@hono/zod-openapi'
import { planTime } from '../io/plan-time.js'
import { type ComparisonFigures, type ComparisonRow, compareRuns } from '../planning/compare.js'
import { settingsSchema } from '../planning/settings.js'
import { STRATEGY_NAMES } from '../planning/strategy-name.js'
import type { Comparison, ComparisonResult, ComparisonSummary } from '../store/store.js'
import { lotBody, lotSchema } from './lot-body.js'
import { activitiesSchema, activityBodies, figuresBody, figuresSchema } from './result-body.js'
import { failureSchema, statusSchema } from './schedule-body.js'

const strategies = z.enum(STRATEGY_NAMES)
const contenders = z.enum([...STRATEGY_NAMES, 'given'])

const summary = {
  id: z.string(),
  name: z.string(),
  status: statusSchema,
  mode: z.enum(['classic', 'improved']),
  strategies: z.array(strategies),
  lots_count: z.int(),
  best_strategy: contenders.nullable(),
  best_makespan: z.number().nullable().openapi({ description: 'Hours.' }),
  operation_id: z.string(),
  created_at: z.string(),
  ended_at: z.string().nullable(),
}

/** A comparison in a list. */
export const comparisonSummarySchema = z.object(summary).openapi('ComparisonSummary')

const figures = figuresSchema.shape

const contenderSchema = z
  .object({
    strategy: contenders.openapi({ description: '`given` is the order of the lots as they were sent.' }),
    status: statusSchema,
    error: failureSchema.nullable(),
    makespan: figures.makespan.nullable(),
    utilization: figures.utilization.nullable(),
    changeovers: figures.changeovers.nullable(),
    lots_scheduled: figures.lots_scheduled.nullable(),
    window_violations: figures.window_violations.nullable(),
    execution_time: figures.execution_time.nullable(),
    kpis: figures.kpis.nullable(),
    deltas: z
      .record(z.string(), z.string())
      .nullable()
      .openapi({ description: 'Hours more than in the order given; less is negative.' }),
    activities: activitiesSchema.nullable(),
  })
  .openapi('Contender')

const totalsSchema = z
  .object({
    strategies: z.int(),
    completed: z.int(),
    best_makespan: z.number(),
    worst_makespan: z.number(),
    average_makespan: z.number(),
    makespan_range: z.number(),
    improvement_percent: z.number().openapi({ description: 'Of the best against the worst.' }),
    improvement_on_given_percent: z.number().nullable(),
  })
  .openapi('ComparisonTotals')

/** A comparison with everything. */
export const comparisonSchema = z
  .object({
    ...summary,
    config: z.record(z.string(), z.unknown()),
    lots_data: z.array(lotSchema),
    results: z.array(contenderSchema),
    summary: totalsSchema.nullable(),
  })
  .openapi('Comparison')

/** A comparison as lists have it. */
export function comparisonSummaryBody(comparison: ComparisonSummary): z.infer<typeof comparisonSummarySchema> {
  const { id, name, status, mode, lots } = comparison
  return {
    ...{ id, name, status, mode },
    strategies: [...comparison.strategies],
    lots_count: lots,
    best_strategy: comparison.bestStrategy ?? null,
    best_makespan: comparison.bestMakespanHours ?? null,
    operation_id: id,
    created_at: comparison.createdAt,
    ended_at: comparison.endedAt ?? null,
  }
}

/** A comparison with lots, settings and every plan. Others have their turn between two plans, which may be large. */
export async function comparisonBody(comparison: Comparison): Promise<z.infer<typeof comparisonSchema>> {
  const { input, results, ...rest } = comparison
  const settings = settingsSchema.parse(input.settings)
  const time = planTime(settings)
  const { rows, best, summary: totals } = compareRuns(results)
  const bestHours = rows.find(({ strategy }) => strategy === best)?.statistics?.makespanHours
  const lots = input.lots.length
  const contenders = []
  for (const row of rows) {
    contenders.push(contenderBody(row, results, time))
    await setImmediate()
  }
  return {
    ...comparisonSummaryBody({
      ...rest,
      lots,
      ...(best !== undefined && { bestStrategy: best }),
      ...(bestHours !== undefined && { bestMakespanHours: bestHours }),
    }),
    config: settings,
    lots_data: input.lots.map((lot) => lotBody(lot, time)),
    results: contenders,
    summary: totals === undefined ? null : totalsBody(totals),
  }
}

function contenderBody(
  { strategy, deltas }: ComparisonRow,
  results: readonly ComparisonResult[],
  time: ReturnType<typeof planTime>,
): z.infer<typeof contenderSchema> {
  const { status = 'pending', error, result } = results.find((other) => other.strategy === strategy) ?? {}
  const told = result === undefined ? NO_FIGURES : figuresBody(result)
  return {
    strategy,
    status,
    error: error ?? null,
    ...told,
    deltas: deltas === undefined ? null : { ...deltas },
    activities: result === undefined ? null : activityBodies(result.plan.activities, time),
  }
}

const NO_FIGURES = {
  makespan: null,
  utilization: null,
  changeovers: null,
  lots_scheduled: null,
  window_violations: null,
  execution_time: null,
  kpis: null,
}

function totalsBody(totals: ComparisonFigures): z.infer<typeof totalsSchema> {
  return {
    strategies: totals.strategies,
    completed: totals.completed,
    best_makespan: totals.bestHours,
    worst_makespan: totals.worstHours,
    average_makespan: totals.averageHours,
    makespan_range: totals.rangeHours,
    improvement_percent: totals.improvementPercent,
    improvement_on_given_percent: totals.improvementOnGivenPercent ?? null,
  }
}
