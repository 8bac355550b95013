import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnvironment } from './api-environment.js'
import { DOCS_POLICY, docsPage } from './docs-page.js'

/** The API as OpenAPI 3.1, of the routes of an application. */
export function openApiDocument(app: OpenAPIHono<ApiEnvironment>): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Fill scheduler',
      version: '1.0.0',
      description:
        'Plans a sterile filling line. Runs are operations of Holdfast: their ids are those of the schedules and comparisons, and everything else below /api/v1 is its REST API.',
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
  })
  return document as OpenApiDocument
}

/** What is used of the document here. */
export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>

const TAGS = [
  ['Accounts', 'Who may use it.'],
  ['Schedules', 'Plans, from the lots to the report.'],
  ['Comparisons', 'Several strategies on the same lots.'],
  ['Templates', 'Settings with a name.'],
  ['Strategies', 'Ways to plan.'],
  ['Health', 'For load balancers.'],
] as const

/** `/openapi.json`, and `/docs` for people. */
export function addDocuments(app: OpenAPIHono<ApiEnvironment>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access_token of /api/v1/auth/login.',
  })
  const document = openApiDocument(app)
  const page = docsPage(document)
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': DOCS_POLICY }
  app.get('/openapi.json', (context) => context.json(document as object))
  app.get('/docs', (context) => context.body(page, 200, { ...headers, 'cache-control': 'no-cache' }))
}
