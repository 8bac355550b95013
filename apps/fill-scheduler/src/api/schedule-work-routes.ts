import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import { REPORT_FORMATS, type Report } from '../io/reports/report.js'
import { planTime } from '../io/plan-time.js'
import { settingsSchema } from '../planning/settings.js'
import type { Problem } from '../problem.js'
import type { Schedule, StoredResult } from '../store/store.js'
import { fileAnswer, idParam, json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { ApiError } from './api-error.js'
import { chosenSettings, isError } from './chosen-settings.js'
import { download } from './download.js'
import { lotBody, lotSchema } from './lot-body.js'
import { type LotsSource, lotsOf, objectionsTo } from './plan-order.js'
import { checkForm, checkJson, replanJson } from './plan-request.js'
import { problemBody, problemOf } from './problem-body.js'
import { replanOf } from './replan-order.js'
import { bodyKind, fileBody } from './request-body.js'
import { scheduleSummarySchema } from './schedule-body.js'
import { beginSchedule, ownSchedule } from './schedule-routes.js'
import { idempotencyKey } from './submission.js'

const tags = ['Schedules']

const verdictSchema = z
  .object({
    valid: z.boolean(),
    errors: z.array(problemOf),
    warnings: z.array(problemOf),
    lots_count: z.int(),
    lots_data: z.array(lotSchema),
  })
  .openapi('Verdict')

const check = createRoute({
  method: 'post',
  path: '/schedule/validate',
  tags,
  summary: 'Look at lots without planning them',
  middleware: fileBody,
  request: { body: { content: { ...json(checkJson), 'multipart/form-data': { schema: checkForm } } } },
  responses: {
    200: {
      description: 'Everything that is wrong with them',
      content: json(verdictSchema),
    },
    default: refusal,
  },
})

const replan = createRoute({
  method: 'post',
  path: '/schedule/{id}/replan',
  tags,
  summary: 'Plan anew from a moment on; what has begun by then stays as it is',
  middleware: fileBody,
  request: { params: idParam, headers: idempotencyKey, body: { required: true, content: json(replanJson) } },
  responses: {
    202: { description: 'A new schedule, which waits for its turn', content: json(scheduleSummarySchema) },
    default: refusal,
  },
})

const formats = z.enum([...REPORT_FORMATS, 'excel'])

const exporting = createRoute({
  method: 'get',
  path: '/schedule/{id}/export',
  tags,
  summary: 'The plan as a file',
  request: { params: idParam, query: z.strictObject({ format: formats.default('json') }) },
  responses: { 200: fileAnswer, default: refusal },
})

type Check = Omit<z.output<typeof checkJson>, 'lots_data'> & LotsSource

/** What is done with lots before, and with plans after they are made. */
export function scheduleWorkRoutes(parts: ApiParts): OpenAPIHono<ApiEnvironment> {
  return new OpenAPIHono<ApiEnvironment>()
    .openapi(check, async (context) => {
      const body = context.req.valid(bodyKind(context)) as Check
      return context.json(await verdictOn(parts, context.var.user.id, body), 200)
    })
    .openapi(replan, async (context) => {
      const body = context.req.valid('json')
      const { schedule, result } = completed(await ownSchedule(parts, context))
      const { settings, input } = replanOf(schedule, result, body)
      const { name = `${schedule.name} (replanned)`.slice(0, 200) } = body
      const key = context.req.valid('header')['idempotency-key']
      const userId = context.var.user.id
      return context.json(await beginSchedule(parts, userId, { name, settings, input, replans: schedule.id, key }), 202)
    })
    .openapi(exporting, async (context) => {
      const { schedule, result } = completed(await ownSchedule(parts, context))
      const { format } = context.req.valid('query')
      const report: Report = {
        name: schedule.name,
        settings: settingsSchema.parse(schedule.input.settings),
        lots: schedule.input.lots,
        result,
        problems: result.problems,
        generatedAt: new Date(parts.clock.now()),
      }
      const job = { kind: 'schedule', format: format === 'excel' ? 'xlsx' : format, report } as const
      return download(await parts.reports.write(job), schedule.name)
    }) as OpenAPIHono<ApiEnvironment>
}

async function verdictOn({ store }: ApiParts, userId: string, body: Check): Promise<z.infer<typeof verdictSchema>> {
  const settings = await chosenSettings(store, userId, body)
  const { lots, problems } = await lotsOf(body, settings)
  const asked = body.strategy === undefined ? [] : [settings.strategy]
  const objections = problems.some(isError) ? [] : objectionsTo(lots, settings, asked)
  const all: readonly Problem[] = [...problems, ...objections]
  const errors = all.filter(isError)
  const time = planTime(settings)
  return {
    valid: errors.length === 0,
    errors: errors.map(problemBody),
    warnings: all.filter((problem) => !isError(problem)).map(problemBody),
    lots_count: lots.length,
    lots_data: lots.map((lot) => lotBody(lot, time)),
  }
}

function completed(schedule: Schedule): { readonly schedule: Schedule; readonly result: StoredResult } {
  const { result, status } = schedule
  if (result !== undefined) return { schedule, result }
  throw new ApiError('not_completed', `The schedule is ${status}; only a completed one has a plan`, { status: 400 })
}
