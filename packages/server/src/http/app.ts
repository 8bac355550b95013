import { Hono } from 'hono'
import type { Visitor } from '../access/perimeter.js'
import { API_PREFIX } from './routes.js'

/** What the HTTP side of a node knows of it. */
export interface Health {
  /** Why the node should get no new clients; undefined while it should. */
  unready(): string | undefined
}

/** What answers below the prefix of the REST API. */
export interface RestApi {
  answer(request: Request, visitor: Visitor): Promise<Response>
}

/** What `protect` found out of a request, as the app is told. */
export interface HttpSurroundings {
  readonly Bindings: { readonly visitor: Visitor }
}

/** The HTTP side of a node as one fetch-style app. It is reached through `protect` alone, which also answers for what is thrown here. */
export function createHttpApp(health: Health, api?: RestApi): Hono<HttpSurroundings> {
  const app = new Hono<HttpSurroundings>()
  if (api !== undefined) app.all(`${API_PREFIX}/*`, ({ req, env }) => api.answer(req.raw, env.visitor))
  app.use(async (context, next) => {
    await next()
    context.header('Cache-Control', 'no-store')
  })
  app.get('/health/live', (context) => context.json({ status: 'live' }))
  app.get('/health/ready', (context) => {
    const reason = health.unready()
    return reason === undefined ? context.json({ status: 'ready' }) : context.json({ status: 'unready', reason }, 503)
  })
  app.notFound((context) =>
    context.json({ error: { code: 'not_found', message: 'There is nothing at this address', retryable: false } }, 404),
  )
  app.onError((error) => {
    throw error
  })
  return app
}
