import { z } from '@hono/zod-openapi'
import { errorSchema } from './api-error.js'

/** A JSON body of a request or an answer. */
export function json<T extends z.ZodType>(schema: T): { readonly 'application/json': { readonly schema: T } } {
  return { 'application/json': { schema } }
}

/** What any route answers where it refuses. */
export const refusal = { description: 'Refused; the code says why', content: json(errorSchema) } as const

/** A file. */
export const fileAnswer = {
  description: 'The file',
  content: { 'application/octet-stream': { schema: z.any().openapi({ type: 'string', format: 'binary' }) } },
} as const

/** The id in a path. What can be no id is not found, like any other that is nobody's. */
export const idParam = z.object({
  id: z.string().openapi({ param: { name: 'id', in: 'path' }, example: '0a1b2c3d4e5f60718293a4b5' }),
})
