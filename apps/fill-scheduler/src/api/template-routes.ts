import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { settingsFrom } from '../io/configuration.js'
import { exportConfiguration } from '../io/configuration-export.js'
import { DEFAULT_SETTINGS, type Settings, type SettingsInput } from '../planning/settings.js'
import type { Template } from '../store/store.js'
import { fileAnswer, idParam, json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { notFound, refused } from './api-error.js'
import { isError } from './chosen-settings.js'
import { download } from './download.js'
import { idOfKey, newId } from './ids.js'
import { pageBody, pageQuery, pageSchema } from './list-query.js'
import { once, usedBefore } from './once.js'
import { descriptionField, nameField } from './plan-request.js'
import { problemBody, problemOf } from './problem-body.js'
import { configBody } from './request-body.js'
import { idempotencyKey } from './submission.js'
import { templateBody, templateSchema } from './template-body.js'

const tags = ['Templates']
const template = { description: 'The template', content: json(templateSchema) } as const

const settings = z.record(z.string(), z.unknown()).openapi({
  description: 'Settings, in any of their vocabularies.',
  example: { lines: 2, changeover: { sameTypeHours: 3 } },
})
const draft = {
  name: nameField.openapi({ example: 'Two lines' }),
  description: descriptionField.optional(),
  settings,
  is_public: z.boolean().default(false).openapi({ description: 'Whether everybody may read it.' }),
}

const verdictSchema = z
  .object({
    valid: z.boolean(),
    errors: z.array(problemOf),
    warnings: z.array(problemOf),
    settings: settings.nullable(),
  })
  .openapi('SettingsVerdict')

const create = createRoute({
  method: 'post',
  path: '/config',
  tags,
  summary: 'Keep settings under a name',
  middleware: configBody,
  request: {
    headers: idempotencyKey,
    body: { required: true, content: json(z.strictObject(draft).openapi('NewTemplate')) },
  },
  responses: { 201: template, default: refusal },
})

const list = createRoute({
  method: 'get',
  path: '/configs',
  tags,
  summary: 'Your templates, then those that others have made public',
  request: {
    query: z.strictObject({ ...pageQuery, public_only: z.enum(['true', 'false']).default('false') }),
  },
  responses: {
    200: { description: 'A page of them', content: json(pageSchema(templateSchema, 'TemplatePage')) },
    default: refusal,
  },
})

const readDefault = createRoute({
  method: 'get',
  path: '/config/default',
  tags,
  summary: 'Your default template',
  responses: { 200: template, default: refusal },
})

const unsetDefault = createRoute({
  method: 'delete',
  path: '/config/default',
  tags,
  summary: 'Have no default template; it stays',
  responses: { 204: { description: 'There is none now' }, default: refusal },
})

const systemDefault = createRoute({
  method: 'get',
  path: '/config/system/default',
  tags,
  summary: 'The settings that hold where nobody says otherwise',
  responses: { 200: { description: 'Every setting', content: json(z.object({ settings })) }, default: refusal },
})

const validate = createRoute({
  method: 'post',
  path: '/config/validate',
  tags,
  summary: 'Look at settings without keeping them',
  middleware: configBody,
  request: { body: { required: true, content: json(z.strictObject({ settings })) } },
  responses: {
    200: {
      description: 'Everything that is wrong with them, and what they come to with every default',
      content: json(verdictSchema),
    },
    default: refusal,
  },
})

const read = createRoute({
  method: 'get',
  path: '/config/{id}',
  tags,
  summary: 'A template: one of yours, or a public one',
  request: { params: idParam },
  responses: { 200: template, default: refusal },
})

const change = createRoute({
  method: 'put',
  path: '/config/{id}',
  tags,
  summary: 'Change a template; what is left out stays',
  middleware: configBody,
  request: {
    params: idParam,
    body: {
      required: true,
      content: json(
        z
          .strictObject({
            ...draft,
            name: draft.name.optional(),
            settings: settings.optional(),
            is_public: z.boolean().optional(),
          })
          .openapi('TemplateChange', { example: { name: 'Two lines' } }),
      ),
    },
  },
  responses: { 200: template, default: refusal },
})

const remove = createRoute({
  method: 'delete',
  path: '/config/{id}',
  tags,
  summary: 'Delete a template',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, default: refusal },
})

const setDefault = createRoute({
  method: 'post',
  path: '/config/{id}/set-default',
  tags,
  summary: 'Make a template of yours the default',
  request: { params: idParam },
  responses: { 200: template, default: refusal },
})

const exporting = createRoute({
  method: 'get',
  path: '/config/{id}/export',
  tags,
  summary: 'A template as a configuration file',
  request: { params: idParam, query: z.strictObject({ format: z.enum(['yaml', 'json']).default('yaml') }) },
  responses: { 200: fileAnswer, default: refusal },
})

/** Templates: to write, read, list and choose. */
export function templateRoutes(parts: ApiParts): OpenAPIHono<ApiEnvironment> {
  const { store, changes, clock } = parts
  const now = (): string => new Date(clock.now()).toISOString()
  const saved = (userId: string, id: string): Promise<void> =>
    changes.tell(userId, { kind: 'template', id, status: 'saved' })
  return new OpenAPIHono<ApiEnvironment>()
    .openapi(create, async (context) => {
      const { settings: given, ...rest } = context.req.valid('json')
      const key = context.req.valid('header')['idempotency-key']
      const userId = context.var.user.id
      const kept = await keepTemplate(parts, userId, { ...rest, settings: inputOf(given), key })
      return context.json(templateBody(kept, userId), 201)
    })
    .openapi(list, async (context) => {
      const { page, page_size, public_only } = context.req.valid('query')
      const userId = context.var.user.id
      const publicOnly = public_only === 'true'
      const found = await store.templates.list(userId, { page, pageSize: page_size, publicOnly })
      return context.json(
        pageBody(found, { page, page_size }, (item) => templateBody(item, userId)),
        200,
      )
    })
    .openapi(readDefault, async (context) => {
      const found = await store.templates.default(context.var.user.id)
      if (found === undefined) throw notFound('template')
      return context.json(templateBody(found, context.var.user.id), 200)
    })
    .openapi(unsetDefault, async (context) => {
      await store.templates.setDefault(context.var.user.id, undefined)
      return context.body(null, 204)
    })
    .openapi(systemDefault, (context) => context.json({ settings: asJson(DEFAULT_SETTINGS) }, 200))
    .openapi(validate, (context) => context.json(verdictOn(context.req.valid('json').settings), 200))
    .openapi(read, async (context) => {
      return context.json(templateBody(await readableTemplate(parts, context), context.var.user.id), 200)
    })
    .openapi(change, async (context) => {
      const { id, userId } = await ownTemplate(parts, context)
      const { name, description: text, settings: given, is_public: isPublic } = context.req.valid('json')
      const changed = {
        ...(name !== undefined && { name }),
        ...(text !== undefined && { description: text }),
        ...(isPublic !== undefined && { isPublic }),
        ...(given !== undefined && { settings: inputOf(given) }),
      }
      if (!(await store.templates.update(userId, id, changed, now()))) throw notFound('template')
      await saved(userId, id)
      return context.json(templateBody(await ownTemplate(parts, context), userId), 200)
    })
    .openapi(remove, async (context) => {
      const { id, userId } = await ownTemplate(parts, context)
      await store.templates.delete(userId, id)
      await changes.tell(userId, { kind: 'template', id, status: 'deleted' })
      return context.body(null, 204)
    })
    .openapi(setDefault, async (context) => {
      const { id, userId } = await ownTemplate(parts, context)
      await store.templates.setDefault(userId, id)
      await saved(userId, id)
      return context.json(templateBody(await ownTemplate(parts, context), userId), 200)
    })
    .openapi(exporting, async (context) => {
      const { name, settings: kept } = await readableTemplate(parts, context)
      const { format } = context.req.valid('query')
      const bytes = new TextEncoder().encode(exportConfiguration(format, { settings: kept }))
      const contentType = format === 'json' ? 'application/json' : 'application/yaml; charset=utf-8'
      return download({ bytes, contentType, extension: format }, name)
    }) as OpenAPIHono<ApiEnvironment>
}

/** What a new template is made of. */
export interface TemplateDraft {
  readonly name: string
  readonly description?: string | undefined
  readonly settings: SettingsInput
  readonly is_public: boolean
  readonly key?: string | undefined
}

/** Stores a template. The same key again answers what it made. @throws NoRoomError, ApiError `idempotency_conflict`. */
export async function keepTemplate(
  { store, changes, clock, bounds }: Pick<ApiParts, 'store' | 'changes' | 'clock' | 'bounds'>,
  userId: string,
  { name, description: text, settings: given, is_public: isPublic, key }: TemplateDraft,
): Promise<Template> {
  const at = new Date(clock.now()).toISOString()
  const id = key === undefined ? newId() : idOfKey(userId, 'template', key)
  const draft: Template = {
    ...{ id, userId, name, isPublic, isDefault: false, settings: given, createdAt: at, updatedAt: at },
    ...(text !== undefined && { description: text }),
  }
  const kept = await once(
    key !== undefined,
    () => store.templates.get(userId, id),
    async () => {
      await store.templates.create(draft, bounds.templatesMax)
      return draft
    },
  )
  if (!isSame(kept, draft)) throw usedBefore('template')
  await changes.tell(userId, { kind: 'template', id, status: 'saved' })
  return kept
}

function isSame(kept: Template, draft: Template): boolean {
  const isNamedSo = (['name', 'description', 'isPublic'] as const).every((member) => kept[member] === draft[member])
  return isNamedSo && JSON.stringify(kept.settings) === JSON.stringify(draft.settings)
}

/** The template that the path names, if whoever asks may read it. @throws ApiError `not_found`. */
async function readableTemplate(
  { store }: Pick<ApiParts, 'store'>,
  context: Context<ApiEnvironment>,
): Promise<Template> {
  const found = await store.templates.get(context.var.user.id, context.req.param('id') ?? '')
  if (found === undefined) throw notFound('template')
  return found
}

/** The same, if it is their own. */
async function ownTemplate(parts: Pick<ApiParts, 'store'>, context: Context<ApiEnvironment>): Promise<Template> {
  const found = await readableTemplate(parts, context)
  if (found.userId !== context.var.user.id) throw notFound('template')
  return found
}

function inputOf(given: unknown): SettingsInput {
  const { input, problems } = settingsFrom(given)
  if (problems.some(isError)) throw refused('invalid_config', problems)
  return input
}

function verdictOn(given: unknown): z.infer<typeof verdictSchema> {
  const read = settingsFrom(given)
  const errors = read.problems.filter(isError)
  const isRight = errors.length === 0
  return {
    valid: isRight,
    errors: errors.map(problemBody),
    warnings: read.problems.filter((problem) => !isError(problem)).map(problemBody),
    settings: isRight ? asJson(read.settings) : null,
  }
}

function asJson(settingsOfAll: Settings): Record<string, unknown> {
  return { ...settingsOfAll }
}
