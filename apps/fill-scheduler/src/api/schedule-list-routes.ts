import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import { STRATEGY_NAMES } from '../planning/strategy-name.js'
import { json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { pageBody, pageQuery, pageSchema } from './list-query.js'
import { runTimesOf, runTimesSchema } from './run-times.js'
import { scheduleSummarySchema, statusSchema, summaryBody } from './schedule-body.js'

const tags = ['Schedules']

const list = createRoute({
  method: 'get',
  path: '/schedules',
  tags,
  summary: 'Your schedules, newest first',
  request: {
    query: z.strictObject({
      ...pageQuery,
      status: statusSchema.optional(),
      strategy: z.enum(STRATEGY_NAMES).optional(),
      search: z.string().max(200).optional().openapi({ description: 'Part of the name, in any case.' }),
    }),
  },
  responses: {
    200: { description: 'A page of them', content: json(pageSchema(scheduleSummarySchema, 'SchedulePage')) },
    default: refusal,
  },
})

const counts = z.record(z.string(), z.int())

type Counts = z.infer<typeof counts>

const countsSchema = z
  .object({
    total: z.int(),
    by_status: counts,
    by_strategy: counts,
    times: z.record(z.string(), runTimesSchema).openapi({ description: 'By strategy.' }),
  })
  .openapi('ScheduleCounts')

const stats = createRoute({
  method: 'get',
  path: '/schedules/stats',
  tags,
  summary: 'How many schedules you have, and how long they took',
  responses: {
    200: {
      description: 'By status and by strategy',
      content: json(countsSchema),
    },
    default: refusal,
  },
})

/** Lists of schedules. */
export function scheduleListRoutes({ store }: Pick<ApiParts, 'store'>): OpenAPIHono<ApiEnvironment> {
  return new OpenAPIHono<ApiEnvironment>()
    .openapi(list, async (context) => {
      const { page, page_size, status, strategy, search } = context.req.valid('query')
      const found = await store.schedules.list(context.var.user.id, {
        page,
        pageSize: page_size,
        ...(status !== undefined && { status }),
        ...(strategy !== undefined && { strategy }),
        ...(search !== undefined && search !== '' && { search }),
      })
      return context.json(pageBody(found, { page, page_size }, summaryBody), 200)
    })
    .openapi(stats, async (context) => {
      const { status, strategy } = await store.schedules.counts(context.var.user.id)
      const times = runTimesOf(await store.schedules.times(context.var.user.id))
      const total = Object.values(status).reduce((sum, count) => sum + count, 0)
      return context.json({ total, by_status: status as Counts, by_strategy: strategy as Counts, times }, 200)
    }) as OpenAPIHono<ApiEnvironment>
}
