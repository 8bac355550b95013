import { DEFAULT_FRAME_LIMITS } from './limits.js'

/** A value that cannot travel as `data`. `code` is `unserialisable`; `path` names the place inside the value. */
export class UnserialisableError extends Error {
  readonly code = 'unserialisable'
  readonly path: string

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path} ${problem}`, options)
    this.name = 'UnserialisableError'
    this.path = path
  }
}

/** Nesting beyond which a value is refused: what a frame may hold, less the command or message around the data. */
export const DATA_DEPTH_MAX: number = DEFAULT_FRAME_LIMITS.jsonDepthMax - 1

/**
 * Encodes a value as the JSON text that travels as `data`. `toJSON` first; dates as ISO strings; a `Map` with string keys as
 * an object (an empty one too), any other as pairs; a `Set` as an array; a `bigint` as a string; an `Error` as
 * `{name, message, code?}`; `undefined`, functions and symbols are left out (`null` inside arrays and at the top).
 *
 * @throws UnserialisableError for circular values, lone surrogates, numbers that are not finite, dates that are not valid, values
 * whose `toJSON` or accessor throws, and nesting over `DATA_DEPTH_MAX`.
 */
export function encodeData(value: unknown): string {
  return encodePlain(value) ?? JSON.stringify(plain(value, 'data', [])) ?? 'null'
}

/** The text when `JSON.stringify` alone follows the rule: the usual case, several times cheaper. */
function encodePlain(value: unknown): string | undefined {
  try {
    if (!isPlain(value, 0)) return undefined
    const text = JSON.stringify(value)
    // JSON.stringify writes a lone surrogate as an escape that begins so. Text that merely looks like one only costs time.
    return text.includes('\\ud') ? undefined : text
  } catch {
    return undefined
  }
}

/** Whether nothing in `value` needs more than `JSON.stringify`. A circular value ends at the depth limit, on the first path to it. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'bigint' || typeof value === 'function') return false
  if (typeof value !== 'object' || value === null) return true
  if (depth >= DATA_DEPTH_MAX || 'toJSON' in value) return false
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  const members = value as Record<string, unknown>
  return Object.keys(members).every((name) => isPlain(members[name], depth + 1))
}

function plain(value: unknown, path: string, ancestors: object[]): unknown {
  switch (typeof value) {
    case 'string':
      return wellFormed(value, path)
    case 'number':
      if (!Number.isFinite(value)) throw new UnserialisableError(path, 'must be a finite number')
      return value
    case 'bigint':
      return value.toString()
    case 'object':
      return value === null ? null : plainObject(value, path, ancestors)
    case 'boolean':
      return value
    default:
      return undefined
  }
}

function plainObject(value: object, path: string, ancestors: object[]): unknown {
  if (ancestors.includes(value)) throw new UnserialisableError(path, 'must not contain itself')
  if (ancestors.length >= DATA_DEPTH_MAX) {
    throw new UnserialisableError(path, `must not be nested deeper than ${DATA_DEPTH_MAX}`)
  }
  try {
    return plainParts(value, path, [...ancestors, value])
  } catch (error) {
    if (error instanceof UnserialisableError) throw error
    throw new UnserialisableError(path, `could not be read: ${String(error)}`, { cause: error })
  }
}

function plainParts(value: object, path: string, inside: object[]): unknown {
  const toJSON: unknown = 'toJSON' in value ? value.toJSON : undefined
  if (typeof toJSON === 'function') return plainReplacement(value, toJSON as ToJson, path, inside)
  if (value instanceof Error) return plainMembers(errorMembers(value), path, inside)
  if (value instanceof Map) return plainMap(value, path, inside)
  if (value instanceof Set || Array.isArray(value)) return plainItems(value, path, inside)
  return isBoxed(value) ? plain(value.valueOf(), path, inside) : plainMembers(Object.entries(value), path, inside)
}

type ToJson = (this: object, key: string) => unknown

function plainReplacement(value: object, toJSON: ToJson, path: string, inside: object[]): unknown {
  if (value instanceof Date && Number.isNaN(value.getTime()))
    throw new UnserialisableError(path, 'must be a valid date')
  const replaced: unknown = toJSON.call(value, '')
  // An object that returns itself means its members; it is not asked again.
  return replaced === value ? plainMembers(Object.entries(value), path, inside) : plain(replaced, path, inside)
}

/** `new String('x')` and its kin, which mean the value inside. */
function isBoxed(value: object): boolean {
  const tag = Object.prototype.toString.call(value)
  // Any object may call itself a String; a real one has something else inside.
  return /^\[object (?:String|Number|Boolean|BigInt)\]$/.test(tag) && typeof value.valueOf() !== 'object'
}

function errorMembers(error: Error): [string, unknown][] {
  const code = 'code' in error ? error.code : undefined
  return Object.entries({ name: error.name, message: error.message, code })
}

function plainMap(map: Map<unknown, unknown>, path: string, inside: object[]): unknown {
  const entries = [...map]
  const named = entries.every((entry): entry is [string, unknown] => typeof entry[0] === 'string')
  return named ? plainMembers(entries, path, inside) : plainItems(entries, path, inside)
}

function plainItems(items: Iterable<unknown>, path: string, inside: object[]): unknown[] {
  return Array.from(items, (item, index) => plain(item, `${path}[${index}]`, inside) ?? null)
}

function plainMembers(entries: [string, unknown][], path: string, inside: object[]): Record<string, unknown> {
  // Without a prototype, a member named __proto__ is a member like any other.
  const members = Object.create(null) as Record<string, unknown>
  for (const [name, item] of entries) {
    const encoded = plain(item, pathTo(path, name), inside)
    if (encoded !== undefined) members[wellFormed(name, path)] = encoded
  }
  return members
}

function pathTo(path: string, name: string): string {
  return /^[\w$-]{1,64}$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name.slice(0, 64))}]`
}

/** A surrogate without its partner: such text has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u

function wellFormed(value: string, path: string): string {
  if (LONE_SURROGATE.test(value)) throw new UnserialisableError(path, 'must not hold a lone surrogate')
  return value
}
