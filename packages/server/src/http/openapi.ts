import { ERRORS, type ErrorCode, type JsonSchema } from '@holdfast/protocol'
import * as z from 'zod'
import { VERSION } from '../version.js'
import { STATUS_OF } from './api-error.js'
import type { Answer, Route } from './route.js'

/** An OpenAPI 3.1 document, as a plain object. */
export type OpenApiDocument = Readonly<Record<string, unknown>> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> } & Readonly<Record<string, unknown>>
}

/** What any route with a bearer may be answered. */
const USUAL_ERRORS: readonly ErrorCode[] = [
  'bad_request',
  'unauthenticated',
  'permission_denied',
  'rate_limited',
  'internal_error',
  'engine_unavailable',
]

/** Headers of refusals, by status. */
const ERROR_HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Begins with `Bearer`, and says what is wrong with a credential that came' },
  429: { 'Retry-After': 'Seconds after which to try again' },
  503: { 'Retry-After': 'Seconds after which to try again' },
}

const REPLAYED = { 'Idempotent-Replayed': '`true`: it was done before, and this is what was answered then' }

/** What routes with a body may be answered besides. */
const BODY_STATUSES: Readonly<Record<number, string>> = {
  413: 'The body is too large: `limit_exceeded`',
  415: 'The body is compressed, or not of the type that it is to be: `bad_request`',
}

const TAGS: Readonly<Record<Route['tag'], string>> = {
  channels: 'Messages, signals, history and presence. The channel rules decide, as on the WebSocket.',
  operations: 'Progress of long-running work: workers report, watchers wait or follow.',
  notifications: 'Messages to the inboxes of users.',
  connections: 'Who is connected, on all nodes.',
  access: 'API keys, and withdrawing tokens.',
  node: 'What the node does, and what bounds it.',
  documents: 'What describes the API itself. Anybody may ask.',
}

const DESCRIPTION = `Everything that back-ends do with Holdfast over HTTP. Bodies are JSON, and strict: a member that is not known is refused. Times are ISO-8601, UTC.

**Who asks** is said by \`Authorization: Bearer\` with a token or an API key. What belongs to another user or tenant is \`not_found\`, the same as what does not exist.

**Errors** have one shape, with a \`code\` to decide by. \`retryable\` says whether the same request may succeed later; \`Retry-After\` when.

**Lists** come in pages: while there is a \`next\`, ask again with it as \`cursor\`.

**Once, not twice:** a POST or PATCH with an \`Idempotency-Key\` is carried out once; whoever repeats it within a day gets the first answer again, with \`Idempotent-Replayed: true\`.`

/** Describes routes as an OpenAPI 3.1 document, out of the schemas that check requests. */
export function describeRoutes(routes: readonly Route[], prefix: string): OpenApiDocument {
  const schemas = new Schemas()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = describe(route, schemas)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version: VERSION,
      summary: 'The REST API',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: prefix, description: 'This node' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { ...schemas.named, Error: ERROR_SCHEMA },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token (JWT) or an API key (`hf_…`).' },
      },
    },
  }
}

function describe(route: Route, schemas: Schemas): Record<string, unknown> {
  const { id, tag, summary, description, permissions, isPublic, body, text, example } = route
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query'), ...headersOf(route)]
  const needs = permissions.length === 0 ? undefined : `Needs the permission \`${permissions.join('` or `')}\`.`
  const told = [description, needs].filter(Boolean).join('\n\n')
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(told !== '' && { description: told }),
    ...(isPublic && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: !body.safeParse({}).success,
        content: {
          'application/json': { schema: schemas.of(body, 'input'), ...(example !== undefined && { example }) },
        },
      },
    }),
    ...(text !== undefined && {
      requestBody: { required: true, content: { 'text/plain': { schema: { type: 'string', description: text } } } },
    }),
    responses: { ...answersOf(route, schemas), ...errorsOf(route) },
  }
}

function answersOf(route: Route, schemas: Schemas): Record<string, unknown> {
  const told = (status: string, answer: Answer): Answer =>
    isOnce(route) && status.startsWith('2') ? { ...answer, headers: { ...answer.headers, ...REPLAYED } } : answer
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, answer]) => [status, describeAnswer(told(status, answer), schemas)]),
  )
}

function describeAnswer({ description, schema, example, headers, mediaType }: Answer, schemas: Schemas): object {
  const content = { schema: schema && schemas.of(schema, 'output'), ...(example !== undefined && { example }) }
  return {
    description,
    ...(headers && { headers: describeHeaders(headers) }),
    ...(schema && { content: { [mediaType ?? 'application/json']: content } }),
  }
}

function describeHeaders(headers: Readonly<Record<string, string>>): object {
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ])
  return Object.fromEntries(described) as object
}

/** One answer for each status, with the codes that it may carry. */
function errorsOf(route: Route): Record<string, unknown> {
  if (route.isPublic) return {}
  const { errors = [], body, text } = route
  const codes = [...new Set([...USUAL_ERRORS, ...impliedErrors(route), ...errors])]
  const statuses = [...new Set(codes.map((code) => STATUS_OF[code]))].sort((one, other) => one - other)
  const told = statuses.map(
    (status) => [status, describeCodes(codes.filter((code) => STATUS_OF[code] === status))] as const,
  )
  return Object.fromEntries(
    [...told, ...(body || text ? Object.entries(BODY_STATUSES) : [])].map(([status, description]) => [
      status,
      {
        description,
        ...errorHeadersOf(status),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  )
}

function errorHeadersOf(status: number | string): object {
  const headers = ERROR_HEADERS[status]
  return headers ? { headers: describeHeaders(headers) } : {}
}

/** What follows from the form of a route: what it names may not be there, and a key may have been used. */
function impliedErrors(route: Route): readonly ErrorCode[] {
  const { path } = route
  const isNamed = /\{(?!channel)/.test(path)
  return [
    ...(isNamed ? (['not_found'] as const) : []),
    ...(isOnce(route) ? (['idempotency_conflict', 'already_held'] as const) : []),
  ]
}

/** Whether an `Idempotency-Key` is looked at. */
function isOnce({ method, isPublic, direct }: Route): boolean {
  return !isPublic && direct === undefined && (method === 'POST' || method === 'PATCH')
}

function describeCodes(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `\`${code}\`: ${ERRORS[code].message}.`).join(' ')
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): object[] {
  if (schema === undefined) return []
  const made = toJson(schema, 'output') as { properties?: Record<string, JsonSchema> }
  const needed = (toJson(schema, 'input') as { required?: string[] }).required ?? []
  return Object.entries(made.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || needed.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }))
}

function headersOf(route: Route): object[] {
  const own = Object.entries(route.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }))
  if (!isOnce(route)) return own
  const description = 'Has the request carried out once, however often it is sent within a day.'
  const schema = { type: 'string', minLength: 1, maxLength: 255 }
  return [...own, { name: 'Idempotency-Key', in: 'header', description, schema }]
}

/** Turns schemas into JSON Schema, and collects those that have a name (`meta({ id })`). */
class Schemas {
  readonly named: Record<string, JsonSchema> = {}

  of(schema: z.ZodType | JsonSchema, io: 'input' | 'output'): JsonSchema {
    const { $defs = {}, ...rest } = toJson(schema, io) as JsonSchema & { $defs?: Record<string, JsonSchema> }
    for (const [name, definition] of Object.entries($defs)) this.named[name] ??= atComponents(definition)
    return atComponents(rest)
  }
}

function toJson(schema: z.ZodType | JsonSchema, io: 'input' | 'output'): JsonSchema {
  if (!('safeParse' in schema)) return schema
  const { $schema: _, ...rest } = z.toJSONSchema(schema as z.ZodType, { io, unrepresentable: 'any' })
  return rest
}

/** References of zod lead to `$defs`, those of OpenAPI to its components. */
function atComponents(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema
}

const ERROR_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'What every refusal says.',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: { type: 'string', description: 'What to decide by.', examples: ['bad_request'] },
        message: { type: 'string', description: 'For people. It may change.' },
        retryable: { type: 'boolean', description: 'Whether the same request may succeed later.' },
        retryAfter: { type: 'integer', description: 'Milliseconds after which to try again.' },
        field: { type: 'string', description: 'The member, parameter or header that is wrong.' },
        details: { description: 'More, where there is more.' },
        id: { type: 'string', description: 'Under which the log of the server tells more.' },
      },
      required: ['code', 'message', 'retryable'],
    },
  },
  required: ['error'],
}
