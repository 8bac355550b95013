import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { filesUnder, withoutComments } from '../source-tree.js'
import { Battlefield } from './kit/attack.js'
import { AttackedNode, CHANNELS, type Claims, SECRET } from './kit/attacked-node.js'
import { RawSocket } from './kit/raw-socket.js'
import { KEY_PART } from '../../packages/server/src/engine/redis/keys.js'

type Message = Readonly<Record<string, unknown>>

let node: AttackedNode
let field: Battlefield<AttackedNode>

const history = { size: 100, ttl: 50 } as const

beforeAll(async () => {
  node = await AttackedNode.start({
    channels: {
      'neighbour:*': CHANNELS['neighbour:*'] ?? {},
      'room:**': { subscribe: 'grant', publish: 'grant', presence: 'grant', history },
      'open:*': { publish: 'member', presence: true, history },
      'user:{user}': { history },
    },
    // Wrong names are what is sent here, a good many on one connection.
    limits: { errorsMax: 10_000 },
    operations: { completedTtl: '1s' },
  })
  field = await Battlefield.on(node)
})

afterAll(async () => {
  // An operation leaves its owner a feed and a place in lists, which end by age.
  await field.leave({ except: ['streams', 'idempotencyKeys', 'indexes'] })
  await node.close()
})

let addresses = 512

/** An address of its own: of one address the trail tells ten times a second. */
const from = (): { port: number; localAddress: string } => ({
  port: node.port,
  localAddress: `127.1.${(addresses += 1) >> 8}.${addresses & 255}`,
})

/** Sends these in one frame on a connection of its own, and tells what came of each, and everything that came. */
function asking(
  commands: readonly (object | string)[],
  { token = node.token('mallory'), claims }: { token?: string; claims?: Claims } = {},
): Promise<{ answers: Message[]; messages: readonly Message[] }> {
  return field.attack(async () => {
    const socket = await RawSocket.welcomed(from(), claims === undefined ? token : node.token('mallory', claims))
    const answers: Message[] = []
    for (const [id, command] of commands.entries()) {
      socket.say(typeof command === 'string' ? command : { ...command, id })
      answers.push(
        await eventually(`an answer to ${JSON.stringify(command)}`, () =>
          socket.messages.find((one) => one['id'] === id),
        ),
      )
    }
    socket.say({ type: 'ping', id: 'end' })
    await socket.message('pong', { id: 'end' })
    socket.destroy()
    await socket.ended()
    return { answers, messages: socket.messages }
  })
}

/** Everything that a client can want of a channel. */
const wishes = (channel: string): object[] => [
  { type: 'subscribe', channel },
  { type: 'subscribe', channel, presence: true },
  { type: 'subscribe', channel, since: 'newest:10' },
  { type: 'subscribe', channel, since: { epoch: 'x', offset: 0, id: '' } },
  { type: 'publish', channel, data: 1 },
  { type: 'signal', channel, event: 'typing', data: 1 },
  { type: 'history', channel },
  { type: 'presence', channel },
]

/** What every wish about each of these comes to, by name: all on one connection. */
async function askingAbout(names: readonly string[]): Promise<readonly (readonly [name: string, codes: unknown[]])[]> {
  const { answers } = await asking(names.flatMap(wishes))
  const each = wishes('').length
  return names.map((name, at) => [name, codesOf(answers.slice(at * each, (at + 1) * each))])
}

const codesOf = (answers: readonly Message[]): unknown[] => [...new Set(answers.map(({ type, code }) => code ?? type))]

const deniedBy = (user: string): Message[] => node.log.of('authz.denied', { user })

/** What an answer says, whatever it answers. */
const sayingsOf = (answers: readonly Message[]): Message[] =>
  answers.map(({ id: _id, channel: _channel, ...saying }) => saying)

describe('a command that is none', () => {
  it('T-070 is not taken for another, however alike the names', async () => {
    const types = [
      ...['Subscribe', 'SUBSCRIBE', 'subscribe ', 'subscribe/x', '/meta/subscribe', 'subscribe\u0000', 'a.subscribe'],
      ...['constructor', '__proto__', 'toString', 'batch', 'join', 'welcome', 'subscribed', 'message', ''],
    ]
    const nested = [{ type: 'subscribe', channel: 'room:1' }]
    const { answers, messages } = await asking(types.map((type) => ({ type, channel: 'room:1', commands: nested })))
    expect(answers.map(({ code }) => code)).toEqual(types.map(() => 'unknown_type'))
    expect(messages.filter(({ type }) => type === 'subscribed')).toEqual([])
  })

  it('T-070 hides no command inside another, in a hello or in a list', async () => {
    const nested = { type: 'subscribe', channel: 'room:1' }
    const { answers } = await asking([
      { type: 'ping', next: nested, commands: [nested] },
      { type: 'hello', token: node.token('mallory'), subscribe: ['room:1'], channels: ['room:1'] },
      `[{"type":"subscribe","id":2,"channel":"room:1"},{"type":"ping","id":2}]\n{"type":"ping","id":2}`,
      '{"type":"ping","type":"subscribe","id":3,"channel":"room:1"}',
      '{"type":"subscribe","id":4,"channel":"open:1","channel":"room:1"}',
    ])
    expect(answers.map(({ type, code }) => code ?? type)).toEqual([
      'pong',
      'bad_request',
      'pong',
      'permission_denied',
      'permission_denied',
    ])
  })

  it('T-070 subscribes nobody by a list in a token or an address', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = { sub: 'mallory', tenant: 'acme', iat: now, exp: now + 60 }
    const lists = { channels: ['room:1'], subscribe: ['room:1'], caps: [{ channel: 'room:1' }], subs: { 'room:1': {} } }
    const [head, body] = [
      { alg: 'HS256', typ: 'JWT' },
      { ...claims, ...lists },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const mac = createHmac('sha256', SECRET).update(`${head}.${body}`).digest('base64url')
    const { messages } = await asking([{ type: 'ping' }], { token: `${head}.${body}.${mac}` })
    expect(messages.find(({ type }) => type === 'welcome')).toMatchObject({ channels: [] })
    expect(messages.filter(({ type }) => type === 'subscribed')).toEqual([])
  })

  it('T-070 is judged one by one in a frame of several', async () => {
    const said = deniedBy('batcher').length
    const answers = await field.attack(async () => {
      const socket = await RawSocket.welcomed(from(), node.token('batcher'))
      const publish = { type: 'publish', channel: 'open:batch' }
      socket.say(
        { ...publish, id: 1, data: 1 },
        { type: 'subscribe', id: 2, channel: 'room:1' },
        { ...publish, id: 3, channel: 'room:1', data: 2 },
        { ...publish, id: 4, data: 3 },
        { type: 'history', id: 5, channel: 'room:1' },
      )
      await socket.message('error', { id: 5 })
      socket.destroy()
      await socket.ended()
      return [1, 2, 3, 4, 5].map((id) => socket.messages.find((one) => one['id'] === id))
    })
    expect(answers.map((answer) => answer?.['code'] ?? answer?.['type'])).toEqual([
      'ok',
      'permission_denied',
      'permission_denied',
      'ok',
      'permission_denied',
    ])
    const denied = deniedBy('batcher').slice(said)
    expect(denied.map(({ action, channel, rule }) => [action, channel, rule])).toEqual([
      ['subscribe', 'room:1', 'room:**'],
      ['publish', 'room:1', 'room:**'],
      ['history', 'room:1', 'room:**'],
    ])
    for (const line of denied)
      expect(line).toMatchObject({
        audit: true,
        tenant: 'acme',
        address: expect.stringMatching(/^127\.1\./),
        connection: expect.any(String),
      })
  })
})

describe('a grant', () => {
  const refused = ['permission_denied']

  it.each([
    ['room:1:read:x', refused],
    ['room:1a:reads', refused],
    ['room:a:b:read', refused],
    ['room:read', refused],
    ['room:1:Read', refused],
    ['room:1:read:', refused],
    ['room::read', refused],
    ['room:1::read', refused],
    ['room:1:.read', refused],
    ['room:1:*', ['invalid_channel']],
    ['room:1*:read', ['invalid_channel']],
    ['Room:1:read', ['invalid_channel']],
    ['room:1%3Aread', ['invalid_channel']],
  ])('T-071 for room:*:read does not reach %s', async (channel, expected) => {
    const grants = { 'room:*:read': ['subscribe', 'publish', 'signal', 'presence', 'history'] }
    const { answers } = await asking(wishes(channel), { claims: { grants } })
    expect(codesOf(answers)).toEqual(expected)
    const { answers: own } = await asking([{ type: 'subscribe', channel: 'room:1:read' }], { claims: { grants } })
    expect(codesOf(own)).toEqual(['subscribed'])
  })

  it.each([
    ['subscribe', { type: 'subscribe', channel: 'room:1' }],
    ['publish', { type: 'publish', channel: 'room:1', data: 1 }],
    ['history', { type: 'history', channel: 'room:1' }],
    ['presence', { type: 'presence', channel: 'room:1' }],
  ])('T-071 for %s allows that and nothing else', async (verb, allowed) => {
    const { answers } = await asking([...wishes('room:1'), allowed], { claims: { grants: { 'room:*': [verb] } } })
    const permitted = wishes('room:1').filter((_, at) => answers[at]?.['type'] !== 'error')
    const expected = wishes('room:1').filter((wish) => {
      const { type, presence, since } = wish as { type: string; presence?: boolean; since?: unknown }
      return type === verb && presence === undefined && typeof since !== 'string'
    })
    expect(permitted).toEqual(expected)
    expect(answers.at(-1)?.['type']).not.toBe('error')
  })

  it('T-071, T-077 that is no pattern of ours grants nothing, and does not harm those beside it', async () => {
    const all = ['subscribe', 'publish', 'signal', 'presence', 'history']
    const odd = [
      '*',
      '**',
      '>',
      'room',
      'room:',
      'room:**:x',
      'room:.*',
      '^room:.*$',
      'room:[a-z0-9]',
      'room:?',
      'room:1|room:2',
      '*:*',
      'r*:*',
      'room:{USER}',
      'room:\\d',
      'room:1*',
      '__proto__',
      'constructor',
      `room:${'*:'.repeat(2_000)}*`,
    ]
    const grants = Object.fromEntries([...odd.map((pattern) => [pattern, all] as const), ['room:mine', all]])
    for (const channel of ['room:1', 'room:x', 'room:1:x', 'room:constructor'])
      expect(codesOf((await asking(wishes(channel), { claims: { grants } })).answers)).toEqual(['permission_denied'])
    const { answers } = await asking([{ type: 'subscribe', channel: 'room:mine' }], { claims: { grants } })
    expect(codesOf(answers)).toEqual(['subscribed'])
  })

  it('T-071 with thousands of stars is answered as quickly as any', async () => {
    const grants = { [`room:${'*:'.repeat(100)}**`]: ['subscribe'], [`room:${'a*'.repeat(100)}b`]: ['subscribe'] }
    const channel = `room:${'a:'.repeat(107)}a`
    const began = machineTime()
    await asking(
      Array.from({ length: 50 }, () => ({ type: 'subscribe', channel })),
      { claims: { grants } },
    )
    expect(machineTime() - began).toBeLessThan(5_000)
  })
})

describe('a name', () => {
  const odd = [
    ...[
      'open:a/../b',
      'open:a//b',
      'open:a\\b',
      'open:%2e',
      'open:%2E%2e',
      'open:a%3Ab',
      'open/1',
      'open:',
      ':1',
      'open',
      '',
    ],
    ...[
      'Open:1',
      'OPEN:1',
      ' open:1',
      'open:1 ',
      'open:1\n',
      'open:\u0000',
      'open:1\u0000',
      'open:\u202e1',
      'open:\u0301a',
      'open:é',
      'open:e\u0301',
      'оpen:1',
      'open:①',
      'open:😀',
    ],
    `open:${'a'.repeat(221)}`,
    `${'o'.repeat(33)}:1`,
  ]

  it('T-072, T-048 is refused as it is: nothing is decoded, folded or mended', async () => {
    expect(await askingAbout(odd)).toEqual(odd.map((name) => [name, ['invalid_channel']]))
  })

  it('T-072 with segments that are empty, or too many, is named by no rule', async () => {
    const names = ['open:a:', 'open:a::b', 'open::a', 'open:a:b']
    expect(await askingAbout(names)).toEqual(names.map((name) => [name, ['permission_denied']]))
  })

  it('T-072 that is allowed is the name under which things are kept', async () => {
    const names = ['open:.', 'open:..', 'open:.a', 'open:a.', 'open:a', 'open:A', 'open:~41', 'open:@', 'open:-']
    const { messages } = await asking([
      ...names.map((channel) => ({ type: 'subscribe', channel })),
      ...names.map((channel) => ({ type: 'publish', channel, data: channel })),
    ])
    const told = messages.filter(({ type }) => type === 'message')
    expect(told.map(({ channel, data, offset }) => [channel, data, offset])).toEqual(
      names.map((name) => [name, name, 1]),
    )
  })

  it.each([
    ['?channel=open%253A1', 'error', 'invalid_channel'],
    ['?channel=open%2F1', 'error', 'invalid_channel'],
    ['?channel=room%3A1', 'unsubscribed', 'permission_denied'],
  ])('T-072 in the address %s is decoded once, as every address is, and then judged', async (below, type, code) => {
    const told = await field.attack(async () => {
      const socket = new RawSocket(from())
      const lines = ['Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
      const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
      const request = [`GET /ws${below} HTTP/1.1`, ...lines, key, `Authorization: Bearer ${node.token('mallory')}`]
      await socket.ask(`${request.join('\r\n')}\r\n\r\n`)
      const message = await socket.message(type)
      socket.destroy()
      await socket.ended()
      return message
    })
    expect(told).toMatchObject({ code })
  })
})

describe('what belongs to the server', () => {
  it('T-074 has names that no client can write', async () => {
    const names = [
      ...[
        '$sys',
        '$sys:1',
        '$lifecycle',
        '$SYS.REQ',
        '_inbox',
        '_inbox:1',
        '_INBOX.x',
        '__keyspace@0__:*',
        '__keyevent@0__:expired',
      ],
      ...['__redis__:invalidate', '{nodes}:control', '#id', '*', '>', 'node control', 'neighbour:$x'],
    ]
    expect(await askingAbout(names)).toEqual(names.map((name) => [name, ['invalid_channel']]))
  })

  it('T-074 is not reached by names that look like its own', async () => {
    const names = [
      ...['sys:1', 'node:control', 'control:node', 'nodes:lease', 'cluster:all', 'session:1', 'record:1', 'keys:1'],
      ...['cursor:4:acmeopen:1', 'revoked:4:acme1', 'api-keys:4:acme', 'hf:default:nodes', 'tenant:acme'],
      ...['user:neighbour', 'user:bob'],
    ]
    expect(await askingAbout(names)).toEqual(names.map((name) => [name, ['permission_denied']]))
  })
})

describe('a pattern in the place of a name', () => {
  it('T-077 is no name, and matches nothing', async () => {
    const patterns = ['*', '?', '[a-', '\\', '>', 'a b', '^a$', 'a|b', '(a+)+', '{a,b}', 'a*'.repeat(5_000)]
    const names = [...patterns.flatMap((pattern) => [pattern, `open:${pattern}`]), `open:${'.'.repeat(10_000)}`]
    const publish = { type: 'publish', channel: 'open:seen', data: 'seen' }
    const { answers, messages } = await asking([publish, ...names.flatMap(wishes), publish])
    expect(codesOf(answers.slice(1, -1))).toEqual(['invalid_channel'])
    expect(messages.filter(({ type }) => type === 'message')).toEqual([])
  })

  it('T-077 never becomes a pattern of Redis, which is asked by none but the prefix of its own keys', () => {
    const byPattern =
      /\bP(?:UN)?SUBSCRIBE\b|['"](?:KEYS|SCAN|PUBSUB)['"]|\bMATCH\b|\.(?:keys|scan|scanIterator|pSubscribe)\(\s*['"`]/
    const sources = filesUnder('packages/server/src/engine/redis', '.ts').filter(({ path }) => !path.includes('test'))
    expect(sources.length).toBeGreaterThan(20)
    const asking = sources.filter(({ text }) => byPattern.test(withoutComments(text)))
    expect(asking.map(({ path }) => path)).toEqual(['packages/server/src/engine/redis/janitor.ts'])
    const lines = asking.flatMap(({ text }) => text.split('\n').filter((line) => line.includes('MATCH')))
    // The root is made of the prefix and the cluster id, in which no character is one of a pattern.
    expect(lines.map((line) => /'MATCH', (`[^`]*`)/.exec(line)?.[1])).toEqual(['`${keys.root}{*`'])
    expect(['hf*', 'h?', '[hf]', 'h\\f', 'h f'].filter((prefix) => KEY_PART.test(prefix))).toEqual([])
  })
})

describe('tenants whose names are made to meet', () => {
  it('T-075 share no message, member, history or cursor', async () => {
    const tenants = ['a', 'a:b', 'a:b:open', '1:a', '4', 'a\u00a0', 'ä', 'a\u0308', '{a}', 'a}:log:1', '__proto__', 'A']
    // On a node of its own: the keys of messages are kept for longer than a test.
    const shared = await AttackedNode.start({ channels: { 'open:*': { publish: 'member', presence: true, history } } })
    const sockets = await Promise.all(
      tenants.map((tenant) => RawSocket.welcomed({ port: shared.port }, shared.token('b:c', { tenant }))),
    )
    const channels = ['open:c', 'open:1', 'open:b']
    for (const socket of sockets)
      for (const channel of channels) {
        socket.say({ type: 'subscribe', channel, presence: true })
        await socket.message('subscribed', { channel })
      }
    for (const [at, socket] of sockets.entries())
      for (const channel of channels) socket.say({ type: 'publish', channel, data: tenants[at], key: 'same' })
    for (const [at, socket] of sockets.entries()) {
      socket.say({ type: 'ping', id: 'end' })
      await socket.message('pong', { id: 'end' })
      for (const channel of channels) await socket.message('message', { channel })
      const told = socket.messages.filter(({ type }) => type === 'message')
      expect(told.map(({ data, offset }) => [data, offset])).toEqual(channels.map(() => [tenants[at], 1]))
      for (const { counts } of socket.messages.filter(({ type }) => type === 'subscribed'))
        expect(counts).toEqual({ members: 1, connections: 1 })
    }
    for (const socket of sockets) socket.destroy()
    await shared.close()
  })
})

describe('who looks for what there is', () => {
  it('T-081 is answered alike for a channel that lives, one that never was and one that no rule names', async () => {
    const member = await RawSocket.welcomed(
      from(),
      node.token('member', { grants: { 'room:*': ['subscribe', 'publish', 'presence'] } }),
    )
    member.say({ type: 'subscribe', channel: 'room:lives', presence: true })
    await member.message('subscribed')
    member.say({ type: 'publish', id: 1, channel: 'room:lives', data: 'secret' })
    await member.message('ok', { id: 1 })
    const [lives, never, unnamed] = [
      await asking(wishes('room:lives')),
      await asking(wishes('room:never')),
      await asking(wishes('nowhere:1')),
    ]
    expect(codesOf(lives.answers)).toEqual(['permission_denied'])
    expect(sayingsOf(never.answers)).toEqual(sayingsOf(lives.answers))
    expect(sayingsOf(unnamed.answers)).toEqual(sayingsOf(lives.answers))
    member.destroy()
    await member.ended()
  })

  it('T-120 finds the operation of another as little as one that never was', async () => {
    const { operations } = node.holdfast.tenant('acme')
    const operation = await operations.start({ id: 'import-42', kind: 'import', owner: 'ada', total: 10 })
    const all = (id: string): object[] => [{ type: 'cancel', operation: id }, ...wishes(`operation:${id}`)]
    const never = await asking(all('import-43'))
    const strangers = [
      { claims: {} },
      { claims: { roles: ['admin'], grants: { 'room:**': ['subscribe'], 'operation:import-4': ['subscribe'] } } },
      { token: node.token('ada', { tenant: 'globex' }) },
      { token: node.token('Ada') },
      { token: node.token('ada ') },
    ]
    for (const stranger of strangers) {
      const { answers } = await asking(all('import-42'), stranger)
      expect(sayingsOf(answers)).toEqual(sayingsOf(never.answers))
      expect(answers[0]).toMatchObject({ code: 'not_found' })
      expect(answers[1]).toMatchObject({ code: 'not_found' })
    }
    for (const id of ['import-42 ', 'import-4*', '../import-42', '*', '', 'IMPORT-42', 'import-42\u0000', '__proto__'])
      expect(codesOf((await asking([{ type: 'cancel', operation: id }])).answers)).not.toContain('ok')
    const denied = node.log.of('authz.denied', { channel: 'operation:import-42', user: 'mallory' })
    expect(denied.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['cancel', 'subscribe', 'publish', 'history', 'presence']),
    )
    expect(operation.signal.aborted).toBe(false)
    expect((await operations.get('import-42'))?.state).not.toBe('cancelled')
    await operation.complete('done')
    const owner = await RawSocket.welcomed(from(), node.token('ada'))
    owner.say({ type: 'subscribe', channel: 'operation:import-42' })
    expect(await owner.message('subscribed')).toMatchObject({ messages: [{ event: 'completed' }] })
    owner.destroy()
    await owner.ended()
  })
})
