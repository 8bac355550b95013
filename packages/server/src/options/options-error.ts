import type * as z from 'zod'

/** Thrown by `createHoldfast` for options that are not valid; the message names option, expectation and value received. */
export class OptionsError extends Error {
  readonly code = 'invalid_options'

  constructor(message: string) {
    super(message)
    this.name = 'OptionsError'
  }
}

/** What is wrong with options that a schema refuses: the first of it, in one sentence. */
export function describeFirst(error: z.ZodError, options: unknown): string {
  const [issue] = error.issues
  if (issue === undefined) return 'the options are not valid'
  const path = issue.path.map((part, index) => (index === 0 ? String(part) : `.${String(part)}`)).join('') || 'options'
  if (issue.code === 'unrecognized_keys')
    return `${path} has no option ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
  const received: unknown = issue.path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
    options,
  )
  return `${path} must be ${issue.message}, received ${issue.path.includes('secret') || issue.path.includes('auth') ? typeof received : show(received)}`
}

/** A value as an error message names it: never throws, never long. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
