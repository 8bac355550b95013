import { z } from '@hono/zod-openapi'
import type { PlanTime } from '../io/plan-time.js'
import type { Activity } from '../planning/plan.js'
import type { Proof } from '../planning/strategy.js'
import type { StoredResult } from '../store/store.js'
import { problemBody, problemOf } from './problem-body.js'

/** One bar of a plan. */
const activitySchema = z
  .object({
    start: z.string().openapi({ description: 'With the offset of the zone.', example: '2025-01-01T08:00:00+00:00' }),
    end: z.string(),
    start_hours: z.number().openapi({ description: 'After the start of the plan.' }),
    end_hours: z.number(),
    kind: z.enum(['CLEAN', 'CHANGEOVER', 'FILL', 'CLOSED']),
    line: z.int(),
    lot_id: z.string().nullable(),
    lot_type: z.string().nullable(),
    note: z.string().nullable(),
    frozen: z.boolean().openapi({ description: 'It had begun before the moment from which was planned anew.' }),
  })
  .openapi('Activity')

const kpisSchema = z
  .record(z.string(), z.string())
  .openapi('Kpis', { example: { 'Makespan (h)': '497.16', 'Lots Scheduled': '15' } })

const proofSchema = z
  .object({
    status: z.enum(['optimal', 'feasible']),
    bound_hours: z.number().openapi({ description: 'What no makespan can be below.' }),
    gap: z.number().openapi({ description: '(makespan − bound) / makespan, 0 to 1.' }),
  })
  .openapi('Proof')

/** The figures of a result, without its plan. */
export const figuresSchema = z.object({
  makespan: z.number().openapi({ description: 'Hours.' }),
  utilization: z.number().openapi({ description: 'Fill hours of 100 line hours.' }),
  changeovers: z.int(),
  lots_scheduled: z.int(),
  window_violations: z.int(),
  kpis: kpisSchema,
  execution_time: z.number().openapi({ description: 'Seconds.' }),
})

/** What planning came to. */
export const resultSchema = figuresSchema
  .extend({
    statistics: z.record(z.string(), z.number()),
    proof: proofSchema.nullable(),
    warnings: z.array(problemOf),
    activities: z.array(activitySchema),
  })
  .openapi('Result')

/** The figures of a result. */
export function figuresBody({ statistics, kpis, elapsedMs }: StoredResult): z.infer<typeof figuresSchema> {
  return {
    makespan: statistics.makespanHours,
    utilization: statistics.utilisationPercent,
    changeovers: statistics.changeovers,
    lots_scheduled: statistics.lots,
    window_violations: statistics.windowViolations,
    kpis: { ...kpis },
    execution_time: elapsedMs / 1_000,
  }
}

/** A result with its plan. */
export function resultBody(result: StoredResult, time: PlanTime): z.infer<typeof resultSchema> {
  return {
    ...figuresBody(result),
    statistics: { ...result.statistics },
    proof: result.proof === undefined ? null : proofBody(result.proof),
    warnings: result.problems.map(problemBody),
    activities: activityBodies(result.plan.activities, time),
  }
}

/** The bars of a plan. */
export function activityBodies(activities: readonly Activity[], time: PlanTime): z.infer<typeof activitySchema>[] {
  return activities.map(({ startHours, endHours, kind, line, lotId, lotType, note, frozen }) => ({
    start: time.iso(startHours),
    end: time.iso(endHours),
    start_hours: startHours,
    end_hours: endHours,
    kind,
    line,
    lot_id: lotId ?? null,
    lot_type: lotType ?? null,
    note: note ?? null,
    frozen: frozen ?? false,
  }))
}

/** For schemas that name the activities of something else than a result. */
export const activitiesSchema = z.array(activitySchema)

function proofBody({ status, boundHours, gap }: Proof): z.infer<typeof proofSchema> {
  return { status, bound_hours: boundHours, gap }
}
