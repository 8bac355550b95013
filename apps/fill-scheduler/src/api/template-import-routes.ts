import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import { formatOf } from '../io/configuration-file.js'
import { settingsFromText } from '../io/configuration.js'
import { json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { badRequest, refused } from './api-error.js'
import { isError } from './chosen-settings.js'
import { nameField } from './plan-request.js'
import { bodyKind, fileBody, fileField } from './request-body.js'
import { idempotencyKey } from './submission.js'
import { templateBody, templateSchema } from './template-body.js'
import { keepTemplate } from './template-routes.js'

const textJson = z
  .strictObject({ text: z.string().max(1_000_000), format: z.enum(['yaml', 'json']), name: nameField.optional() })
  .openapi('Import', { example: { text: 'lines: 2\n', format: 'yaml', name: 'Two lines' } })

const fileForm = z
  .strictObject({ file: fileField('.yaml', '.yml', '.json'), name: nameField.optional() })
  .openapi('ImportForm')

const importing = createRoute({
  method: 'post',
  path: '/config/import',
  tags: ['Templates'],
  summary: 'Make a template of a configuration file; nobody else sees it',
  middleware: fileBody,
  request: {
    headers: idempotencyKey,
    body: { content: { ...json(textJson), 'multipart/form-data': { schema: fileForm } } },
  },
  responses: { 201: { description: 'The template', content: json(templateSchema) }, default: refusal },
})

/** Templates that come as files. */
export function templateImportRoutes(parts: ApiParts): OpenAPIHono<ApiEnvironment> {
  return new OpenAPIHono<ApiEnvironment>().openapi(importing, async (context) => {
    const { text, format, name } = await textOf(context.req.valid(bodyKind(context)))
    const { input, problems } = settingsFromText(text, format)
    if (problems.some(isError)) throw refused('invalid_config', problems)
    const key = context.req.valid('header')['idempotency-key']
    const userId = context.var.user.id
    const draft = { name: name ?? 'Imported', settings: input, is_public: false, key }
    const kept = await keepTemplate(parts, userId, draft)
    return context.json(templateBody(kept, userId), 201)
  }) as OpenAPIHono<ApiEnvironment>
}

type Import = z.output<typeof textJson>

/** A file is called as it is named, unless somebody says otherwise. */
async function textOf(sent: Import | z.output<typeof fileForm>): Promise<Import> {
  if (!('file' in sent)) return sent
  const { file, name = nameOf(file.name) } = sent
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
    return { text, format: formatOf(file.name), name }
  } catch (error) {
    if (error instanceof TypeError) throw badRequest('The file is not UTF-8', 'file')
    throw error
  }
}

function nameOf(file: string): string {
  const name = file
    .replace(/\.\w+$/, '')
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 200)
  return name === '' ? 'Imported' : name
}
