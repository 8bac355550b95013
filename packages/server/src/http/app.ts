import { Hono } from 'hono'

/** What the HTTP side of a node knows of it. */
export interface Health {
  /** Why the node should get no new clients; undefined while it should. */
  unready(): string | undefined
}

/** The HTTP side of a node as one fetch-style app. It is reached through `protect` alone, which also answers for what is thrown here. */
export function createHttpApp(health: Health): Hono {
  const app = new Hono()
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
    context.json({ error: { code: 'not_found', message: 'There is nothing at this address' } }, 404),
  )
  app.onError((error) => {
    throw error
  })
  return app
}
