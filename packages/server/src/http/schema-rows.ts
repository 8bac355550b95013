import type { JsonSchema } from '@holdfast/protocol'

/** One member of a schema, as a line of a table. */
export interface SchemaRow {
  /** `metadata`, `items[].id`. */
  readonly name: string
  readonly isRequired: boolean
  /** In words: `text`, `a whole number from 1 to 100`. */
  readonly kind: string
  /** The named schema that it is, or has in it. */
  readonly refersTo: string | undefined
  readonly description: string
}

/** How deep members of members are listed; what is deeper is described by its kind alone. */
const DEPTH_MAX = 4

/** The members of a schema, those of its members below them. */
export function rowsOf(schema: JsonSchema, prefix: string = '', depth: number = 0): readonly SchemaRow[] {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, JsonSchema>; required?: string[] }
  return Object.entries(properties).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    const row = {
      name: path,
      isRequired: required.includes(name),
      kind: kindOf(member),
      refersTo: referenceOf(member),
      description: textOf(member, 'description') ?? '',
    }
    const { items } = member as { items?: JsonSchema }
    const [inner, innerPath] = items === undefined ? [member, path] : [items, `${path}[]`]
    return [row, ...(depth < DEPTH_MAX ? rowsOf(inner, innerPath, depth + 1) : [])]
  })
}

/** What values of a schema are, in a few words. */
export function kindOf(schema: JsonSchema): string {
  const reference = referenceOf(schema)
  const { enum: choices, const: only, anyOf, oneOf, items } = schema as Record<string, unknown> & { items?: JsonSchema }
  if (reference !== undefined && items === undefined) return reference
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(choices)) return choices.map((choice) => JSON.stringify(choice)).join(' or ')
  const either = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined
  if (either !== undefined) return [...new Set(either.map(kindOf))].join(' or ')
  if (items !== undefined) return `list of ${kindOf(items)}${boundsOf(schema, 'minItems', 'maxItems')}`
  return plainKindOf(schema)
}

function plainKindOf(schema: JsonSchema): string {
  switch (schema['type']) {
    case 'string':
      return schema['format'] === 'date-time' ? 'time' : `text${boundsOf(schema, 'minLength', 'maxLength')}`
    case 'integer':
      return `whole number${boundsOf(schema, 'minimum', 'maximum')}`
    case 'number':
      return `number${boundsOf(schema, 'minimum', 'maximum')}`
    case 'boolean':
      return 'true or false'
    case 'object':
      return 'object'
    case 'null':
      return 'null'
    default:
      return 'any JSON'
  }
}

function boundsOf(schema: JsonSchema, least: string, most: string): string {
  const [min, max] = [numberOf(schema, least), numberOf(schema, most)]
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`
  if (max !== undefined) return `, at most ${max}`
  return min === undefined || min === 0 ? '' : `, at least ${min}`
}

/** The largest whole number there is bounds nothing that a reader could think of. */
function numberOf(schema: JsonSchema, keyword: string): number | undefined {
  const bound = schema[keyword]
  return typeof bound === 'number' && bound !== Number.MAX_SAFE_INTEGER ? bound : undefined
}

function referenceOf(schema: JsonSchema): string | undefined {
  const { items } = schema as { items?: JsonSchema }
  return textOf(items ?? schema, '$ref')
    ?.split('/')
    .at(-1)
}

/** A keyword of a schema that is text. */
export function textOf(schema: JsonSchema, keyword: string): string | undefined {
  const text = schema[keyword]
  return typeof text === 'string' ? text : undefined
}
