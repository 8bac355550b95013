import { z } from 'zod'
import { settingsSchema } from '../planning/settings.js'

type Node = z.core.JSONSchema.BaseSchema

/** The schema of the settings as data: bounds, defaults, choices. */
const root: Node = z.toJSONSchema(settingsSchema, { io: 'input' })

/** Whether a setting is a text: then `12` is one, too. */
export function settingIsText(path: string): boolean {
  return nodeAt(path.split('.'))?.type === 'string'
}

/** What must stand at a path of the settings, in words: `a whole number from 1 to 10`. Undefined: the schema has no words for it. */
export function expectationAt(path: readonly PropertyKey[]): string | undefined {
  const node = nodeAt(path)
  return node === undefined ? undefined : inWords(node)
}

function nodeAt(path: readonly PropertyKey[]): Node | undefined {
  return path.reduce<Node | undefined>((node, segment) => {
    const next = typeof segment === 'number' ? node?.items : memberOf(node, String(segment))
    return typeof next === 'object' && !Array.isArray(next) ? (next as Node) : undefined
  }, root)
}

function memberOf(node: Node | undefined, name: string): unknown {
  const { properties = {}, additionalProperties } = node ?? {}
  return Object.hasOwn(properties, name) ? properties[name] : additionalProperties
}

function inWords(node: Node): string | undefined {
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
  if (node.type === 'integer') return `a whole number ${range(node)}`
  if (node.type === 'number') return `a number ${range(node)}`
  if (node.type === 'boolean') return 'true or false'
  if (node.type === 'array') return `a list${counted(node.minItems, node.maxItems, 'items')}`
  if (node.type === 'object') return 'a mapping'
  return node.pattern === undefined ? `a text${counted(node.minLength, node.maxLength, 'characters')}` : undefined
}

function range({ minimum, exclusiveMinimum, maximum }: Node): string {
  if (exclusiveMinimum !== undefined) return `above ${exclusiveMinimum}, at most ${maximum}`
  return `from ${minimum} to ${maximum}`
}

function counted(min: number | undefined, max: number | undefined, unit: string): string {
  if (min === undefined && max === undefined) return ''
  if (max === undefined) return ` of at least ${min} ${unit}`
  return min === undefined ? ` of at most ${max} ${unit}` : ` of ${min} to ${max} ${unit}`
}
