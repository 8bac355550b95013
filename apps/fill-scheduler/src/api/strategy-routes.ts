import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import { STRATEGIES } from '../planning/strategies/strategies.js'
import { json, refusal } from './answers.js'
import type { ApiEnvironment } from './api-environment.js'

const strategySchema = z
  .object({ name: z.string(), aliases: z.array(z.string()), description: z.string() })
  .openapi('Strategy')

const list = createRoute({
  method: 'get',
  path: '/strategies',
  tags: ['Strategies'],
  summary: 'Every way to plan',
  responses: {
    200: { description: 'All of them', content: json(z.object({ items: z.array(strategySchema) })) },
    default: refusal,
  },
})

/** What there is to choose from. */
export function strategyRoutes(): OpenAPIHono<ApiEnvironment> {
  const items = STRATEGIES.map(({ name, aliases, description }) => ({ name, aliases: [...aliases], description }))
  return new OpenAPIHono<ApiEnvironment>().openapi(list, (context) =>
    context.json({ items }, 200),
  ) as OpenAPIHono<ApiEnvironment>
}
