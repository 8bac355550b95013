import { z } from '@hono/zod-openapi'
import type { Problem } from '../problem.js'

/** A problem as the API tells it. */
export const problemOf = z
  .object({
    severity: z.enum(['error', 'warning']),
    code: z.string().openapi({ example: 'duplicate_lot' }),
    message: z.string(),
    row: z
      .int()
      .optional()
      .openapi({ description: 'Line of the file, the heading being line 1; or position in the list.' }),
    column: z.string().optional(),
    lot_id: z.string().optional(),
    field: z.string().optional().openapi({ description: 'Of settings: the path of the member.' }),
  })
  .openapi('Problem')

/** The same, of a problem. */
export function problemBody({ lotId, ...problem }: Problem): z.infer<typeof problemOf> {
  return { ...problem, ...(lotId !== undefined && { lot_id: lotId }) }
}
