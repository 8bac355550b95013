/**
 * The schema language of the wire contract: one description gives the TypeScript type, the check at run time and the
 * JSON Schema of the documents. It checks in place and copies nothing, because it stands on the way of every command.
 * Its functions are marked as free of side effects, so that a bundle for the browser carries only the schemas it uses.
 */

/** What is wrong with a value: where, what was expected, what came instead. */
export interface Issue {
  readonly path: string
  readonly expected: string
  readonly received: unknown
}

/** A JSON Schema document (draft 2020-12), as a plain object. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A description of values of type `T`. */
export interface Schema<T> {
  /** What is expected, in words that follow "must be". */
  readonly expected: string
  /** True when the member may be absent from an object. */
  readonly optional: boolean
  /** The first thing that is wrong with `value`, or undefined. Never throws. */
  check(value: unknown, path: string): Issue | undefined
  /** The same description as JSON Schema. */
  toJsonSchema(): JsonSchema
  /** Carries the type; never present at run time. */
  readonly _type?: T
}

/** The type that a schema describes. */
export type Infer<S> = S extends Schema<infer T> ? T : never

type Members = Record<string, Schema<unknown>>
type RequiredNames<M extends Members> = {
  [K in keyof M]: M[K] extends OptionalSchema<unknown> ? never : K
}[keyof M]
type ObjectOf<M extends Members> = { [K in RequiredNames<M>]: Infer<M[K]> } & {
  [K in Exclude<keyof M, RequiredNames<M>>]?: Infer<M[K]>
}
type Flat<T> = { [K in keyof T]: T[K] }

/** A schema whose member may be absent. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly optional: true
}

/** The issue as a sentence that names the field, the expectation and the value received. */
export function describeIssue(issue: Issue): string {
  return `${issue.path || 'message'} must be ${issue.expected}, received ${preview(issue.received)}`
}

function preview(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function leaf<T>(expected: string, holds: (value: unknown) => boolean, json: JsonSchema): Schema<T> {
  return {
    expected,
    optional: false,
    check: (value, path) => (holds(value) ? undefined : { path, expected, received: value }),
    toJsonSchema: () => json,
  }
}

/** What text must hold; `secret` keeps the text itself out of what is said about it. */
export interface TextOptions {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
  readonly expected?: string
  readonly secret?: boolean
}

/** Text of `min` to `max` UTF-16 units (default 0 to 65536), matching `pattern` if given. */
/* @__NO_SIDE_EFFECTS__ */
export function text(options: TextOptions = {}): Schema<string> {
  const { min = 0, max = 65536, pattern } = options
  const expected =
    options.expected ?? (pattern ? `text matching ${pattern.source}` : `text of ${min} to ${max} characters`)
  const holds = (value: unknown): boolean =>
    typeof value === 'string' &&
    value.length >= min &&
    value.length <= max &&
    (pattern === undefined || pattern.test(value))
  const bounds = { minLength: min, maxLength: max, ...(pattern && { pattern: pattern.source }) }
  const schema = leaf<string>(expected, holds, { type: 'string', ...bounds })
  return options.secret ? { ...schema, check: (value, path) => hidden(schema.check(value, path)) } : schema
}

function hidden(issue: Issue | undefined): Issue | undefined {
  if (typeof issue?.received !== 'string') return issue
  return { ...issue, received: `(${issue.received.length} characters)` }
}

/** A whole number from `min` to `max` (default 0 to 2^53-1). */
/* @__NO_SIDE_EFFECTS__ */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  const holds = (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
  return leaf(`an integer from ${min} to ${max}`, holds, { type: 'integer', minimum: min, maximum: max })
}

/** A finite number, not below `min` if given. */
/* @__NO_SIDE_EFFECTS__ */
export function number(min: number = -Infinity): Schema<number> {
  const bound = Number.isFinite(min)
  const holds = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= min
  return leaf(bound ? `a number from ${min}` : 'a number', holds, { type: 'number', ...(bound && { minimum: min }) })
}

/** `true` or `false`. */
/* @__NO_SIDE_EFFECTS__ */
export function flag(): Schema<boolean> {
  return leaf('true or false', (value) => typeof value === 'boolean', { type: 'boolean' })
}

/** Exactly this value. */
/* @__NO_SIDE_EFFECTS__ */
export function literal<const T extends string | number | boolean>(only: T): Schema<T> {
  return leaf(JSON.stringify(only), (value) => value === only, { const: only })
}

/** One of these texts. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<const T extends readonly string[]>(values: T): Schema<T[number]> {
  const known = new Set<unknown>(values)
  return leaf(`one of ${values.join(', ')}`, (value) => known.has(value), { enum: [...values] })
}

/** Any JSON value, absent excepted. */
/* @__NO_SIDE_EFFECTS__ */
export function json(): Schema<unknown> {
  return leaf('a JSON value', (value) => value !== undefined, {})
}

/** The value, or `null`. */
/* @__NO_SIDE_EFFECTS__ */
export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return {
    expected: `${inner.expected} or null`,
    optional: false,
    check: (value, path) => (value === null ? undefined : inner.check(value, path)),
    toJsonSchema: () => ({ anyOf: [inner.toJsonSchema(), { type: 'null' }] }),
  }
}

/** The first of these that holds; the issue reported is that of the whole choice. */
/* @__NO_SIDE_EFFECTS__ */
export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  const expected = `${first.expected} or ${second.expected}`
  return {
    expected,
    optional: false,
    check: (value, path) =>
      first.check(value, path) && second.check(value, path) ? { path, expected, received: value } : undefined,
    toJsonSchema: () => ({ anyOf: [first.toJsonSchema(), second.toJsonSchema()] }),
  }
}

/** A member that may be absent. */
/* @__NO_SIDE_EFFECTS__ */
export function optional<T>(inner: Schema<T>): OptionalSchema<T> {
  return {
    ...inner,
    optional: true,
    check: (value, path) => (value === undefined ? undefined : inner.check(value, path)),
  }
}

/** An array of at most `max` items. */
/* @__NO_SIDE_EFFECTS__ */
export function array<T>(item: Schema<T>, max: number): Schema<T[]> {
  const expected = `an array of at most ${max} items`
  return {
    expected,
    optional: false,
    check(value, path) {
      if (!Array.isArray(value) || value.length > max) return { path, expected, received: value }
      for (let index = 0; index < value.length; index += 1) {
        const issue = item.check(value[index], `${path}[${index}]`)
        if (issue) return issue
      }
      return undefined
    },
    toJsonSchema: () => ({ type: 'array', items: item.toJsonSchema(), maxItems: max }),
  }
}

/** An object with free member names, at most `max` of them. */
/* @__NO_SIDE_EFFECTS__ */
export function record<T>(item: Schema<T>, max: number, name?: Schema<string>): Schema<Record<string, T>> {
  const expected = `an object of at most ${max} members`
  return {
    expected,
    optional: false,
    check(value, path) {
      if (!isPlainObject(value)) return { path, expected, received: value }
      const names = Object.keys(value)
      if (names.length > max) return { path, expected, received: value }
      for (const key of names) {
        const issue = name?.check(key, `${path} (a member name)`) ?? item.check(value[key], `${path}.${key}`)
        if (issue) return issue
      }
      return undefined
    },
    toJsonSchema: () => ({
      type: 'object',
      additionalProperties: item.toJsonSchema(),
      maxProperties: max,
      ...(name && { propertyNames: name.toJsonSchema() }),
    }),
  }
}

/** An object with these members; others are ignored. */
/* @__NO_SIDE_EFFECTS__ */
export function object<M extends Members>(members: M): Schema<Flat<ObjectOf<M>>> {
  const entries = Object.entries(members)
  return {
    expected: 'an object',
    optional: false,
    check(value, path) {
      if (!isPlainObject(value)) return { path, expected: 'an object', received: value }
      for (let at = 0; at < entries.length; at += 1) {
        const [name, schema] = entries[at] as [string, Schema<unknown>]
        const received = own(value, name)
        if (received === undefined && schema.optional) continue
        const issue = schema.check(received, path ? `${path}.${name}` : name)
        if (issue) return issue
      }
      return undefined
    },
    toJsonSchema: () => ({
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, schema]) => [name, schema.toJsonSchema()])),
      required: entries.filter(([, schema]) => !schema.optional).map(([name]) => name),
    }),
  }
}

/** The member, unless it comes from a prototype. */
function own(value: Record<string, unknown>, name: string): unknown {
  const received = value[name]
  return received === undefined || Object.hasOwn(value, name) ? received : undefined
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
