import { type Context, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from '@hono/zod-openapi'
import type { ApiEnvironment } from './api-environment.js'
import { ApiError, badRequest, errorAnswer } from './api-error.js'

/** Bytes of a file that is sent along. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024

/** What stands around files: names, boundaries, the other fields. */
const AROUND_BYTES_MAX = 256 * 1024
const SMALL_BYTES_MAX = 64 * 1024

/** Refuses bodies that are larger than a file and its form may be. */
export const fileBody = bounded(FILE_BYTES_MAX + AROUND_BYTES_MAX)

/** Refuses bodies that are larger than a configuration and what stands around it. */
export const configBody = bounded(1024 * 1024)

/** Refuses bodies that are larger than credentials have reason to be. */
export const smallBody = bounded(SMALL_BYTES_MAX)

function bounded(maxSize: number): MiddlewareHandler<ApiEnvironment> {
  const message = `A body must have at most ${maxSize} bytes`
  return bodyLimit({ maxSize, onError: () => errorAnswer(new ApiError('too_large', message, { status: 413 })) })
}

/** How a body came, on routes that take forms as well as JSON. @throws ApiError where there is none. */
export function bodyKind(context: Context): 'json' | 'form' {
  const type = context.req.header('content-type')
  if (type === undefined) throw badRequest('The request has no body, or does not say of what kind it is')
  return /^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type) ? 'form' : 'json'
}

/** A file of a form, with one of these endings. */
export function fileField(...endings: readonly string[]) {
  const expected = `a file whose name ends in ${endings.join(', ')}`
  return z
    .custom<File>(
      (value) => value instanceof File && endings.some((ending) => value.name.toLowerCase().endsWith(ending)),
      {
        error: expected,
      },
    )
    .refine((file) => file.size <= FILE_BYTES_MAX, { error: `a file of at most ${FILE_BYTES_MAX} bytes` })
    .openapi({ type: 'string', format: 'binary', description: expected })
}

/** JSON as the text of a form field. */
export const jsonField = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' })
      return z.NEVER
    }
  })
  .openapi({ type: 'string', description: 'JSON.' })

/** What a schema has against a request, in the words of the API: the first issue, with its field. */
export function issueError({ issues }: z.ZodError): ApiError {
  const [issue] = issues
  if (issue === undefined) return badRequest('The request is not valid')
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const field = [...issue.path, ...unknown].map(String).join('.')
  const message = unknown.length > 0 ? `there is no member ${JSON.stringify(unknown[0])} here` : issue.message
  return badRequest(field === '' ? message : `${field}: ${message}`, field === '' ? undefined : field)
}
