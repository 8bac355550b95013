import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { COMMANDS, SERVER_MESSAGES } from '@holdfast/protocol'
import { asyncApiDocument, createHoldfast } from '@holdfast/server'
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { beforeAll, describe, expect, it } from 'vitest'

const require = createRequire(import.meta.url)

/** The schema that the AsyncAPI project publishes. Its parts have names of their own, which a second one with the same names would not allow. */
function official(): ValidateFunction {
  const schema = JSON.parse(readFileSync(require.resolve('@asyncapi/specs/schemas/3.0.0.json'), 'utf8')) as object
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false })
  addFormats.default(ajv)
  return ajv.compile(schema)
}

const document = JSON.parse(JSON.stringify(asyncApiDocument())) as Document

interface Document {
  readonly servers: { readonly node: { readonly host: string; readonly protocol: string } }
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: object }>>
  readonly operations: Readonly<Record<string, { readonly action: string }>>
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly messages: object }
}

describe('the AsyncAPI document', () => {
  let validate: ValidateFunction

  beforeAll(() => {
    validate = official()
  })

  it('is what the official schema asks for', () => {
    validate(document)
    expect(validate.errors ?? []).toEqual([])
  })

  it('is refused by that schema when it is wrong', () => {
    expect(validate({ ...document, servers: { node: { host: 'here' } } })).toBe(false)
  })

  it('has references that lead somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '')
    const missing = references.filter((path) => path.split('/').reduce(member, document) === undefined)
    expect([references.length > 0, missing]).toEqual([true, []])
  })

  it('names every command as received, and every message as sent', () => {
    const names = Object.keys(document.operations)
    expect(Object.keys(COMMANDS).filter((name) => !names.includes(`receive-${name}`))).toEqual([])
    expect(Object.keys(SERVER_MESSAGES).filter((name) => !names.includes(`send-${name}`))).toEqual([])
  })

  it('says where a node is', () => {
    const other = asyncApiDocument({ host: 'rt.example.com', secure: true, path: '/live' }) as unknown as Document
    expect(other.servers.node).toMatchObject({ host: 'rt.example.com', protocol: 'wss' })
    expect(Object.values(other.channels).map(({ address }) => address)).toEqual([
      '/live',
      '/live/operations/{operation}',
    ])
  })
})

describe('a node', () => {
  it('hands out the document of its own address to anybody', async () => {
    const auth = { secret: 'a-secret-for-a-node-of-32-bytes!' }
    const node = createHoldfast({ auth, channels: {}, path: '/live' })
    const { host, port } = await node.listen()
    const answer = await fetch(`http://${host}:${port}/api/v1/asyncapi.json`)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      JSON.parse(JSON.stringify(asyncApiDocument({ path: '/live' }))),
    ])
    await node.close()
  })
})

function member(value: unknown, name: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[name]
}

describe('the schemas of the AsyncAPI document', () => {
  const ajv = new Ajv({ strict: false })
  ajv.addSchema({ $id: 'asyncapi', components: document.components })
  const check = (key: string, value: unknown): unknown => {
    const validate = ajv.getSchema(`asyncapi#/components/schemas/${key}`)
    return validate?.(value) === true ? [] : (validate?.errors ?? 'no such schema')
  }

  it('take an event of an operation, and none whose snapshot is not one', () => {
    const at = '2026-01-02T03:04:05.678Z'
    const snapshot = {
      id: 'import-42',
      kind: 'import',
      owner: 'ada',
      tenant: 'acme',
      state: 'running',
      attempt: 1,
      version: 3,
      progress: { done: 1 },
      elapsed: 2,
      updatedAt: at,
    }
    const from = { system: true }
    const event = { type: 'message', channel: 'operation:import-42', id: 'm', event: 'progress', from, at }
    expect(check('operation-event', { ...event, data: snapshot })).toEqual([])
    expect(check('operation-event', { ...event, data: { ...snapshot, state: 'lost' } })).not.toEqual([])
  })

  it.each(Object.entries(COMMANDS))('say of %s what the server checks', (name, schema) => {
    expect(member(document.components.schemas, `client-${name}`)).toEqual(
      JSON.parse(JSON.stringify(schema.toJsonSchema())),
    )
  })

  it.each(validCommands())('take the command of the vectors: $name', ({ command }) => {
    expect(check(`client-${command.type}`, command)).toEqual([])
  })

  it.each(sentMessages())('take the messages of the vectors: $name', ({ messages }) => {
    expect(messages.flatMap((message) => check(`server-${message.type}`, message))).toEqual([])
  })
})

interface Typed {
  readonly type: string
}

function load<T>(name: string): readonly T[] {
  const path = require.resolve(`../../packages/protocol/vectors/${name}.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly cases: readonly T[] }).cases
}

/** What the vectors of the protocol say that a server takes. */
function validCommands(): { readonly name: string; readonly command: Typed }[] {
  const cases = load<{ readonly name: string; readonly decoded: readonly { readonly command?: Typed }[] }>('commands')
  return cases.flatMap(({ name, decoded }) => decoded.flatMap(({ command }) => (command ? [{ name, command }] : [])))
}

function sentMessages(): readonly { readonly name: string; readonly messages: readonly Typed[] }[] {
  return load('server-messages')
}
