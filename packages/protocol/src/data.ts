/** A value that cannot travel as `data`. `code` is `unserialisable`; `path` names the place inside the value. */
export class UnserialisableError extends Error {
  readonly code = 'unserialisable'
  readonly path: string

  constructor(path: string, problem: string) {
    super(`${path} ${problem}`)
    this.name = 'UnserialisableError'
    this.path = path
  }
}

/** Nesting beyond which a value is refused; the same bound holds for frames. */
const DEPTH_MAX = 32

/**
 * Encodes a value as the JSON text that travels as `data`. `toJSON` first; dates as ISO strings; a `Map` with string keys as
 * an object, any other as pairs; a `Set` as an array; a `bigint` as a string; an `Error` as `{name, message, code?}`;
 * `undefined`, functions and symbols are left out (`null` inside arrays and at the top).
 *
 * @throws UnserialisableError for circular values, lone surrogates, numbers that are not finite, and nesting over 32.
 */
export function encodeData(value: unknown): string {
  return JSON.stringify(plain(value, 'data', [])) ?? 'null'
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
  if (ancestors.length >= DEPTH_MAX) throw new UnserialisableError(path, `must not be nested deeper than ${DEPTH_MAX}`)
  const inside = [...ancestors, value]
  const toJSON = (value as { toJSON?: unknown }).toJSON
  if (typeof toJSON === 'function') {
    if (value instanceof Date && Number.isNaN(value.getTime()))
      throw new UnserialisableError(path, 'must be a valid date')
    const replaced: unknown = toJSON.call(value, '')
    return plain(replaced === value ? { ...value, toJSON: undefined } : replaced, path, inside)
  }
  if (value instanceof Error) return plainMembers(Object.entries(errorMembers(value)), path, inside)
  if (value instanceof Map) return plainMap(value, path, inside)
  if (value instanceof Set || Array.isArray(value)) return plainItems(value, path, inside)
  if (value instanceof String || value instanceof Number || value instanceof Boolean)
    return plain(value.valueOf(), path, inside)
  return plainMembers(Object.entries(value), path, inside)
}

function errorMembers(error: Error): Record<string, unknown> {
  const { name, message } = error
  const code = (error as { code?: unknown }).code
  return code === undefined ? { name, message } : { name, message, code }
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
    const encoded = plain(item, `${path}.${name}`, inside)
    if (encoded !== undefined) members[wellFormed(name, path)] = encoded
  }
  return members
}

/** A surrogate without its partner: such text has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u

function wellFormed(value: string, path: string): string {
  if (LONE_SURROGATE.test(value)) throw new UnserialisableError(path, 'must not hold a lone surrogate')
  return value
}
