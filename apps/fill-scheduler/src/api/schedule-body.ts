import { z } from '@hono/zod-openapi'
import { planTime } from '../io/plan-time.js'
import { settingsSchema } from '../planning/settings.js'
import { STRATEGY_NAMES } from '../planning/strategy-name.js'
import type { Schedule, ScheduleSummary } from '../store/store.js'
import { json } from './answers.js'
import { lotBody, lotSchema } from './lot-body.js'
import { resultBody, resultSchema } from './result-body.js'

/** States of a run. */
export const statusSchema = z.enum(['pending', 'running', 'completed', 'failed', 'cancelled'])

/** What a cancel answers, of a schedule or a comparison. */
export const cancelAnswer = {
  description: 'How it is now; one that had ended stays as it was',
  content: json(z.object({ id: z.string(), status: statusSchema })),
} as const

/** Why a run failed. */
export const failureSchema = z.object({ code: z.string(), message: z.string() }).openapi('Failure')

const summary = {
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  strategy: z.enum(STRATEGY_NAMES),
  mode: z.enum(['classic', 'improved']),
  status: statusSchema,
  error: failureSchema.nullable(),
  lots_count: z.int(),
  makespan: z.number().nullable().openapi({ description: 'Hours; of a completed one.' }),
  utilization: z.number().nullable(),
  replans: z.string().nullable().openapi({ description: 'The schedule that it goes on from.' }),
  operation_id: z.string().openapi({ description: 'The operation of its run: watch it, cancel it.' }),
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
}

/** A schedule in a list. */
export const scheduleSummarySchema = z.object(summary).openapi('ScheduleSummary')

/** A schedule with everything. */
export const scheduleSchema = z
  .object({
    ...summary,
    config: z.record(z.string(), z.unknown()).openapi({ description: 'Its settings, every one of them.' }),
    lots_data: z.array(lotSchema),
    result: resultSchema.nullable(),
  })
  .openapi('Schedule')

/** A schedule as lists have it. */
export function summaryBody(schedule: ScheduleSummary): z.infer<typeof scheduleSummarySchema> {
  const { id, name, description, strategy, mode, status, error, lots, replans } = schedule
  return {
    ...{ id, name, strategy, mode, status },
    description: description ?? null,
    error: error ?? null,
    lots_count: lots,
    makespan: schedule.makespanHours ?? null,
    utilization: schedule.utilisationPercent ?? null,
    replans: replans ?? null,
    operation_id: id,
    created_at: schedule.createdAt,
    started_at: schedule.startedAt ?? null,
    ended_at: schedule.endedAt ?? null,
  }
}

/** What a list would have of it. */
export function summaryOf({ input, result, ...schedule }: Schedule): ScheduleSummary {
  const { makespanHours, utilisationPercent } = result?.statistics ?? {}
  return {
    ...schedule,
    lots: input.lots.length,
    ...(makespanHours !== undefined && { makespanHours }),
    ...(utilisationPercent !== undefined && { utilisationPercent }),
  }
}

/** A schedule with lots, settings and plan. */
export function scheduleBody(schedule: Schedule): z.infer<typeof scheduleSchema> {
  const { input, result } = schedule
  const settings = settingsSchema.parse(input.settings)
  const time = planTime(settings)
  return {
    ...summaryBody(summaryOf(schedule)),
    config: settings,
    lots_data: input.lots.map((lot) => lotBody(lot, time)),
    result: result === undefined ? null : resultBody(result, time),
  }
}
