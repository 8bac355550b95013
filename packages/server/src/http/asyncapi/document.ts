import {
  CLOSE,
  COMMANDS,
  ERRORS,
  type JsonSchema,
  OPERATION_EVENTS,
  SERVER_MESSAGES,
  type Schema,
  operationSnapshot,
} from '@holdfast/protocol'
import { VERSION } from '../../version.js'
import { COMMAND_DESCRIPTIONS, MESSAGE_DESCRIPTIONS, OVERVIEW } from './descriptions.js'

/** Where the WebSocket is that a document describes. */
export interface AsyncApiPlace {
  /** Name and port, without a scheme (default `localhost:8000`). */
  readonly host?: string
  /** Whether it is reached through TLS (default false). */
  readonly secure?: boolean
  /** Where the WebSocket is (default `/ws`). */
  readonly path?: string
}

/** An AsyncAPI document: a plain object that can be written as JSON. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0'
  readonly [member: string]: unknown
}

interface Reference {
  readonly $ref: string
}

/** The WebSocket side as AsyncAPI 3.0, made of the schemas that the server checks commands with. */
export function asyncApiDocument(place: AsyncApiPlace = {}): AsyncApiDocument {
  const { host = 'localhost:8000', secure = false, path = '/ws' } = place
  return {
    asyncapi: '3.0.0',
    info: { title: 'Holdfast', version: VERSION, description: OVERVIEW, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    servers: {
      node: {
        host,
        protocol: secure ? 'wss' : 'ws',
        protocolVersion: 'holdfast.v1+json',
        description: 'A node. Any other of the same cluster does as well, also for a session that began here.',
        security: [{ $ref: '#/components/securitySchemes/bearer' }, { $ref: '#/components/securitySchemes/address' }],
      },
    },
    channels: channels(path),
    operations: { ...received(), ...sent() },
    components: { messages: messages(), schemas: schemas(), securitySchemes: SECURITY_SCHEMES },
    'x-close-reasons': Object.values(CLOSE),
    'x-errors': ERRORS,
  }
}

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A token or an API key, in the header of the upgrade. A page puts its token into `hello` instead.',
  },
  address: {
    type: 'httpApiKey',
    name: 'token',
    in: 'query',
    description: 'A token in the address, where the server allows it: outside production by default.',
  },
}

const COMMAND_NAMES = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]
const MESSAGE_NAMES = Object.keys(SERVER_MESSAGES) as (keyof typeof SERVER_MESSAGES)[]

/** A command and a message may have one name: `signal`, `ping`. */
const fromClient = (name: string): string => `client-${name}`
const fromServer = (name: string): string => `server-${name}`
const OPERATION_EVENT = 'operation-event'

function channels(path: string): object {
  const everything = Object.keys(messages())
  return {
    connection: {
      address: path,
      title: 'A connection',
      description: 'Subscribes with `?channel=` at once, which makes a connection readable with one line of a shell.',
      messages: namesToReferences(everything.filter((name) => name !== OPERATION_EVENT)),
      bindings: { ws: { method: 'GET', query: QUERY, bindingVersion: '0.1.0' } },
    },
    operation: {
      address: `${path.replace(/\/$/, '')}/operations/{operation}`,
      title: 'One operation',
      description: 'Ends with 1000 `Operation completed` after the last event of the operation.',
      parameters: { operation: { description: 'The id of the operation', examples: ['import-42'] } },
      messages: namesToReferences(everything),
    },
  }
}

const QUERY = {
  type: 'object',
  properties: {
    token: { type: 'string', description: 'A credential, where the server reads it from here' },
    channel: { type: 'string', description: 'A channel to subscribe to' },
  },
}

function namesToReferences(names: readonly string[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]))
}

const CONNECTION: Reference = { $ref: '#/channels/connection' }
const inConnection = (name: string): Reference => ({ $ref: `#/channels/connection/messages/${name}` })

function received(): object {
  return Object.fromEntries(
    COMMAND_NAMES.map((name) => [
      `receive-${name}`,
      {
        action: 'receive',
        channel: CONNECTION,
        summary: COMMAND_DESCRIPTIONS[name].summary,
        messages: [inConnection(fromClient(name))],
        reply: {
          channel: CONNECTION,
          messages: COMMAND_DESCRIPTIONS[name].answers.map((answer) => inConnection(fromServer(answer))),
        },
      },
    ]),
  )
}

function sent(): object {
  const ordinary = MESSAGE_NAMES.map((name): [string, object] => [
    `send-${name}`,
    {
      action: 'send',
      channel: CONNECTION,
      summary: MESSAGE_DESCRIPTIONS[name],
      messages: [inConnection(fromServer(name))],
    },
  ])
  const event = {
    action: 'send',
    channel: { $ref: '#/channels/operation' },
    summary: OPERATION_EVENT_SUMMARY,
    messages: [{ $ref: `#/channels/operation/messages/${OPERATION_EVENT}` }],
  }
  return { ...Object.fromEntries(ordinary), [`send-${OPERATION_EVENT}`]: event }
}

const OPERATION_EVENT_SUMMARY = 'An event of an operation, with its whole snapshot'

function messages(): Record<string, object> {
  const commands = COMMAND_NAMES.map((name) => entry(fromClient(name), name, COMMAND_DESCRIPTIONS[name].summary))
  const answers = MESSAGE_NAMES.map((name) => entry(fromServer(name), name, MESSAGE_DESCRIPTIONS[name]))
  return Object.fromEntries([...commands, ...answers, entry(OPERATION_EVENT, 'message', OPERATION_EVENT_SUMMARY)])
}

function entry(key: string, name: string, summary: string): [string, object] {
  return [key, { name, summary, payload: { $ref: `#/components/schemas/${key}` } }]
}

function schemas(): Record<string, JsonSchema> {
  return {
    ...toJsonSchemas(COMMANDS, fromClient),
    ...toJsonSchemas(SERVER_MESSAGES, fromServer),
    'operation-snapshot': operationSnapshot.toJsonSchema(),
    [OPERATION_EVENT]: {
      allOf: [
        { $ref: `#/components/schemas/${fromServer('message')}` },
        {
          type: 'object',
          properties: {
            event: { enum: [...OPERATION_EVENTS] },
            data: { $ref: '#/components/schemas/operation-snapshot' },
          },
        },
      ],
    },
  }
}

function toJsonSchemas(
  table: Readonly<Record<string, Schema<unknown>>>,
  keyOf: (name: string) => string,
): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(table).map(([name, schema]) => [keyOf(name), schema.toJsonSchema()]))
}
