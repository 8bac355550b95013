import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { COMPARISON_FORMATS } from '../io/reports/comparison-report.js'
import { settingsSchema } from '../planning/settings.js'
import type { StrategyName } from '../planning/strategy-name.js'
import type { Comparison, ComparisonSummary, User } from '../store/store.js'
import { fileAnswer, idParam, json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { ApiError, badRequest, notFound } from './api-error.js'
import { chosenSettings, strategyNamed } from './chosen-settings.js'
import { comparisonBody, comparisonSchema, comparisonSummaryBody, comparisonSummarySchema } from './comparison-body.js'
import { download } from './download.js'
import { idOfKey, newId } from './ids.js'
import { pageBody, pageQuery, pageSchema } from './list-query.js'
import { isSameInput, once, usedBefore } from './once.js'
import { type LotsSource, planInputOf } from './plan-order.js'
import { comparisonForm, comparisonJson } from './plan-request.js'
import { bodyKind, fileBody } from './request-body.js'
import { cancelAnswer, statusSchema } from './schedule-body.js'
import { defaultName, idempotencyKey } from './submission.js'

const tags = ['Comparisons']

const create = createRoute({
  method: 'post',
  path: '/compare',
  tags,
  summary: 'Plan the same lots with several strategies, beside the order in which they are given',
  middleware: fileBody,
  request: {
    headers: idempotencyKey,
    body: { content: { ...json(comparisonJson), 'multipart/form-data': { schema: comparisonForm } } },
  },
  responses: {
    202: { description: 'It waits for its turn', content: json(comparisonSummarySchema) },
    default: refusal,
  },
})

const read = createRoute({
  method: 'get',
  path: '/compare/{id}',
  tags,
  summary: 'A comparison with every plan',
  request: { params: idParam },
  responses: { 200: { description: 'The comparison', content: json(comparisonSchema) }, default: refusal },
})

const remove = createRoute({
  method: 'delete',
  path: '/compare/{id}',
  tags,
  summary: 'Delete a comparison; what runs is cancelled',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, default: refusal },
})

const cancel = createRoute({
  method: 'post',
  path: '/compare/{id}/cancel',
  tags,
  summary: 'Cancel what has not ended of a comparison',
  request: { params: idParam },
  responses: { 202: cancelAnswer, default: refusal },
})

const exporting = createRoute({
  method: 'get',
  path: '/compare/{id}/export',
  tags,
  summary: 'The comparison as a file',
  request: {
    params: idParam,
    query: z.strictObject({ format: z.enum([...COMPARISON_FORMATS, 'excel']).default('json') }),
  },
  responses: { 200: fileAnswer, default: refusal },
})

const list = createRoute({
  method: 'get',
  path: '/comparisons',
  tags,
  summary: 'Your comparisons, newest first',
  request: {
    query: z.strictObject({
      ...pageQuery,
      status: statusSchema.optional(),
      search: z.string().max(200).optional().openapi({ description: 'Part of the name, in any case.' }),
    }),
  },
  responses: {
    200: { description: 'A page of them', content: json(pageSchema(comparisonSummarySchema, 'ComparisonPage')) },
    default: refusal,
  },
})

type Body = Omit<z.output<typeof comparisonJson>, 'lots_data'> & LotsSource

/** Comparisons: to begin, read, list, cancel, delete and take along. */
export function comparisonRoutes(parts: ApiParts): OpenAPIHono<ApiEnvironment> {
  const { store, desk } = parts
  return new OpenAPIHono<ApiEnvironment>()
    .openapi(create, async (context) => {
      const kind = bodyKind(context)
      const key = context.req.valid('header')['idempotency-key']
      const comparison = await begin(parts, context.var.user, context.req.valid(kind) as Body, key)
      return context.json(comparisonSummaryBody(comparison), 202)
    })
    .openapi(read, async (context) => context.json(await comparisonBody(await ownComparison(parts, context)), 200))
    .openapi(remove, async (context) => {
      const { id } = context.req.valid('param')
      if (!(await desk.delete({ kind: 'comparison', userId: context.var.user.id, id }))) throw notFound('comparison')
      return context.body(null, 204)
    })
    .openapi(cancel, async (context) => {
      const { id } = context.req.valid('param')
      const userId = context.var.user.id
      await desk.cancel({ kind: 'comparison', userId, id })
      const status = await store.comparisons.status(userId, id)
      if (status === undefined) throw notFound('comparison')
      return context.json({ id, status }, 202)
    })
    .openapi(exporting, async (context) => {
      const { format } = context.req.valid('query')
      return exported(await ownComparison(parts, context), format === 'excel' ? 'xlsx' : format, parts)
    })
    .openapi(list, async (context) => {
      const { page, page_size, status, search } = context.req.valid('query')
      const found = await store.comparisons.list(context.var.user.id, {
        page,
        pageSize: page_size,
        ...(status !== undefined && { status }),
        ...(search !== undefined && search !== '' && { search }),
      })
      return context.json(pageBody(found, { page, page_size }, comparisonSummaryBody), 200)
    }) as OpenAPIHono<ApiEnvironment>
}

/** The comparison that the path names, if it is of whoever asks. @throws ApiError `not_found`. */
async function ownComparison(
  { store }: Pick<ApiParts, 'store'>,
  context: Context<ApiEnvironment>,
): Promise<Comparison> {
  const comparison = await store.comparisons.get(context.var.user.id, context.req.param('id') ?? '')
  if (comparison === undefined) throw notFound('comparison')
  return comparison
}

async function begin(parts: ApiParts, user: User, body: Body, key: string | undefined): Promise<ComparisonSummary> {
  const { store, desk, bounds, clock } = parts
  const strategies = body.strategies.map((name) => strategyNamed(name, 'strategies'))
  if (new Set(strategies).size < strategies.length) throw badRequest('strategies must name each one once', 'strategies')
  const settings = await chosenSettings(store, user.id, body)
  const input = await planInputOf(body, settings, strategies)
  const createdAt = new Date(clock.now()).toISOString()
  const comparison: Begun = {
    id: key === undefined ? newId() : idOfKey(user.id, 'comparison', key),
    userId: user.id,
    name: body.name ?? defaultName('Comparison', createdAt),
    status: 'pending',
    mode: settings.mode,
    strategies,
    input,
    createdAt,
  }
  const made = await once<Begun>(
    key !== undefined,
    () => store.comparisons.get(user.id, comparison.id),
    async () => {
      if (key !== undefined && (await desk.hasEnded(comparison.id))) throw usedBefore('comparison')
      await desk.submitComparison(comparison, bounds)
      return comparison
    },
  )
  return summaryOf(sameAs(made, comparison))
}

type Begun = Omit<Comparison, 'results'>

function sameAs(made: Begun, asked: Begun): Begun {
  if (made.mode === asked.mode && isSameInput(made.input, asked.input) && sameNames(made.strategies, asked.strategies))
    return made
  throw usedBefore('comparison')
}

function sameNames(one: readonly StrategyName[], other: readonly StrategyName[]): boolean {
  return one.length === other.length && one.every((name, at) => name === other[at])
}

function summaryOf({
  id,
  userId,
  name,
  status,
  mode,
  strategies,
  input,
  createdAt,
  endedAt,
}: Begun): ComparisonSummary {
  const lots = input.lots.length
  return {
    ...{ id, userId, name, status, mode, strategies, createdAt, lots },
    ...(endedAt !== undefined && { endedAt }),
  }
}

async function exported(
  { name, status, input, results }: Comparison,
  format: (typeof COMPARISON_FORMATS)[number],
  { clock, reports }: Pick<ApiParts, 'clock' | 'reports'>,
): Promise<Response> {
  if (status !== 'completed') {
    const message = `The comparison is ${status}; only a completed one can be exported`
    throw new ApiError('not_completed', message, { status: 400 })
  }
  const settings = settingsSchema.parse(input.settings)
  const report = { name, settings, lots: input.lots, runs: results, generatedAt: new Date(clock.now()) }
  return download(await reports.write({ kind: 'comparison', format, report }), name)
}
