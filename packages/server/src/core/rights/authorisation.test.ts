import { afterEach, describe, expect, it } from 'vitest'
import { type AccessPredicate, resolveChannelRule } from '../../access/channel-rules.js'
import type { Identity } from '../../access/identity.js'
import { createApiKey } from '../../credentials.js'
import type { HoldfastOptions } from '../../options.js'
import { settle } from '../../simulated-clock.js'
import { TEST_SECRET, type TestNode, startNode } from '../../testing/test-node.js'
import { Authorisation } from './authorisation.js'

let node: TestNode

afterEach(() => node.close())

/** A predicate whose answers the test gives, in any order. */
class Held {
  readonly asked: { readonly channel: string; readonly roles: readonly string[]; answer(allowed: boolean): void }[] = []
  readonly predicate: AccessPredicate = (identity, channel) =>
    new Promise((answer) => this.asked.push({ channel, roles: identity.roles, answer }))

  /** Resolves when so many were asked. */
  async reached(count: number): Promise<void> {
    const client = await node.join('clock')
    while (this.asked.length < count) await client.request({ type: 'ping' })
  }
}

interface Audited {
  readonly [member: string]: unknown
}

async function start(options: Partial<HoldfastOptions>): Promise<Audited[]> {
  const lines: Audited[] = []
  const take = (line: object): void => {
    if ('audit' in line) lines.push(line as Audited)
  }
  node = await startNode({ log: { debug: take, info: take, warn: take, error: take }, ...options })
  return lines
}

const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

const RULE = resolveChannelRule('room:*', {}, Number)

const history = { size: 100, ttl: '1h' } as const

describe('a decision that takes time', () => {
  it('does not let what a client publishes on a channel change its order', async () => {
    const held = new Held()
    const quick: AccessPredicate = (_, channel) => (held.asked.length < 2 ? held.predicate(_ as never, channel) : true)
    await start({ channels: { 'room:*': { publish: quick, history, subscribe: 'member' } } })
    const [ada, bob] = [await node.join('ada'), await node.join('bob')]
    await bob.request({ type: 'subscribe', channel: 'room:1' })
    const sent = [1, 2, 3, 4].map((data) => ada.request({ type: 'publish', channel: 'room:1', data }))
    const elsewhere = await ada.request({ type: 'publish', channel: 'room:2', data: 0 })
    expect(elsewhere).toMatchObject({ type: 'ok' })
    await held.reached(2)
    held.asked[1]?.answer(true)
    await ada.request({ type: 'ping' })
    expect(bob.received.filter(({ type }) => type === 'message')).toEqual([])
    held.asked[0]?.answer(true)
    for (const data of [1, 2, 3, 4]) expect(await bob.next('message')).toMatchObject({ data, offset: data })
    expect(await Promise.all(sent)).toMatchObject([1, 2, 3, 4].map((offset) => ({ type: 'ok', offset })))
  })

  it('lets those behind a refusal pass', async () => {
    const held = new Held()
    await start({ channels: { 'room:*': { publish: held.predicate, history } } })
    const ada = await node.join('ada')
    const [first, second] = [1, 2].map((data) => ada.request({ type: 'publish', channel: 'room:1', data }))
    await held.reached(2)
    held.asked[1]?.answer(true)
    held.asked[0]?.answer(false)
    expect(await first).toMatchObject({ code: 'permission_denied' })
    expect(await second).toMatchObject({ type: 'ok', offset: 1 })
  })

  it('that fails lets none pass that came after one that is still waited for', async () => {
    const held: { resolve(allowed: boolean): void; reject(error: Error): void }[] = []
    const authorisation = new Authorisation({
      rules: {
        ruleOf: () => RULE,
        allows: () => true,
        judge: () => new Promise((resolve, reject) => held.push({ resolve, reject })),
        findForeign: () => undefined,
      },
      audit: { record: () => undefined },
    })
    const asker = { id: 'c1', address: '', isOpen: true, identityFor: () => ADA }
    const passed: string[] = []
    const ask = async (name: string): Promise<void> => {
      await authorisation.require(asker, { verb: 'publish', channel: 'room:1', event: name })
      passed.push(name)
    }
    const [first, second, third] = [ask('first'), ask('second'), ask('third')]
    held[2]?.resolve(true)
    held[1]?.reject(new Error('the engine is away'))
    await expect(second).rejects.toThrow('the engine is away')
    const failing = ask('failing')
    held[3]?.reject(new Error('the engine is away'))
    await expect(failing).rejects.toThrow('the engine is away')
    const last = ask('last')
    held[4]?.resolve(true)
    await settle()
    expect(passed).toEqual([])
    held[0]?.resolve(true)
    await Promise.all([first, third, last])
    expect(passed).toEqual(['first', 'third', 'last'])
  })

  it('is not made for who was sent away before it was asked for', () => {
    const asked: string[] = []
    const judge = (): boolean => asked.push('judge') > 0
    const rules = { ruleOf: () => RULE, allows: judge, judge, findForeign: () => undefined }
    const authorisation = new Authorisation({ rules, audit: { record: (event) => void asked.push(event) } })
    const asker = { id: 'c1', address: '', isOpen: false, identityFor: () => ADA }
    const wish = { verb: 'publish', channel: 'room:1', event: 'late' } as const
    expect(() => authorisation.require(asker, wish)).toThrow(expect.objectContaining({ code: 'permission_denied' }))
    expect(asked).toEqual([])
  })

  it('allows nothing to who was sent away meanwhile', async () => {
    const held = new Held()
    await start({ channels: { 'room:*': { publish: held.predicate, subscribe: held.predicate, history } } })
    const ada = await node.join('ada')
    ada.send({ type: 'publish', channel: 'room:1', data: 'late' })
    ada.send({ type: 'subscribe', channel: 'room:2' })
    await held.reached(2)
    await node.holdfast.tenant('acme').disconnect('ada')
    for (const { answer } of held.asked) answer(true)
    await ada.closed
    expect((await node.holdfast.tenant('acme').history('room:1')).messages).toEqual([])
    expect(node.holdfast.stats().channels).toBe(0)
  })

  it('is made again with the identity of a token that was refreshed meanwhile', async () => {
    const held = new Held()
    await start({ channels: { 'room:*': { publish: held.predicate, history } } })
    const ada = await node.join('ada', { claims: { roles: ['host'] } })
    const published = ada.request({ type: 'publish', channel: 'room:1', data: 1 })
    await held.reached(1)
    await ada.request({ type: 'refresh', token: node.token('ada', { roles: ['guest'] }) })
    held.asked[0]?.answer(true)
    await held.reached(2)
    expect(held.asked.map(({ roles }) => roles)).toEqual([['host'], ['guest']])
    held.asked[1]?.answer(false)
    expect(await published).toMatchObject({ code: 'permission_denied' })
    expect((await node.holdfast.tenant('acme').history('room:1')).messages).toEqual([])
  })

  it('is made again for a channel that was to be looked at before it was there', async () => {
    const held = new Held()
    await start({ channels: { 'room:*': { subscribe: held.predicate } } })
    const ada = await node.join('ada')
    const subscribed = ada.request({ type: 'subscribe', channel: 'room:1' })
    await held.reached(1)
    await node.holdfast.tenant('acme').recheck('ada')
    held.asked[0]?.answer(true)
    await held.reached(2)
    held.asked[1]?.answer(false)
    expect(await subscribed).toMatchObject({ code: 'permission_denied' })
  })
})

describe('what is refused', () => {
  it('is written down: who, where from, which channel, what, by which rule', async () => {
    const lines = await start({
      channels: { 'room:*': { presence: false, history }, 'staff:*': { subscribe: 'role:staff' } },
    })
    const ada = await node.join('ada')
    await ada.request({ type: 'subscribe', channel: 'staff:1' })
    await ada.request({ type: 'publish', channel: 'room:1', data: 'psst' })
    await ada.request({ type: 'signal', channel: 'room:1', event: 'typing', data: 'psst' })
    await ada.request({ type: 'presence', channel: 'room:1' })
    await ada.request({ type: 'subscribe', channel: 'room:1', presence: true })
    await ada.request({ type: 'history', channel: 'nowhere:1' })
    await ada.request({ type: 'cancel', operation: 'of-another' })
    await ada.request({ type: 'subscribe', channel: 'operation:of-another' })
    const denied = lines.filter(({ event }) => event === 'authz.denied')
    expect(denied.map(({ action, channel, rule }) => [action, channel, rule])).toEqual([
      ['subscribe', 'staff:1', 'staff:*'],
      ['publish', 'room:1', 'room:*'],
      ['signal', 'room:1', 'room:*'],
      ['presence', 'room:1', 'room:*'],
      ['presence', 'room:1', 'room:*'],
      ['history', 'nowhere:1', '-'],
      ['cancel', 'operation:of-another', '-'],
      ['subscribe', 'operation:of-another', '-'],
    ])
    const { connection } = ada.received[0] ?? {}
    for (const line of denied)
      expect(line).toMatchObject({
        tenant: 'acme',
        user: 'ada',
        connection,
        address: '127.0.0.1',
        node: node.holdfast.node,
      })
    expect(JSON.stringify(lines)).not.toContain('psst')
    expect(node.holdfast.stats().access).toEqual({ refusedByRule: 8, refusedByIdentityGuard: 0 })
  })

  it('is a method that somebody anonymous calls, whatever its name', async () => {
    const anonymous = { tenant: 'acme', grants: { 'room:*': ['subscribe'] } } as const
    const lines = await start({
      auth: { secret: TEST_SECRET, anonymous },
      channels: { 'room:*': { subscribe: 'grant' } },
    })
    const called: string[] = []
    node.holdfast.method('order.get', { handler: (_, { identity }) => void called.push(identity.user) })
    const [nobody, ada] = [await node.open(), await node.join('ada')]
    nobody.send({ type: 'hello' })
    await nobody.next('welcome')
    expect(await nobody.request({ type: 'subscribe', channel: 'room:1' })).toMatchObject({ type: 'subscribed' })
    for (const method of ['order.get', 'no.such']) {
      const answer = await nobody.request({ type: 'call', method })
      expect(answer).toMatchObject({ code: 'permission_denied', message: 'a method must be called by somebody known' })
    }
    expect(await ada.request({ type: 'call', method: 'order.get' })).toMatchObject({ type: 'ok' })
    expect(called).toEqual(['ada'])
    expect(lines.filter(({ event }) => event === 'authz.denied')).toMatchObject([
      { action: 'call' },
      { action: 'call' },
    ])
  })

  it("is a server that moves a user's place in an inbox, whatever it may read", async () => {
    const { id, hash, key } = createApiKey()
    const grants = { 'user:{user}': ['subscribe'] }
    await start({
      auth: { secret: TEST_SECRET, apiKeys: [{ id, hash, tenant: 'acme', grants }] },
      channels: { 'user:{user}': { inbox: true, publish: 'server', history } },
    })
    await node.holdfast.tenant('acme').publish('user:ada', 'mail', 'unread')
    const server = await node.open()
    await server.hello(key)
    expect(await server.request({ type: 'subscribe', channel: 'user:ada' })).toMatchObject({ type: 'subscribed' })
    expect(await server.request({ type: 'ack', channel: 'user:ada', offset: 1 })).toMatchObject({
      code: 'permission_denied',
    })
    const ada = await node.join('ada')
    expect(await ada.next('subscribed')).toMatchObject({ messages: [{ data: 'unread' }] })
    expect(await ada.request({ type: 'ack', channel: 'user:ada', offset: 1 })).toMatchObject({ type: 'ok' })
  })

  it('is what names another user in a field of identity, message or signal', async () => {
    const lines = await start({
      channels: {
        'room:*': { publish: 'member', identity: ['user', 'author.id'], history },
        'free:*': { publish: 'member', history },
      },
    })
    const [ada, bob] = [await node.join('ada'), await node.join('bob')]
    for (const channel of ['room:1', 'free:1']) await bob.request({ type: 'subscribe', channel })
    const say = (data: unknown, type = 'publish', channel = 'room:1'): Promise<object> =>
      ada.request({ type, channel, event: 'chat', data })
    expect(await say({ user: 'eve' })).toMatchObject({
      code: 'permission_denied',
      message: 'data.user must name nobody but the sender',
    })
    expect(await say({ user: 'ada', author: { id: 'eve' } }, 'signal')).toMatchObject({
      code: 'permission_denied',
      message: 'data.author.id must name nobody but the sender',
    })
    ada.send('{"type":"publish","id":"twice","channel":"room:1","data":{"user":"eve","user":"ada"}}')
    expect(await ada.next('error', { id: 'twice' })).toMatchObject({ code: 'permission_denied' })
    expect(await say({ user: 'eve' }, 'publish', 'free:1')).toMatchObject({ type: 'ok' })
    expect(await say({ user: 'ada', author: { id: 'ada' }, text: 'mine' })).toMatchObject({ type: 'ok', offset: 1 })
    expect(await bob.next('message')).toMatchObject({ channel: 'free:1' })
    expect(await bob.next('message')).toMatchObject({ channel: 'room:1', data: { text: 'mine' } })
    expect(bob.received.filter(({ type }) => type === 'signal')).toEqual([])
    expect(node.holdfast.stats().access).toEqual({ refusedByRule: 0, refusedByIdentityGuard: 3 })
    expect(lines.filter(({ event }) => event === 'guard.identity')).toMatchObject([
      {
        user: 'ada',
        action: 'publish',
        channel: 'room:1',
        rule: 'room:*',
        reason: 'data.user must name nobody but the sender',
      },
      { action: 'signal' },
      { action: 'publish', reason: 'data must name each member once on this channel' },
    ])
  })

  it('does not concern the application, which may name whom it likes', async () => {
    await start({ channels: { 'room:*': { identity: ['user'], history } } })
    const said = await node.holdfast.tenant('acme').publish('room:1', 'chat', { user: 'eve' })
    expect(said.offset).toBe(1)
  })
})

describe('who may subscribe', () => {
  it('recovers what was missed, and asks for older messages with a right of its own', async () => {
    await start({ channels: { 'room:*': { subscribe: 'grant', publish: 'member', history } } })
    const subscriber = await node.join('ada', { claims: { grants: { 'room:*': ['subscribe'] } } })
    await subscriber.request({ type: 'publish', channel: 'room:1', data: 1 })
    const first = await subscriber.request({ type: 'subscribe', channel: 'room:1' })
    expect(first).toMatchObject({ type: 'subscribed', messages: [] })
    await subscriber.request({ type: 'unsubscribe', channel: 'room:1' })
    await subscriber.request({ type: 'publish', channel: 'room:1', data: 2 })
    const again = await subscriber.request({ type: 'subscribe', channel: 'room:1', since: first['position'] })
    expect(again).toMatchObject({ recovered: 'full', messages: [{ data: 2 }] })
    const older = await subscriber.request({ type: 'subscribe', channel: 'room:1', since: 'newest:5' })
    expect(older).toMatchObject({ code: 'permission_denied', message: 'history is not allowed on this channel' })
    const reader = await node.join('bob', { claims: { grants: { 'room:*': ['subscribe', 'history'] } } })
    const all = await reader.request({ type: 'subscribe', channel: 'room:1', since: 'newest:5' })
    expect(all).toMatchObject({ type: 'subscribed', messages: [{ data: 1 }, { data: 2 }] })
  })
})
