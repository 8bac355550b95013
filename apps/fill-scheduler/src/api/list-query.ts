import { z } from '@hono/zod-openapi'
import type { ListPage } from '../store/store.js'

const PAGE_MAX = 1_000_000

/** Which page of a list. */
export const pageQuery = {
  page: z.coerce.number().int().min(1).max(PAGE_MAX).default(1).openapi({ type: 'integer' }),
  page_size: z.coerce.number().int().min(1).max(100).default(20).openapi({ type: 'integer' }),
}

/** A page of a list of these. */
export function pageSchema<T extends z.ZodType>(item: T, name: string) {
  return z
    .object({ items: z.array(item), total: z.int(), page: z.int(), page_size: z.int(), pages: z.int() })
    .openapi(name)
}

/** The same, of what the store answers. */
export function pageBody<T, B>(
  { items, total }: ListPage<T>,
  { page, page_size }: { readonly page: number; readonly page_size: number },
  body: (item: T) => B,
): { items: B[]; total: number; page: number; page_size: number; pages: number } {
  return { items: items.map(body), total, page, page_size, pages: Math.ceil(total / page_size) }
}
