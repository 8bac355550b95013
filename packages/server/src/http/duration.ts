import * as z from 'zod'
import { durationMs } from '../duration.js'

const EXPECTED = 'milliseconds or text such as 30s, 5m, 1h or 7d'

/** A duration in a body: milliseconds, or text with a unit. Which are allowed says whoever takes it. */
export const duration: z.ZodType<number | string> = z
  .union([z.int(EXPECTED).min(0, EXPECTED), z.string().regex(/^\d{1,9}(?:ms|s|m|h|d)$/, EXPECTED)], EXPECTED)
  .refine((value) => durationMs(value) !== undefined, 'at most a century: 36525d')
