import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  CHANNEL_NAME_PATTERN,
  channelSegment,
  CLOSE,
  COMMANDS,
  DATA_DEPTH_MAX,
  DEFAULT_FRAME_LIMITS,
  decodeFrame,
  decodeServerFrame,
  encodeData,
  ERRORS,
  type FrameLimits,
  isChannelName,
  isRefusal,
  position,
  type Schema,
  SERVER_MESSAGES,
  since,
} from '@holdfast/protocol'

const pathOf = (name: string): URL => new URL(`../vectors/${name}.json`, import.meta.url)

function load<T>(name: string): T {
  return JSON.parse(readFileSync(pathOf(name), 'utf8')) as T
}

interface CommandCase {
  readonly name: string
  readonly frame: string
  readonly decoded: unknown[]
}

describe('commands.json', () => {
  const { limits, cases } = load<{ limits: FrameLimits; cases: CommandCase[] }>('commands')

  it('assumes the default limits', () => expect(limits).toEqual(DEFAULT_FRAME_LIMITS))

  it('has a case for every command', () => {
    const taken = cases.flatMap(({ decoded }) => decoded as { command?: { type: string } }[])
    expect(new Set(taken.map(({ command }) => command?.type))).toEqual(new Set([...Object.keys(COMMANDS), undefined]))
  })

  it.each(cases)('$name', ({ frame, decoded }) => {
    const found = decodeFrame(frame, limits).map((one) => {
      if (!isRefusal(one)) return one
      const { message, ...refusal } = one
      expect(message).not.toBe('')
      return refusal
    })
    expect(found).toEqual(decoded)
  })
})

describe('server-messages.json', () => {
  const { cases } = load<{ cases: { name: string; frame: string; messages: { type: string }[] }[] }>('server-messages')

  it('has a case for every message', () => {
    const types = cases.flatMap(({ messages }) => messages.map(({ type }) => type))
    expect(new Set(types)).toEqual(new Set(Object.keys(SERVER_MESSAGES)))
  })

  it.each(cases)('$name', ({ frame, messages }) => expect(decodeServerFrame(frame)).toEqual(messages))
})

describe('channel-names.json', () => {
  const { pattern, valid, invalid, segments } = load<{
    pattern: string
    valid: string[]
    invalid: string[]
    segments: { text: string; segment: string }[]
  }>('channel-names')

  it('has our pattern', () => expect(pattern).toBe(CHANNEL_NAME_PATTERN.source))
  it.each(valid)('%j is a channel name', (name) => expect(isChannelName(name)).toBe(true))
  it.each(invalid)('%j is none', (name) => expect(isChannelName(name)).toBe(false))
  it.each(segments)('$text becomes $segment', ({ text, segment }) => expect(channelSegment(text)).toBe(segment))
})

describe('positions.json', () => {
  type Lists = Record<'positions' | 'since', Record<'valid' | 'invalid', string[]>>
  const lists = load<Lists>('positions')
  const holds = (schema: Schema<unknown>, text: string): boolean => schema.check(JSON.parse(text), '') === undefined

  it.each(lists.positions.valid)('%s is a position', (text) => expect(holds(position, text)).toBe(true))
  it.each(lists.positions.invalid)('%s is none', (text) => expect(holds(position, text)).toBe(false))
  it.each(lists.since.valid)('%s is a start', (text) => expect(holds(since, text)).toBe(true))
  it.each(lists.since.invalid)('%s is no start', (text) => expect(holds(since, text)).toBe(false))
})

describe('data.json', () => {
  type Case = { name: string; value: unknown } & ({ text: string } | { refusedAt: string })
  const { depthMax, cases } = load<{ depthMax: number; cases: Case[] }>('data')

  it('assumes our depth', () => expect(depthMax).toBe(DATA_DEPTH_MAX))

  it.each(cases)('$name', (one) => {
    const value = build(one.value)
    if ('text' in one) expect(encodeData(value)).toBe(one.text)
    else
      expect(() => encodeData(value)).toThrow(expect.objectContaining({ code: 'unserialisable', path: one.refusedAt }))
  })
})

/** What each notation of data.json stands for. */
const NOTATION: Record<string, (content: never, root: object) => unknown> = {
  $date: (text: string) => new Date(text),
  $map: (pairs: [unknown, unknown][], root) =>
    new Map(pairs.map(([key, item]) => [build(key, root), build(item, root)])),
  $set: (items: unknown[], root) => new Set(items.map((item) => build(item, root))),
  $bigint: (digits: string) => BigInt(digits),
  $error: (members: object) => Object.assign(new Error('-'), members),
  $undefined: () => undefined,
  $number: (text: string) => Number(text),
  $units: (units: number[]) => String.fromCharCode(...units),
  $root: (_: unknown, root) => root,
}

function build(value: unknown, root?: object): unknown {
  if (typeof value !== 'object' || value === null) return value
  const notation = Object.keys(value).find((name) => Object.hasOwn(NOTATION, name))
  const result: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {}
  const top = root ?? result
  if (notation) return NOTATION[notation]?.(Reflect.get(value, notation) as never, top)
  for (const [name, item] of Object.entries(value)) Object.assign(result, { [name]: build(item, top) })
  return result
}

describe('generated vectors', () => {
  const describeAll = (schemas: Record<string, Schema<unknown>>): unknown =>
    Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, schema.toJsonSchema()]))

  const tables = {
    'close-reasons': Object.entries(CLOSE).map(([name, entry]) => ({ name, ...entry })),
    errors: Object.entries(ERRORS).map(([code, entry]) => ({ code, ...entry })),
    schemas: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      commands: describeAll(COMMANDS),
      messages: describeAll(SERVER_MESSAGES),
    },
  }

  it.each(Object.entries(tables))('%s.json says what the code says', (name, table) => {
    const text = `${JSON.stringify(table, null, 2)}\n`
    if (process.env['UPDATE_VECTORS'] === '1') writeFileSync(pathOf(name), text)
    expect(readFileSync(pathOf(name), 'utf8'), 'UPDATE_VECTORS=1 rewrites it').toBe(text)
  })
})
