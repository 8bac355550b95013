import { HoldfastError } from './errors.js'

/** Nesting that fits a frame, less the command around the data. */
const DEPTH_MAX = 31

/** A surrogate without its partner: such text has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Where an object stands inside the data. */
interface Place {
  readonly value: unknown
  readonly path: string
  readonly around: Place | undefined
}

type Fail = (problem: string) => never

/**
 * The JSON text of what an application hands over, by the rule of `encodeData` in the protocol, in a third of its code, which a page
 * pays by the byte; a test holds the two together.
 *
 * @throws HoldfastError `unserialisable` with the path to what cannot travel.
 */
export function encode(data: unknown): string {
  const places = new Map<unknown, Place>()
  function replace(this: Record<string, unknown>, name: string, value: unknown): unknown {
    const around = places.get(this)
    const path = around ? around.path + (Array.isArray(this) ? `[${name}]` : `.${name}`) : 'data'
    const fail: Fail = (problem) => refuse(`${path} must ${problem}`)
    const plain = plainOf(this[name], value, fail)
    if (isLone(name) || isLone(plain)) fail('not hold a lone surrogate')
    if (typeof plain !== 'object' || plain === null) return plain
    let depth = 1
    for (let outer = around; outer; outer = outer.around) {
      if (outer.value === value) fail('not contain itself')
      depth += 1
    }
    if (depth > DEPTH_MAX) fail(`not be nested deeper than ${DEPTH_MAX}`)
    places.set(plain, { value, path, around })
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
