import { OpenAPIHono } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { InputError } from '../problem.js'
import { NoRoomError, NoUserError, StoreAwayError } from '../store/store.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { ApiError, badRequest, errorAnswer, noAccount, notFound, refused } from './api-error.js'
import { authRoutes } from './auth-routes.js'
import { authentication } from './authentication.js'
import { boundError } from './bounds.js'
import { comparisonRoutes } from './comparison-routes.js'
import { addDocuments } from './document-routes.js'
import { healthRoutes } from './health-routes.js'
import { newId } from './ids.js'
import type { PageFiles } from './page-files.js'
import { issueError } from './request-body.js'
import { scheduleListRoutes } from './schedule-list-routes.js'
import { scheduleRoutes } from './schedule-routes.js'
import { scheduleWorkRoutes } from './schedule-work-routes.js'
import { strategyRoutes } from './strategy-routes.js'
import { templateImportRoutes } from './template-import-routes.js'
import { templateRoutes } from './template-routes.js'

/** Where the routes of the API are. */
export const PREFIX = '/api/v1'

/** Every HTTP route of the fill scheduler: the API, its documents, health, the page. */
export function createApp(parts: ApiParts, page: PageFiles): OpenAPIHono<ApiEnvironment> {
  const app = new OpenAPIHono<ApiEnvironment>({
    defaultHook: (result) => {
      if (!result.success) throw issueError(result.error)
    },
  })
  const open = new Set<string>()
  app.use(
    `${PREFIX}/*`,
    authentication(parts, (path) => open.has(path)),
  )
  app.use(`${PREFIX}/*`, async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
  })
  app.route(PREFIX, authRoutes(parts))
  app.route(PREFIX, scheduleListRoutes(parts))
  app.route(PREFIX, scheduleWorkRoutes(parts))
  app.route(PREFIX, scheduleRoutes(parts))
  app.route(PREFIX, comparisonRoutes(parts))
  app.route(PREFIX, templateImportRoutes(parts))
  app.route(PREFIX, templateRoutes(parts))
  app.route(PREFIX, strategyRoutes())
  app.route('/', healthRoutes(parts))
  for (const path of openPaths(app)) open.add(path)
  addDocuments(app)
  app.notFound((context) => page.answer(context.req.raw) ?? errorAnswer(notFound('address')))
  app.onError((error, context) => answerTo(error, parts, context.req.path))
  return app
}

/** The first segments below the prefix that are ours; everything else there is Holdfast's. */
export function ownSegments(app: OpenAPIHono<ApiEnvironment>): ReadonlySet<string> {
  const paths = app.routes.map(({ path }) => path).filter((path) => path.startsWith(`${PREFIX}/`))
  return new Set(
    paths.map((path) => path.slice(PREFIX.length + 1).split('/', 1)[0] ?? '').filter((name) => name !== '*'),
  )
}

/** Paths of routes that say they are for everybody: all others ask for a token. */
function openPaths(app: OpenAPIHono<ApiEnvironment>): readonly string[] {
  return app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === 'route' && definition.route.security?.length === 0 ? [definition.route.path] : [],
  )
}

function answerTo(error: Error, { log }: Pick<ApiParts, 'log'>, path: string): Response {
  if (error instanceof ApiError) return errorAnswer(error)
  if (error instanceof HTTPException) return errorAnswer(ofHono(error))
  if (error instanceof InputError) return errorAnswer(refused('invalid_config', error.problems))
  if (error instanceof NoRoomError) return errorAnswer(boundError(error))
  if (error instanceof NoUserError) return errorAnswer(noAccount())
  if (error instanceof StoreAwayError) {
    log.warn({ event: 'store.away', path, reason: error.message }, 'a request was refused')
    const message = 'The database does not answer; try again in a moment'
    return errorAnswer(new ApiError('unavailable', message, { status: 503, retryAfterMs: 5_000 }))
  }
  const id = newId()
  log.error({ event: 'api.failed', id, path, reason: error.message, stack: error.stack }, 'a request failed')
  return errorAnswer(new ApiError('internal_error', 'Internal error', { status: 500, id }))
}

function ofHono({ status, message }: HTTPException): ApiError {
  if (status === 415) return new ApiError('unsupported_media_type', 'This route does not take such a body', { status })
  return badRequest(message === '' ? 'The request is not valid' : message)
}
