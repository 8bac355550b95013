import * as z from 'zod'

/** A whole number that stands in an address, as its digits. */
export function wholeNumber(
  min: number,
  max: number,
): z.ZodType<number> & { exactOptional(): z.ZodExactOptional<z.ZodType<number>> } {
  const expected = `an integer from ${min} to ${max}`
  const digits = z.string().regex(/^(?:0|[1-9]\d{0,14})$/, expected)
  return digits.transform(Number).pipe(z.int().min(min, expected).max(max, expected))
}
