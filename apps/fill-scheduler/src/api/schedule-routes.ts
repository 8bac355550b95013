import { OpenAPIHono, type z, createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Settings } from '../planning/settings.js'
import type { PlanInput, Schedule, User } from '../store/store.js'
import { idParam, json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { notFound } from './api-error.js'
import { chosenSettings } from './chosen-settings.js'
import { idOfKey, newId } from './ids.js'
import { isSameInput, once, usedBefore } from './once.js'
import { type LotsSource, planInputOf } from './plan-order.js'
import { scheduleForm, scheduleJson } from './plan-request.js'
import { bodyKind, fileBody } from './request-body.js'
import {
  cancelAnswer,
  scheduleBody,
  scheduleSchema,
  scheduleSummarySchema,
  summaryBody,
  summaryOf,
} from './schedule-body.js'
import { defaultName, idempotencyKey } from './submission.js'

const tags = ['Schedules']
const accepted = { description: 'It waits for its turn', content: json(scheduleSummarySchema) } as const

const create = createRoute({
  method: 'post',
  path: '/schedule',
  tags,
  summary: 'Plan lots of a file, or of JSON',
  middleware: fileBody,
  request: {
    headers: idempotencyKey,
    body: { content: { ...json(scheduleJson), 'multipart/form-data': { schema: scheduleForm } } },
  },
  responses: { 202: accepted, default: refusal },
})

const createJson = createRoute({
  method: 'post',
  path: '/schedule/json',
  tags,
  summary: 'Plan lots of JSON',
  middleware: fileBody,
  request: { headers: idempotencyKey, body: { required: true, content: json(scheduleJson) } },
  responses: { 202: accepted, default: refusal },
})

const read = createRoute({
  method: 'get',
  path: '/schedule/{id}',
  tags,
  summary: 'A schedule with its lots, its settings and its plan',
  request: { params: idParam },
  responses: { 200: { description: 'The schedule', content: json(scheduleSchema) }, default: refusal },
})

const remove = createRoute({
  method: 'delete',
  path: '/schedule/{id}',
  tags,
  summary: 'Delete a schedule; what runs is cancelled',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, default: refusal },
})

const cancel = createRoute({
  method: 'post',
  path: '/schedule/{id}/cancel',
  tags,
  summary: 'Cancel a schedule that has not ended',
  request: { params: idParam },
  responses: { 202: cancelAnswer, default: refusal },
})

type Body = Omit<z.output<typeof scheduleJson>, 'lots_data'> & LotsSource

/** Schedules: to begin, read, cancel and delete. */
export function scheduleRoutes(parts: ApiParts): OpenAPIHono<ApiEnvironment> {
  const { store, desk } = parts
  return new OpenAPIHono<ApiEnvironment>()
    .openapi(create, async (context) => {
      const kind = bodyKind(context)
      const key = context.req.valid('header')['idempotency-key']
      return context.json(await begin(parts, context.var.user, context.req.valid(kind) as Body, key), 202)
    })
    .openapi(createJson, async (context) => {
      const key = context.req.valid('header')['idempotency-key']
      return context.json(await begin(parts, context.var.user, context.req.valid('json'), key), 202)
    })
    .openapi(read, async (context) => {
      return context.json(scheduleBody(await ownSchedule(parts, context)), 200)
    })
    .openapi(remove, async (context) => {
      const { id } = context.req.valid('param')
      if (!(await desk.delete({ kind: 'schedule', userId: context.var.user.id, id }))) throw notFound('schedule')
      return context.body(null, 204)
    })
    .openapi(cancel, async (context) => {
      const { id } = context.req.valid('param')
      const userId = context.var.user.id
      await desk.cancel({ kind: 'schedule', userId, id })
      const status = await store.schedules.status(userId, id)
      if (status === undefined) throw notFound('schedule')
      return context.json({ id, status }, 202)
    }) as OpenAPIHono<ApiEnvironment>
}

/** The schedule that the path names, if it is of whoever asks. @throws ApiError `not_found`. */
export async function ownSchedule(
  { store }: Pick<ApiParts, 'store'>,
  context: Context<ApiEnvironment>,
): Promise<Schedule> {
  const schedule = await store.schedules.get(context.var.user.id, context.req.param('id') ?? '')
  if (schedule === undefined) throw notFound('schedule')
  return schedule
}

/** What a new schedule is made of. */
export interface NewSchedule {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly settings: Settings
  readonly input: PlanInput
  readonly replans?: string
  readonly key?: string | undefined
}

/** Stores a schedule and has it planned. The same key again answers what it made. @throws NoRoomError, ApiError `idempotency_conflict`. */
export async function beginSchedule(
  { store, desk, bounds, clock }: Pick<ApiParts, 'store' | 'desk' | 'clock'> & Partial<Pick<ApiParts, 'bounds'>>,
  userId: string,
  { name, description, settings, input, replans, key }: NewSchedule,
): Promise<z.infer<typeof scheduleSummarySchema>> {
  const createdAt = new Date(clock.now()).toISOString()
  const schedule: Schedule = {
    id: key === undefined ? newId() : idOfKey(userId, 'schedule', key),
    userId,
    name: name ?? defaultName('Schedule', createdAt),
    ...(description !== undefined && { description }),
    strategy: settings.strategy,
    mode: settings.mode,
    status: 'pending',
    input,
    ...(replans !== undefined && { replans }),
    createdAt,
  }
  const made = await once(
    key !== undefined,
    () => store.schedules.get(userId, schedule.id),
    async () => {
      if (key !== undefined && (await desk.hasEnded(schedule.id))) throw usedBefore('schedule')
      await desk.submitSchedule(schedule, bounds)
      return schedule
    },
  )
  return summaryBody(summaryOf(sameAs(made, schedule)))
}

async function begin(
  parts: ApiParts,
  user: User,
  body: Body,
  key: string | undefined,
): Promise<z.infer<typeof scheduleSummarySchema>> {
  const settings = await chosenSettings(parts.store, user.id, body)
  const input = await planInputOf(body, settings, [settings.strategy])
  return beginSchedule(parts, user.id, { name: body.name, description: body.description, settings, input, key })
}

function sameAs(made: Schedule, asked: Schedule): Schedule {
  const isSame = (['strategy', 'mode', 'replans'] as const).every((member) => made[member] === asked[member])
  if (isSame && isSameInput(made.input, asked.input)) return made
  throw usedBefore('schedule')
}
