import { HoldfastError } from './errors.js'

/** Nesting that fits a frame, less the command around the data. */
const DEPTH_MAX = 31

/** A surrogate without its partner: such text has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** An object inside the data: as it was handed over, as it travels, and where it stands. */
interface Place {
  readonly value: unknown
  readonly plain: unknown
  readonly path: string
}

type Fail = (problem: string) => never

/**
 * The JSON text of what an application hands over, by the rule of `encodeData` in the protocol, in a third of its code, which a page
 * pays by the byte; a test holds the two together.
 *
 * @throws HoldfastError `unserialisable` with the path to what cannot travel.
 */
export function encode(data: unknown): string {
  /** What stands around the value that is read, the outermost first. */
  const around: Place[] = []
  function replace(this: Record<string, unknown>, name: string, value: unknown): unknown {
    while (around.length > 0 && around.at(-1)!.plain !== this) around.pop()
    const outer = around.at(-1)
    const path = outer ? outer.path + (Array.isArray(this) ? `[${name}]` : `.${name}`) : 'data'
    const fail: Fail = (problem) => refuse(`${path} must ${problem}`)
    const plain = plainOf(this[name], value, fail)
    if (isLone(name) || isLone(plain)) fail('not hold a lone surrogate')
    if (typeof plain !== 'object' || plain === null) return plain
    if (around.some((place) => place.value === value)) fail('not contain itself')
    if (around.push({ value, plain, path }) > DEPTH_MAX) fail(`not be nested deeper than ${DEPTH_MAX}`)
    return plain
  }
  try {
    return JSON.stringify(data, replace) ?? 'null'
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    return refuse(`data could not be read: ${String(cause)}`, cause)
  }
}

function isLone(text: unknown): boolean {
  return typeof text === 'string' && LONE_SURROGATE.test(text)
}

/** What stands for a value in JSON. `raw` is what it was before its `toJSON`, which may give something that has one as well. */
function plainOf(raw: unknown, value: unknown, fail: Fail): unknown {
  if (raw instanceof Date && Number.isNaN(raw.getTime())) fail('be a valid date')
  if (typeof value === 'number' && !Number.isFinite(value)) fail('be a finite number')
  if (typeof value === 'bigint' || value instanceof BigInt) return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value !== raw && 'toJSON' in value && typeof value.toJSON === 'function')
    return plainOf(value, (value as { toJSON(key: string): unknown }).toJSON(''), fail)
  if (value instanceof Set) return [...value]
  if (value instanceof Error)
    return { name: value.name, message: value.message, code: (value as { code?: unknown }).code }
  if (!(value instanceof Map)) return value
  const entries = [...(value as Map<unknown, unknown>)]
  return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : entries
}

function refuse(message: string, cause?: unknown): never {
  throw new HoldfastError('unserialisable', message, { cause })
}
