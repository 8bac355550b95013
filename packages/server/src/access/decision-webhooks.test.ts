import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.js'
import { type AnswerScript, DecisionServer } from '../testing/decision-server.js'
import { type TestNode, startNode } from '../testing/test-node.js'
import type { HoldfastOptions } from '../options.js'
import { verifyWebhook } from '../webhooks/signature.js'

const SECRET = 'bN4xT9cL2kR6nY8sJ3hF5dG0pAeUoIqX'

let server: DecisionServer
let node: TestNode | undefined
let lines: Record<string, unknown>[]

const log: NonNullable<HoldfastOptions['log']> = {
  debug: (line) => void lines.push(line as Record<string, unknown>),
  info: (line) => void lines.push(line as Record<string, unknown>),
  warn: (line) => void lines.push(line as Record<string, unknown>),
  error: (line) => void lines.push(line as Record<string, unknown>),
}

const audited = (event: string): Record<string, unknown>[] =>
  lines.filter((line) => line['audit'] === true && line['event'] === event)

beforeEach(async () => {
  lines = []
  server = await DecisionServer.start()
})

afterEach(async () => {
  await node?.close()
  node = undefined
  await server.close()
})

type Asked = 'connect' | 'subscribe' | 'publish'

async function start(asked: readonly Asked[], options: Partial<HoldfastOptions> = {}): Promise<TestNode> {
  const urls = Object.fromEntries(asked.map((name) => [name, { url: `${server.url}/${name}?key=hidden` }]))
  node = await startNode({
    channels: {
      'room:*': {
        subscribe: asked.includes('subscribe') ? 'webhook' : 'member',
        publish: asked.includes('publish') ? ['role:staff', 'webhook'] : 'member',
        presence: true,
        history: { size: 10, ttl: '1h' },
      },
      'talk:*': { subscribe: 'grant', publish: 'grant' },
    },
    webhooks: { secret: SECRET, allowPrivate: true, ...urls },
    log,
    ...options,
  })
  return node
}

describe('F-68 a subscribe or publish that a webhook decides', () => {
  it('is asked about in a signed request without message data', async () => {
    const ada = await (await start(['subscribe', 'publish'])).join('ada', { claims: { roles: ['guest'] } })
    await ada.request({ type: 'subscribe', channel: 'room:1' })
    const published = await ada.request({ type: 'publish', channel: 'room:1', event: 'chat', data: { text: 'psst' } })
    expect(published).toMatchObject({ type: 'ok' })
    const [first, second] = server.asked
    expect(first).toMatchObject({ method: 'POST', path: '/decide/subscribe?key=hidden' })
    expect(second?.path).toBe('/decide/publish?key=hidden')
    const { connection } = ada.received[0] ?? {}
    const at = expect.stringMatching(/^\d{4}-.*Z$/)
    const who = { tenant: 'acme', user: 'ada', roles: ['guest'], channel: 'room:1', connection, at }
    expect(first?.body).toEqual({ type: 'subscribe', ...who })
    expect(second?.body).toEqual({ type: 'publish', event: 'chat', ...who })
    expect(second?.text).not.toContain('psst')
    for (const { headers, text } of server.asked) {
      expect(headers['content-type']).toBe('application/json')
      expect(verifyWebhook(SECRET, headers['holdfast-signature'] as string, text)).toBe(true)
      expect(headers['holdfast-delivery']).toMatch(/^[\w-]{22}$/)
    }
    expect(first?.headers['holdfast-delivery']).not.toBe(second?.headers['holdfast-delivery'])
  })

  it('is decided verb by verb, and not asked about where a word of the rule allows it', async () => {
    const staff = await (await start(['subscribe', 'publish'])).join('ada', { claims: { roles: ['staff'] } })
    expect(await staff.request({ type: 'publish', channel: 'room:1', data: 1 })).toMatchObject({ type: 'ok' })
    expect(server.asked).toEqual([])
    await staff.request({ type: 'subscribe', channel: 'room:1', presence: true, since: 'newest:5' })
    await staff.request({ type: 'history', channel: 'room:1' })
    expect(server.asked.map(({ body }) => body['type'])).toEqual(['subscribe', 'presence', 'history', 'history'])
  })

  it('is refused when the answer is no, and why is written down, not told', async () => {
    const ada = await (await start(['subscribe'])).join('ada')
    server.answer = { allow: false, reason: 'not a member of this room' }
    const refused = await ada.request({ type: 'subscribe', channel: 'room:1' })
    expect(refused).toMatchObject({
      type: 'error',
      code: 'permission_denied',
      message: 'subscribe is not allowed on this channel',
    })
    expect(audited('webhook.refused')).toMatchObject([
      { tenant: 'acme', user: 'ada', channel: 'room:1', action: 'subscribe', reason: 'not a member of this room' },
    ])
    expect(audited('authz.denied')).toHaveLength(1)
  })

  it.each<[string, AnswerScript, string]>([
    ['refuses with a status', (response) => response.writeHead(403).end('{"allow":true}'), 'the answer was 403'],
    ['is created', (response) => response.writeHead(201).end('{"allow":true}'), 'the answer was 201'],
    [
      'redirects',
      (response) => response.writeHead(307, { location: '/yes' }).end('{"allow":true}'),
      'the answer was 307',
    ],
    ['is no JSON', (response) => response.end('yes'), 'the answer is no JSON'],
    ['is empty', (response) => response.end(), 'the answer is no JSON'],
    ['is true', (response) => response.end('true'), 'the answer is no object'],
    ['is a list', (response) => response.end('[{"allow":true}]'), 'the answer is no object'],
    ['allows in words', { allow: 'true' }, 'the answer has no allow'],
    ['allows with a number', { allow: 1 }, 'the answer has no allow'],
    ['says nothing', {}, 'the answer has no allow'],
    ['allows by inheritance', (response) => response.end('{"__proto__":{"allow":true}}'), 'the answer has no allow'],
    ['names another user', { allow: true, user: 'eve' }, 'the answer names another user'],
    ['names another tenant', { allow: true, tenant: 'globex' }, 'the answer names another tenant'],
    ['is huge', (response) => response.end(`{"allow":true,"x":"${'x'.repeat(70_000)}"}`), 'too_large'],
    ['is said to be huge', (response) => response.writeHead(200, { 'content-length': '99999999' }).end(), 'too_large'],
    ['breaks off', (response) => response.write('{"allow":tr', () => response.destroy()), 'failed'],
    ['never comes', (response) => void response.destroy(), 'failed'],
  ])('is refused when the answer %s', async (_, answer, reason) => {
    const ada = await (await start(['subscribe'])).join('ada')
    server.answer = answer
    const refused = await ada.request({ type: 'subscribe', channel: 'room:1' })
    expect(refused).toMatchObject({ type: 'error', code: 'permission_denied' })
    expect(audited('webhook.failed')).toMatchObject([
      { tenant: 'acme', user: 'ada', channel: 'room:1', action: 'subscribe' },
    ])
    expect(String(audited('webhook.failed')[0]?.['reason'])).toContain(reason)
    expect(JSON.stringify(lines)).not.toContain('hidden')
    server.answer = { allow: true }
    expect(await ada.request({ type: 'subscribe', channel: 'room:1' })).toMatchObject({ type: 'subscribed' })
  })

  it('is refused when no answer comes in three seconds, and others go on meanwhile', async () => {
    const ada = await (await start(['publish'])).join('ada')
    server.answer = () => undefined
    const began = systemClock.now()
    const slow = ada.request({ type: 'publish', channel: 'room:1', data: 1 })
    expect(await ada.request({ type: 'subscribe', channel: 'room:1' })).toMatchObject({ type: 'subscribed' })
    expect(await slow).toMatchObject({ code: 'permission_denied' })
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(2_900)
    expect(String(audited('webhook.failed')[0]?.['reason'])).toContain('timeout')
  })

  it('is refused while nobody listens there, after five failures without being asked', async () => {
    const ada = await (await start(['publish'])).join('ada')
    await server.close()
    for (let n = 0; n < 7; n += 1)
      expect(await ada.request({ type: 'publish', channel: 'room:1', data: 1 })).toMatchObject({
        code: 'permission_denied',
      })
    const reasons = audited('webhook.failed').map(({ reason }) => String(reason))
    expect(reasons.slice(0, 5).every((reason) => reason.startsWith('failed'))).toBe(true)
    expect(reasons.slice(5)).toEqual(['circuit open', 'circuit open'])
  })

  it('is refused at an address of a network of our own unless the options allow those', async () => {
    node = await startNode({
      channels: { 'room:*': { subscribe: 'webhook' } },
      webhooks: { secret: SECRET, subscribe: { url: server.url.replace('http:', 'https:') } },
      log,
    })
    const ada = await node.join('ada')
    expect(await ada.request({ type: 'subscribe', channel: 'room:1' })).toMatchObject({ code: 'permission_denied' })
    expect(server.asked).toEqual([])
    expect(audited('outbound.blocked')).toHaveLength(1)
  })
})

describe('the connect webhook', () => {
  it('is told who comes and from where, without the credential', async () => {
    const ada = await (await start(['connect'])).join('ada', { claims: { roles: ['guest'] } })
    const [asked] = server.asked
    const { connection } = ada.received[0] ?? {}
    const at = expect.any(String)
    const about = { tenant: 'acme', user: 'ada', roles: ['guest'], connection, address: '127.0.0.1', at }
    expect(asked?.body).toEqual({ type: 'connect', ...about })
    expect(verifyWebhook(SECRET, asked?.headers['holdfast-signature'] as string, asked?.text ?? '')).toBe(true)
  })

  it('is not asked about a credential that is refused anyway', async () => {
    const client = await (await start(['connect'])).open()
    client.send({ type: 'hello', token: 'nonsense' })
    expect((await client.closed).reason).toBe('Invalid authentication token')
    expect(server.asked).toEqual([])
  })

  it('turns away whom the application does not want', async () => {
    const client = await (await start(['connect'])).open()
    server.answer = { allow: false, reason: 'the account is locked' }
    client.send({ type: 'hello', token: node?.token('ada') })
    expect(await client.closed).toEqual({ code: 1008, reason: 'Not allowed' })
    expect(audited('webhook.refused')).toMatchObject([
      { user: 'ada', action: 'connect', reason: 'the account is locked' },
    ])
  })

  it('lets nobody in while it does not answer, and asks them to come again', async () => {
    const client = await (await start(['connect'])).open()
    server.answer = (response) => response.writeHead(500).end()
    client.send({ type: 'hello', token: node?.token('ada') })
    expect(await client.next('goodbye')).toMatchObject({ reconnect: 'backoff' })
    expect(await client.closed).toEqual({ code: 1013, reason: 'Server busy' })
    expect(audited('webhook.failed')).toMatchObject([{ user: 'ada', action: 'connect', reason: 'the answer was 500' }])
  })

  it('gives roles and grants in place of those of the credential, and shortens its life', async () => {
    const made = await start(['connect'], { roles: { host: { 'talk:*': ['publish'] } } })
    const expiresAt = new Date(systemClock.now() + 5_000).toISOString()
    server.answer = { allow: true, roles: ['host'], grants: { 'talk:{user}': ['subscribe'] }, expiresAt }
    const ada = await made.join('ada', { claims: { roles: ['admin'], grants: { 'talk:1': ['subscribe'] } } })
    expect(ada.received[0]).toMatchObject({ roles: ['host'], expiresAt })
    expect(await ada.request({ type: 'subscribe', channel: 'talk:1' })).toMatchObject({ code: 'permission_denied' })
    expect(await ada.request({ type: 'subscribe', channel: 'talk:ada' })).toMatchObject({ type: 'subscribed' })
    expect(await ada.request({ type: 'publish', channel: 'talk:1', data: 1 })).toMatchObject({ type: 'ok' })
  })

  it('never makes a life longer', async () => {
    const made = await start(['connect'])
    server.answer = { allow: true, expiresAt: systemClock.now() + 86_400_000 * 365 }
    const ada = await made.join('ada', { claims: { ttlSeconds: 60 } })
    expect(Date.parse(String(ada.received[0]?.['expiresAt']))).toBeLessThanOrEqual(systemClock.now() + 60_000)
  })

  it.each<[string, object]>([
    ['roles that are none', { roles: 'admin' }],
    ['roles that are no texts', { roles: [1] }],
    ['grants that are none', { grants: ['room:1'] }],
    ['grants without verbs', { grants: { 'room:1': 'subscribe' } }],
    ['a time that is none', { expiresAt: 'tomorrow' }],
    ['a time below zero', { expiresAt: -1 }],
    ['null for a time', { expiresAt: null }],
    ['another user', { user: 'root' }],
  ])('lets nobody in with an answer that has %s', async (_, members) => {
    const client = await (await start(['connect'])).open()
    server.answer = { allow: true, ...members }
    client.send({ type: 'hello', token: node?.token('ada') })
    expect((await client.closed).reason).toBe('Server busy')
  })

  it('is asked again at a refresh, whose channels are looked at with what it answers', async () => {
    const made = await start(['connect'])
    server.answer = { allow: true, grants: { 'talk:1': ['subscribe'], 'talk:2': ['subscribe'] } }
    const ada = await made.join('ada')
    for (const channel of ['talk:1', 'talk:2']) await ada.request({ type: 'subscribe', channel })
    server.answer = { allow: true, grants: { 'talk:1': ['subscribe'] } }
    expect(await ada.request({ type: 'refresh', token: made.token('ada') })).toMatchObject({ type: 'ok' })
    expect(await ada.next('unsubscribed')).toMatchObject({ channel: 'talk:2', code: 'permission_denied' })
    expect(audited('authz.ended')).toMatchObject([{ channel: 'talk:2', user: 'ada', rule: 'talk:*' }])
    server.answer = { allow: false }
    expect(await ada.request({ type: 'refresh', token: made.token('ada') })).toMatchObject({
      code: 'permission_denied',
    })
    expect(server.asked.map(({ body }) => body['type'])).toEqual(['connect', 'connect', 'connect'])
  })
})
