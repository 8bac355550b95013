import { createHash } from 'node:crypto'
import * as z from 'zod'
import { ApiRefusal } from './api-error.js'
import { wholeNumber } from './whole-number.js'

/** Characters of the longest cursor. */
const CURSOR_LENGTH_MAX = 1_024

/** Characters of the part that tells whether a cursor is one of ours, and of this list. */
const CHECK_LENGTH = 11

/** `limit` and `cursor` of a list. */
export const pageShape: { limit: z.ZodType<number>; cursor: z.ZodOptional<z.ZodString> } = {
  limit: wholeNumber(1, 100).default(50).describe('Items of a page, from 1 to 100'),
  cursor: z.string().max(CURSOR_LENGTH_MAX).optional().describe('The `next` of the page before'),
}

/** Where a list goes on behind `name`: opaque, and good for this list alone. `list` says which: tenant, kind, filters. */
export function cursorOf(list: readonly string[], name: string): string {
  return `${checkOf(list, name)}${Buffer.from(name).toString('base64url')}`
}

/** What a cursor names; empty where there is none. @throws ApiRefusal `bad_request` for one that is not of this list. */
export function nameOf(list: readonly string[], cursor: string | undefined): string {
  if (cursor === undefined) return ''
  const name = Buffer.from(cursor.slice(CHECK_LENGTH), 'base64url').toString()
  if (cursor.length <= CURSOR_LENGTH_MAX && cursorOf(list, name) === cursor) return name
  throw new ApiRefusal('bad_request', 'cursor must be the next of a page of this list', { field: 'cursor' })
}

function checkOf(list: readonly string[], name: string): string {
  return createHash('sha256')
    .update(JSON.stringify([...list, name]))
    .digest('base64url')
    .slice(0, CHECK_LENGTH)
}
