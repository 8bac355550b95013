import type * as z from 'zod'
import { ApiRefusal, type HttpErrorCode } from './api-error.js'

/** What the bounds of text and lists count. */
const UNITS: Partial<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
}

/** What a value is a part of, for messages. */
type Place = 'body' | 'query' | 'path'

/** How whole numbers and kinds are called in messages. */
const KINDS: Partial<Record<string, string>> = { int: 'an integer', object: 'an object', array: 'a list' }

/**
 * The value that a schema makes of what came.
 *
 * @throws ApiRefusal `bad_request` naming the first member that is wrong, or what it is `code` for.
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, place: Place): T {
  const result = schema.safeParse(value, { error: (issue) => expectation(issue as RawIssue) })
  if (result.success) return result.data
  // Members that nobody knows first: what is missing is often there under another name.
  const issue = result.error.issues.find(({ code }) => code === 'unrecognized_keys') ?? result.error.issues[0]
  throw refusal(issue, place)
}

/** The same for names in the path, where what cannot name anything names nothing. */
export function checkedPath<T>(schema: z.ZodType<T>, params: Readonly<Record<string, string>>): T {
  try {
    return checked(schema, params, 'path')
  } catch (error) {
    const { message, options } = error as ApiRefusal
    if (options.field !== 'channel') throw new ApiRefusal('not_found', 'Not found')
    throw new ApiRefusal('invalid_channel', message, options)
  }
}

interface RawIssue {
  readonly code: string
  readonly expected?: string
  readonly input?: unknown
  readonly origin?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly values?: readonly unknown[]
}

/** Completes "field …". A schema may say better what the field must be, by a message of its own. */
function expectation({ code, input, expected = '', origin, minimum, maximum, values = [] }: RawIssue): string {
  if (input === undefined && code !== 'unrecognized_keys') return 'is missing'
  if (code === 'invalid_type') return `must be ${KINDS[expected] ?? `a ${expected}`}, received ${kindOf(input)}`
  if (code === 'too_small') return `must be at least ${amount(minimum, origin)}`
  if (code === 'too_big') return `must be at most ${amount(maximum, origin)}`
  if (code === 'invalid_value') return `must be ${values.map((value) => JSON.stringify(value)).join(' or ')}`
  return 'is not valid'
}

function amount(count: number | undefined, origin = ''): string {
  const [one, many] = UNITS[origin] ?? []
  const unit = count === 1 ? one : many
  return unit === undefined ? `${count}` : `${count} ${unit}`
}

function refusal(issue: z.core.$ZodIssue | undefined, place: Place): ApiRefusal {
  const code: HttpErrorCode = 'bad_request'
  if (issue === undefined) return new ApiRefusal(code, `the ${place} is not valid`)
  const path = pathOf(issue.path)
  if (issue.code !== 'unrecognized_keys') {
    const told = /^(?:must be|is) /.test(issue.message) ? issue.message : `must be ${issue.message}`
    const message = `${path === '' ? `the ${place}` : path} ${told}`
    return new ApiRefusal(code, message, { field: path === '' ? undefined : path })
  }
  const name = issue.keys[0] ?? ''
  const field = (path === '' ? name : `${path}.${name}`).slice(0, 128)
  return new ApiRefusal(code, `${field} is not a member of the ${place}`, { field })
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? String(part) : `${text}.${String(part)}`
  }, '')
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
