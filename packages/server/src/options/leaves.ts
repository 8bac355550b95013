import * as z from 'zod'
import { durationMs } from '../duration.js'
import { OptionsError } from './options-error.js'

/** Options as a schema hands them over: each there, undefined, or left out. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined }

// Leaves of the schema of the options. The message of each completes "must be".

/** A whole number within bounds, or nothing. */
export function whole(min: number, max: number): z.ZodOptional<z.ZodType<number>> {
  const expected = `an integer from ${min} to ${max}`
  const holds = (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
  return z.custom<number>(holds, expected).optional()
}

/** Text of a form, or nothing; `expected` says which. */
export function word(expected: string, pattern: RegExp): z.ZodOptional<z.ZodType<string>> {
  return z.custom<string>((value) => typeof value === 'string' && pattern.test(value), expected).optional()
}

/** Milliseconds, or text such as `5m`. */
export const duration: z.ZodType<number | string> = z.custom<number | string>(
  (value) => durationMs(value as string) !== undefined,
  'milliseconds or text such as 30s, 5m, 1h or 7d',
)

/** The milliseconds of a duration. @throws OptionsError when it is none. */
export function requireDuration(duration: number | string): number {
  const ms = durationMs(duration)
  if (ms === undefined)
    throw new OptionsError(
      `a duration must be milliseconds or text such as 30s, 5m, 1h or 7d, received ${JSON.stringify(duration)}`,
    )
  return ms
}

/** Whether a value is a function. */
export function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
