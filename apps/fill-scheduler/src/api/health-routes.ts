import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import { json } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'

const part = z.enum(['ok', 'away'])
const healthSchema = z.object({ status: part, store: part, live: part }).openapi('Health')

const health = createRoute({
  method: 'get',
  path: '/health',
  tags: ['Health'],
  security: [],
  summary: 'Whether it can serve',
  responses: {
    200: { description: 'It can', content: json(healthSchema) },
    503: { description: 'It cannot: the store, or the engine of live updates, is away', content: json(healthSchema) },
  },
})

/** Health for people and load balancers; `/health/live` and `/health/ready` are those of Holdfast. */
export function healthRoutes({ store, holdfast }: Pick<ApiParts, 'store' | 'holdfast'>): OpenAPIHono<ApiEnvironment> {
  return new OpenAPIHono<ApiEnvironment>().openapi(health, async (context) => {
    const isStored = await store.ping().then(
      () => true,
      () => false,
    )
    const { engine, draining } = holdfast.stats()
    const isLive = engine.problem === undefined && !draining
    const body = { status: word(isStored && isLive), store: word(isStored), live: word(isLive) }
    return body.status === 'ok' ? context.json(body, 200) : context.json(body, 503)
  }) as OpenAPIHono<ApiEnvironment>
}

function word(isThere: boolean): 'ok' | 'away' {
  return isThere ? 'ok' : 'away'
}
