import { openApiDocument } from '@holdfast/server'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'

interface Documented {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly parameters?: readonly object[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, { readonly headers?: object }>>
}

const document = JSON.parse(JSON.stringify(openApiDocument())) as {
  readonly openapi: string
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, documented]) => ({ line: `${method.toUpperCase()} ${path}`, documented })),
)

describe('the OpenAPI document', () => {
  it('is what the official schema of OpenAPI 3.1 asks for', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(document)
    expect([valid, errors, validator.version]).toEqual([true, undefined, '3.1'])
  })

  it('is refused by that schema when it is wrong', async () => {
    const { valid } = await new Validator().validate({ ...document, info: { title: 'Holdfast' } })
    expect(valid).toBe(false)
  })

  it('has references that lead somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '')
    const missing = references.filter((path) => path.split('/').reduce(member, document) === undefined)
    expect([references.length > 0, missing]).toEqual([true, []])
  })

  it('names each route by a word of its own', () => {
    const ids = routes.map(({ documented }) => documented.operationId)
    expect(ids).toEqual([...new Set(ids)])
  })

  it.each(routes)('says of $line what it is, and how it is refused', ({ documented }) => {
    expect(document.tags.map(({ name }) => name)).toEqual(expect.arrayContaining([...documented.tags]))
    expect(documented.summary).toMatch(/^[A-Z].*[^.]$/)
    const statuses = Object.keys(documented.responses)
    expect(statuses.some((status) => status.startsWith('2'))).toBe(true)
    expect(documented.tags.includes('documents') || statuses.includes('401')).toBe(true)
  })

  it.each(routes.filter(({ documented }) => !documented.tags.includes('documents')))(
    'says of $line which headers refusals have',
    ({ documented }) => {
      const headersOf = (status: string): string[] => Object.keys(documented.responses[status]?.headers ?? {})
      expect(['401', '429', '503'].map(headersOf)).toEqual([['WWW-Authenticate'], ['Retry-After'], ['Retry-After']])
    },
  )

  it.each([
    ['GET /operations/{operation}', 'If-None-Match'],
    ['PATCH /operations/{operation}', 'If-Match'],
    ['PATCH /operations/{operation}', 'Idempotency-Key'],
    ['GET /operations/{operation}/events', 'Last-Event-ID'],
    ['GET /channels/{channel}/events', 'Last-Event-ID'],
  ])('says of %s that it reads %s', (line, name) => {
    const { parameters = [] } = routes.find((route) => route.line === line)?.documented ?? {}
    expect(parameters).toContainEqual(expect.objectContaining({ name, in: 'header' }))
  })

  it('says what is posted to an event stream', () => {
    const { requestBody, responses } = routes.find(({ line }) => line === 'POST /stream/{id}')?.documented ?? {}
    expect(requestBody).toMatchObject({ content: { 'text/plain': {} } })
    expect(Object.keys(responses ?? {})).toEqual(expect.arrayContaining(['404', '413', '415', '429']))
  })

  it.each([
    'POST /channels/{channel}/messages',
    'POST /publish',
    'POST /channels/{channel}/signals',
    'GET /channels/{channel}/messages',
    'GET /channels/{channel}/presence',
    'GET /channels/{channel}/events',
    'GET /channels',
    'GET /connections',
    'DELETE /connections/{connection}',
    'POST /users/{user}/disconnect',
    'POST /users/{user}/notifications',
    'GET /notifications/{notification}',
    'POST /revocations',
    'GET /stats',
    'GET /limits',
    'GET /keys',
    'POST /keys',
    'POST /keys/{id}/rotate',
    'DELETE /keys/{id}',
    'POST /operations',
    'GET /operations',
    'GET /operations/{operation}',
    'PATCH /operations/{operation}',
    'POST /operations/{operation}/attempts',
    'POST /operations/{operation}/complete',
    'POST /operations/{operation}/fail',
    'POST /operations/{operation}/cancelled',
    'POST /operations/{operation}/cancel',
    'POST /operations/{operation}/heartbeat',
    'GET /operations/{operation}/events',
    'GET /openapi.json',
    'GET /docs',
    'GET /asyncapi.json',
  ])('has %s', (line) => expect(routes.map((one) => one.line)).toContain(line))
})

function member(value: unknown, name: string): unknown {
  const key = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
  return (value as Record<string, unknown> | undefined)?.[key]
}
