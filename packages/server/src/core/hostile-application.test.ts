import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Authentication } from '../access/authenticator.js'
import type { Identity } from '../access/identity.js'
import { type Holdfast, createHoldfast } from '../holdfast.js'
import { SimulatedClock } from '../simulated-clock.js'
import { FakeSocket, upgrade } from '../testing/fake-socket.js'
import { TEST_CHANNELS } from '../testing/test-node.js'
import type { SocketHandler } from '../transport/transport.js'
import { HoldfastError } from './errors.js'

const ADA = {
  tenant: 'acme',
  user: 'ada',
  roles: ['staff'],
  grants: {},
  expiresAt: undefined,
  tokenId: undefined,
} satisfies Identity

let clock: SimulatedClock
let holdfast: Holdfast
let authenticate: (credential: string) => unknown
let predicate: () => unknown

beforeEach(async () => {
  clock = new SimulatedClock()
  authenticate = () => ({ identity: ADA })
  holdfast = createHoldfast({
    auth: { authenticate: (credential) => authenticate(credential) as Authentication },
    channels: {
      'decided:*': { subscribe: () => predicate() as boolean, publish: () => predicate() as boolean },
      'granted:*': { subscribe: 'grant' },
      'shown:*': { presence: 'role:staff' },
      ...TEST_CHANNELS,
    },
    clock,
  })
  await holdfast.start()
})

afterEach(() => holdfast.close())

interface Peer {
  readonly socket: FakeSocket
  readonly handler: SocketHandler
  say(...commands: object[]): Promise<void>
  answer(id: number): Record<string, unknown> | undefined
}

async function open(): Promise<Peer> {
  const socket = new FakeSocket()
  const handler = holdfast.accept(socket, upgrade())
  const say = async (...commands: object[]): Promise<void> => {
    const text = commands.map((command) => JSON.stringify(command)).join('\n')
    handler.text(text, text.length)
    await clock.pass(10, 1)
  }
  await say({ type: 'hello', token: 't' })
  return { socket, handler, say, answer: (id) => socket.messages.find((message) => message['id'] === id) }
}

const circular: Record<string, unknown> = {}
circular['self'] = circular

/** Nothing can make text of it. */
const unreadable = Object.create(null) as Error

describe('F-35 an authenticator', () => {
  it.each<[string, () => unknown]>([
    ['throws what has no text', () => Promise.reject(unreadable)],
    ['answers nothing', () => undefined],
    ['answers a text', () => 'ada'],
  ])('that %s ends the connection, not the process', async (_, hostile) => {
    authenticate = hostile
    expect((await open()).socket.closedWith?.code).toBe(1011)
  })

  it.each<[string, object]>([
    ['no tenant', { tenant: undefined }],
    ['a tenant that is no text', { tenant: 7 }],
    ['an empty user', { user: '' }],
    ['a user too long for a channel name', { user: 'x'.repeat(10_000) }],
    ['a user with a control character', { user: 'a\nb' }],
    ['no roles', { roles: undefined }],
    ['no grants', { grants: undefined }],
    ['grants that are no lists', { grants: { 'room:1': 'subscribe' } }],
    ['a lifetime that is no number', { expiresAt: Number.NaN }],
    ['an issue that is text', { issuedAt: '2026' }],
    ['the id of a token that is no text', { tokenId: 7 }],
    ['a kind that there is not', { kind: 'root' }],
    ['a lifetime without end', { expiresAt: Infinity }],
  ])('that answers %s admits nobody', async (_, members) => {
    authenticate = () => ({ identity: { ...ADA, ...members } })
    const { socket } = await open()
    expect(socket.messages.filter(({ type }) => type === 'welcome')).toEqual([])
    expect(socket.closedWith?.code).toBe(1011)
  })
})

describe('an authenticator that answers the same object each time', () => {
  it('changes nobody before it is asked, and everything of who refreshes then', async () => {
    const grants: Record<string, string[]> = { 'granted:1': ['subscribe', 'publish'] }
    const known = { ...ADA, roles: ['staff'], grants }
    authenticate = () => ({ identity: known })
    const peer = await open()
    const subscribe = (id: number, channel: string): Promise<void> => peer.say({ type: 'subscribe', id, channel })
    await subscribe(1, 'granted:1')
    expect(peer.answer(1)).toMatchObject({ type: 'subscribed' })
    known.roles.pop()
    known.grants['granted:1']?.splice(0)
    known.user = 'eve'
    await subscribe(2, 'staff:1')
    expect(peer.answer(2)).toMatchObject({ type: 'subscribed' })
    known.user = 'ada'
    await peer.say({ type: 'refresh', id: 3, token: 't' })
    expect(peer.answer(3)).toMatchObject({ type: 'ok' })
    await clock.pass(100, 10)
    const ended = peer.socket.messages.filter(({ type }) => type === 'unsubscribed')
    expect(ended.map(({ channel }) => channel)).toEqual(['granted:1', 'staff:1'])
  })
})

describe('F-35 an authenticator that never answers', () => {
  it('admits nobody, and is waited for five seconds', async () => {
    authenticate = () => new Promise(() => undefined)
    const { socket } = await open()
    await clock.pass(4_500, 100)
    expect(socket.closedWith).toBeUndefined()
    await clock.pass(1_000, 100)
    expect(socket.closedWith?.code).toBe(1011)
    expect(socket.messages.filter(({ type }) => type === 'welcome')).toEqual([])
  })

  it('is not asked for a while when it did not answer again and again, and nobody waits for it', async () => {
    let asked = 0
    authenticate = () => {
      asked += 1
      return new Promise(() => undefined)
    }
    const waiting = await Promise.all(Array.from({ length: 10 }, open))
    await clock.pass(5_000, 100)
    expect(waiting.map(({ socket }) => socket.closedWith?.code)).toEqual(Array.from({ length: 10 }, () => 1011))
    const spared = await open()
    expect(spared.socket.closedWith).toMatchObject({ code: 1013, reason: 'Server busy' })
    expect(asked).toBe(10)
    authenticate = () => ({ identity: ADA })
    await clock.pass(5_000, 100)
    expect((await open()).socket.messages[0]).toMatchObject({ type: 'welcome' })
  })

  it('is asked by others however many credentials it chokes on', async () => {
    authenticate = () => {
      throw new Error('cannot read this')
    }
    for (let odd = 0; odd < 20; odd += 1) await open()
    authenticate = () => ({ identity: ADA })
    expect((await open()).socket.messages[0]).toMatchObject({ type: 'welcome' })
  })

  it('leaves a refreshed token unrefreshed, and the connection as it was', async () => {
    const { socket, say, answer } = await open()
    authenticate = () => new Promise(() => undefined)
    await say({ type: 'refresh', id: 1, token: 't' })
    await clock.pass(5_500, 100)
    expect(answer(1)).toMatchObject({ type: 'error' })
    expect(socket.closedWith).toBeUndefined()
  })

  it('is not heard when it answers after all', async () => {
    let answerLate: (result: object) => void = () => undefined
    authenticate = () => new Promise((resolve) => (answerLate = resolve))
    const { socket } = await open()
    await clock.pass(6_000, 100)
    answerLate({ identity: ADA })
    await clock.pass(100, 10)
    expect(socket.messages.filter(({ type }) => type === 'welcome')).toEqual([])
  })
})

describe('F-35 a rule', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw unreadable
      },
    ],
    ['answers a promise of a text', () => Promise.resolve('yes')],
    ['answers a promise that rejects', () => Promise.reject(unreadable)],
    ['answers a text', () => 'yes'],
  ])('that %s allows nothing', async (_, decide) => {
    predicate = decide
    const { socket, say, answer } = await open()
    await say(
      { type: 'subscribe', id: 1, channel: 'decided:1' },
      { type: 'publish', id: 2, channel: 'decided:1', data: 1 },
    )
    for (const id of [1, 2]) expect(answer(id)).toMatchObject({ type: 'error', code: 'permission_denied' })
    expect(socket.closedWith).toBeUndefined()
  })
})

describe('F-35 a method', () => {
  it.each<[string, () => unknown]>([
    [
      'a refusal whose details are circular',
      () => Promise.reject(new HoldfastError('bad_request', 'no', { details: circular })),
    ],
    [
      'a refusal whose details are no JSON',
      () => Promise.reject(new HoldfastError('bad_request', 'no', { details: 1n })),
    ],
  ])('may throw %s', async (_, handler) => {
    holdfast.method('m', { handler })
    const { say, answer } = await open()
    await say({ type: 'call', id: 1, method: 'm' })
    expect(answer(1)).toMatchObject({ type: 'error', code: 'bad_request', message: 'no' })
  })

  it.each<[string, () => unknown]>([
    ['throws', () => Promise.reject(new Error('broken'))],
    ['throws what has no text', () => Promise.reject(unreadable)],
    ['answers nothing', () => undefined],
  ])('whose schema %s has failed', async (_, validate) => {
    const schema = {
      '~standard': { version: 1, vendor: 'test', validate: validate as () => { value: unknown } },
    } as const
    holdfast.method('m', { schema, handler: () => 1 })
    const { say, answer } = await open()
    await say({ type: 'call', id: 1, method: 'm' })
    expect(answer(1)).toMatchObject({ type: 'error', code: 'method_failed' })
  })

  it('whose schema never answers is over at its deadline', async () => {
    const never = { version: 1, vendor: 'test', validate: () => new Promise<never>(() => undefined) } as const
    holdfast.method('m', { schema: { '~standard': never }, handler: () => 1 })
    const { say, answer } = await open()
    await say({ type: 'call', id: 1, method: 'm', timeout: 1_000 })
    await clock.pass(2_000, 100)
    expect(answer(1)).toMatchObject({ type: 'error', code: 'timeout' })
  })
})

describe('a refreshed token', () => {
  it('that may not see members any more ends a subscription that does', async () => {
    const { socket, say } = await open()
    await say({ type: 'subscribe', id: 1, channel: 'shown:1', presence: true })
    authenticate = () => ({ identity: { ...ADA, roles: [] } })
    await say({ type: 'refresh', id: 2, token: 't' })
    expect(socket.messages).toContainEqual(expect.objectContaining({ type: 'unsubscribed', channel: 'shown:1' }))
    expect((await holdfast.tenant('acme').presence('shown:1')).counts).toEqual({ members: 0, connections: 0 })
  })

  it('that was asked for later wins, whichever is verified first', async () => {
    const { say } = await open()
    let verifyFirst: (result: object) => void = () => undefined
    authenticate = (token) =>
      token === 'first' ? new Promise((resolve) => (verifyFirst = resolve)) : { identity: { ...ADA, roles: [] } }
    await say({ type: 'refresh', id: 1, token: 'first' }, { type: 'refresh', id: 2, token: 'second' })
    verifyFirst({ identity: ADA })
    await clock.pass(10, 1)
    await say({ type: 'subscribe', id: 3, channel: 'staff:1' })
    // That of the inbox.
    expect(holdfast.stats().channels).toBe(1)
  })
})
