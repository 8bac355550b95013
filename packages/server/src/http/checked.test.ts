import { expect, it } from 'vitest'
import * as z from 'zod'
import { checked } from './checked.js'

const schema = z.strictObject({
  name: z.string().min(1).max(3).optional(),
  total: z.number().min(0).optional(),
  users: z.array(z.string()).min(1).max(2).optional(),
})

it.each([
  [{ name: '' }, 'name must be at least 1 character'],
  [{ name: 'abcd' }, 'name must be at most 3 characters'],
  [{ total: -1 }, 'total must be at least 0'],
  [{ total: 'many' }, 'total must be a number, received a string'],
  [{ users: [] }, 'users must be at least 1 entry'],
  [{ users: ['a', 'b', 'c'] }, 'users must be at most 2 entries'],
  [{ totl: 1 }, 'totl is not a member of the body'],
])('says of %j what it must be', (body, message) => {
  expect(() => checked(schema, body, 'body')).toThrow(new RegExp(`^${message}$`))
})
