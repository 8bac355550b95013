import { z } from '@hono/zod-openapi'

/** The header by which what is handed in twice is planned once. */
export const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .openapi({ description: 'With the same key the same request makes one thing, however often it is sent.' }),
})

/** What is called nothing else: `Schedule 2025-01-31 14:05`, in UTC. */
export function defaultName(what: 'Schedule' | 'Comparison', createdAt: string): string {
  return `${what} ${createdAt.slice(0, 16).replace('T', ' ')}`
}
