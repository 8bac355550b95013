import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLOSE } from '@holdfast/protocol'
import type { HoldfastOptions } from '@holdfast/server'
import { attackBeside } from './kit/attack.js'
import { AttackedNode } from './kit/attacked-node.js'
import { Neighbour } from './kit/neighbour.js'
import { RawSocket, upgradeRequest } from './kit/raw-socket.js'

const APP = 'https://app.example.com'
const { code, reason } = CLOSE.originNotAllowed
const NOT_ALLOWED = { code, reason }

let node: AttackedNode
let neighbour: Neighbour

beforeEach(() => begin({ environment: 'production', origins: [APP, 'https://*.example.org'] }))
afterEach(end)

async function begin(options: Partial<HoldfastOptions>): Promise<void> {
  node = await AttackedNode.start(options)
  neighbour = await Neighbour.beside(node, { headers: { origin: APP } })
}

async function end(): Promise<void> {
  await neighbour.leave()
  await node.close()
}

async function beginAnew(options: Partial<HoldfastOptions>): Promise<void> {
  await end()
  await begin(options)
}

const attack = <T>(attacking: () => Promise<T>): Promise<T> => attackBeside(neighbour, node, attacking)

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** How a WebSocket that was opened with these headers is closed, without having said anything. */
async function closeOf(headers: Headers): Promise<{ code: number; reason: string; goodbye: unknown }> {
  const socket = await RawSocket.upgraded(node, headers)
  const closed = await socket.refused()
  await socket.ended()
  return { ...closed, goodbye: socket.messages.at(-1) }
}

/** The type of the answer to `hello` on a WebSocket that was opened with these headers, or how it was closed. */
async function welcomeTo(headers: Headers, members: object = { token: node.token('ada') }): Promise<string> {
  const socket = await RawSocket.upgraded(node, headers)
  socket.say({ type: 'hello', ...members })
  const answer = await Promise.race([
    socket.message('welcome').then(() => 'welcome'),
    socket.refused().then((closed) => closed.reason),
  ])
  socket.destroy()
  return answer
}

async function statusOf(request: string): Promise<number> {
  const socket = new RawSocket(node)
  const { status } = await socket.ask(request)
  socket.destroy()
  return status
}

describe('a page of another origin', () => {
  it('T-001 is closed before anything that it sent is read, and told of in the log', async () => {
    await attack(async () => {
      const headers = { Origin: 'https://evil.test', Authorization: 'Bearer no.token.at.all' }
      const { goodbye, ...closed } = await closeOf(headers)
      expect(closed).toEqual(NOT_ALLOWED)
      expect(goodbye).toMatchObject({ type: 'goodbye', code, reconnect: 'never' })
      expect((await closeOf({ ...headers, 'Sec-WebSocket-Protocol': undefined })).reason).toBe(reason)
    })
    const refused = { origin: 'https://evil.test', address: '127.0.0.1', rule: 'unlisted', level: 'warn', audit: true }
    expect(node.log.of('origin.refused', refused)).toHaveLength(2)
    expect(node.log.of('auth.failed')).toEqual([])
    expect(node.log.text).not.toContain('no.token')
  })

  it('T-001 is refused where nothing was said about origins, and reads no answer of HTTP routes', async () => {
    const bare = await AttackedNode.start({ environment: 'production' })
    expect(bare.log.of('origins.none')).toHaveLength(1)
    const attacked = node
    node = bare
    for (const origin of ['https://evil.test', 'http://localhost:3000', undefined])
      expect(await closeOf({ Origin: origin })).toMatchObject(NOT_ALLOWED)
    const answer = await fetch(`http://127.0.0.1:${bare.port}/health/live`, {
      headers: { origin: 'https://evil.test' },
    })
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    node = attacked
    await bare.close()
  })

  it.each([
    'https://app.example.com.evil.test',
    'https://evilapp.example.com',
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com.',
    'https://xn--pp-8ia.example.com',
    'https://app.example.com@evil.test',
    'https://evil.test#https://app.example.com',
    'https://app.example.com/x',
    'https://app.example.com//',
    'HTTPS:app.example.com',
    'wss://app.example.com',
  ])('T-002 %s is not the one that is named', async (origin) => {
    await attack(async () => expect(await closeOf({ Origin: origin })).toMatchObject(NOT_ALLOWED))
  })

  it('T-002 is the same whatever the case of its letters, and with the port that it has anyway', async () => {
    await attack(async () => {
      for (const origin of [APP, 'HTTPS://App.Example.COM', `${APP}:443`, `${APP}/`])
        expect(await welcomeTo({ Origin: origin })).toBe('welcome')
    })
  })

  it.each([
    'https://example.org',
    'https://a.b.example.org',
    'https://.example.org',
    'https://x.example.org.evil.test',
    'https://xexample.org',
    'https://*.example.org',
    'https://a.b@example.org',
    'http://x.example.org',
  ])('T-003 %s is not one label left of the host', async (origin) => {
    await attack(async () => expect(await closeOf({ Origin: origin })).toMatchObject(NOT_ALLOWED))
  })

  it('T-003 one label, and one alone, stands for the wildcard', async () => {
    await attack(async () => {
      for (const origin of ['https://x.example.org', 'https://xn--p1ai.example.org'])
        expect(await welcomeTo({ Origin: origin })).toBe('welcome')
    })
  })

  it('T-004 no origin, and that of no site, are refused unless they are named', async () => {
    await attack(async () => {
      for (const origin of [undefined, 'null']) expect(await closeOf({ Origin: origin })).toMatchObject(NOT_ALLOWED)
    })
    expect(node.log.of('origin.refused').map(({ rule }) => rule)).toEqual(['missing', 'unlisted'])
  })

  it('T-004 a program without an origin may come where the options say so, with a token and never with a cookie', async () => {
    await beginAnew({ environment: 'production', origins: { allow: [APP, 'null'], allowMissing: true } })
    await attack(async () => {
      for (const origin of [undefined, 'null']) expect(await welcomeTo({ Origin: origin })).toBe('welcome')
      const cookie = `token=${node.token('ada')}; access_token=${node.token('ada')}`
      const { reason: required } = CLOSE.authenticationRequired
      expect(await welcomeTo({ Origin: undefined, Cookie: cookie }, {})).toBe(required)
    })
  })

  it.each(['https://evil.test', 'https://evil.example.com', 'null', undefined])(
    'T-006 %s with the cookies of a visitor is closed like any other, and no cookie is a credential',
    async (origin) => {
      const cookie = `session=${node.token('victim')}; holdfast=${node.token('victim')}`
      await attack(async () => {
        expect(await closeOf({ Origin: origin, Cookie: cookie })).toMatchObject(NOT_ALLOWED)
        const { reason: required } = CLOSE.authenticationRequired
        expect(await welcomeTo({ Origin: APP, Cookie: cookie }, {})).toBe(required)
      })
      expect(node.log.text).not.toContain(node.token('victim').split('.')[2])
    },
  )

  it('blocks itself at the fifth attempt from its address, and nobody else', async () => {
    await attack(async () => {
      for (let count = 0; count < 7; count += 1) await closeOf({ Origin: 'https://evil.test' })
      expect(await welcomeTo({ Origin: APP })).toBe('welcome')
    })
    expect(node.log.of('origin.refused').map(({ rule }) => rule)).toEqual([
      ...Array.from({ length: 5 }, () => 'unlisted'),
      'blocked',
      'blocked',
    ])
    expect(node.log.of('origin.blocked', { origin: 'https://evil.test', level: 'error' })).toHaveLength(1)
    expect(node.holdfast.origins.stats()).toMatchObject({ violations: 5, refused: 7, pairsBlocked: 1 })
    expect(node.holdfast.origins.unblock('https://evil.test', '127.0.0.1')).toBe(true)
    expect(node.log.of('origin.unblocked')).toHaveLength(1)
  })
})

describe('an origin of a tenant', () => {
  it('lets pages in for that tenant alone, and others are closed once it is known for whom they come', async () => {
    await beginAnew({
      environment: 'production',
      origins: [APP],
      tenants: { acme: { origins: ['https://acme.test'] }, globex: { origins: ['https://globex.test'] } },
    })
    await attack(async () => {
      const tokenOf = (tenant: string): object => ({ token: node.token('ada', { tenant }) })
      expect(await welcomeTo({ Origin: 'https://acme.test' }, tokenOf('acme'))).toBe('welcome')
      expect(await welcomeTo({ Origin: APP }, tokenOf('globex'))).toBe('welcome')
      expect(await welcomeTo({ Origin: 'https://acme.test' }, tokenOf('globex'))).toBe(reason)
      expect(await welcomeTo({ Origin: 'https://acme.test' }, tokenOf('initech'))).toBe(reason)
    })
    expect(node.log.of('origin.refused').map(({ tenant }) => tenant)).toEqual(['globex', 'initech'])
  })
})

describe('a decision', () => {
  it('T-005 of one policy is none of another: two nodes and two tenants judge the same origins by turns', async () => {
    const other = await AttackedNode.start({
      environment: 'production',
      origins: ['https://other.test'],
      tenants: { acme: { origins: ['https://*.acme.test'] }, globex: { origins: ['https://*.globex.test'] } },
    })
    const first = node
    const judge = async (by: AttackedNode, origin: string, tenant = 'acme'): Promise<string> => {
      node = by
      const outcome = await welcomeTo({ Origin: origin }, { token: by.token('ada', { tenant }) })
      node = first
      return outcome
    }
    await attack(async () => {
      for (let round = 0; round < 3; round += 1) {
        expect(await judge(first, APP)).toBe('welcome')
        expect(await judge(other, APP)).toBe(reason)
        expect(await judge(other, 'https://other.test')).toBe('welcome')
        expect(await judge(first, 'https://other.test')).toBe(reason)
        expect(await judge(other, 'https://x.acme.test', 'acme')).toBe('welcome')
        expect(await judge(other, 'https://x.acme.test', 'globex')).toBe(reason)
        expect(await judge(other, 'https://x.globex.test', 'globex')).toBe('welcome')
      }
    })
    await other.close()
  })
})

describe('an upgrade that means two things', () => {
  it.each<[string, Headers]>([
    ['two origins', { Origin: [APP, 'https://evil.test'] }],
    ['two origins, the right one last', { Origin: ['https://evil.test', APP] }],
    ['an origin and that of no site', { Origin: [APP, 'null'] }],
    ['two origins in one header', { Origin: `${APP}, https://evil.test` }],
    ['a tab in its origin', { Origin: `${APP}\t.evil.test` }],
    ['a carriage return in its origin', { Origin: `${APP}\rX: y` }],
    ['a line feed in its origin', { Origin: `${APP}\nX: y` }],
    ['an origin that goes on in the next line', { Origin: `${APP}\r\n .evil.test` }],
    ['an origin of 8 KB', { Origin: `https://${'a'.repeat(8_192)}.example.org` }],
    ['an empty origin', { Origin: '' }],
  ])('T-007 with %s is answered 400', async (_, headers) => {
    await attack(async () => expect(await statusOf(upgradeRequest(headers))).toBe(400))
  })

  it('T-007 is told of in the log, without what was sent', async () => {
    await attack(async () => {
      await statusOf(upgradeRequest({ Origin: [APP, 'https://user:hunter2@evil.test'] }))
    })
    expect(node.log.of('origin.refused', { rule: 'malformed', address: '127.0.0.1' })).toHaveLength(1)
    expect(node.log.text).not.toContain('hunter2')
  })

  it('T-007 is one with the same origin twice', async () => {
    await attack(async () => expect(await welcomeTo({ Origin: [APP, APP] })).toBe('welcome'))
  })
})

describe('a page that had its name pointed here', () => {
  const request = (host: string): string => `GET /health/ready HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
  const OTHERS = ['evil.test', 'evil.test:8000', 'localhost.evil.test', '127.0.0.1.evil.test']

  it('T-008 is sent away in development, where the node listens to this machine alone', async () => {
    await beginAnew({})
    await attack(async () => {
      for (const host of OTHERS) {
        expect(await statusOf(request(host))).toBe(421)
        expect(await statusOf(upgradeRequest({ Host: host }))).toBe(421)
      }
      for (const host of ['127.0.0.1', `localhost:${node.port}`, '[::1]']) {
        expect(await statusOf(request(host))).toBe(200)
        expect(await statusOf(upgradeRequest({ Host: host }))).toBe(101)
      }
    })
    const refused = { rule: 'unlisted', address: '127.0.0.1', action: 'evil.test', level: 'warn' }
    expect(node.log.of('host.refused', refused)).toHaveLength(2)
  })

  it('T-008 is sent away from a node that was told its names', async () => {
    await beginAnew({ environment: 'production', origins: [APP], hosts: ['app.example.com'] })
    await attack(async () => {
      for (const host of OTHERS) expect(await statusOf(upgradeRequest({ Host: host, Origin: APP }))).toBe(421)
      expect(await statusOf(request('evil.test'))).toBe(421)
      expect(await statusOf(request('app.example.com'))).toBe(200)
      expect(await welcomeTo({ Host: 'APP.example.com:8443', Origin: APP })).toBe('welcome')
    })
  })

  it('T-008 cannot say it by a header of proxies, nor with a second name', async () => {
    await beginAnew({
      environment: 'production',
      origins: [APP],
      hosts: ['app.example.com'],
      trustedProxies: ['loopback'],
    })
    await attack(async () => {
      const forwarded = { Host: 'evil.test', 'X-Forwarded-Host': 'app.example.com', Forwarded: 'host=app.example.com' }
      expect(await statusOf(upgradeRequest(forwarded))).toBe(421)
      expect(await statusOf(upgradeRequest({ Host: ['app.example.com', 'evil.test'] }))).toBe(400)
    })
  })
})

describe('an upgrade to another path', () => {
  it.each([
    '/ws/../admin',
    '//ws',
    '/ws%2f',
    '/%77s',
    '/WS',
    '/ws/',
    '/ws;x',
    '/ws/../ws',
    'http://127.0.0.1/ws',
    '/health/live',
    '/',
  ])('T-013 to %s is answered as if there were nothing', async (path) => {
    const headers = { Origin: APP }
    await attack(async () => expect(await statusOf(upgradeRequest(headers, `GET ${path} HTTP/1.1`))).toBe(404))
  })

  it('T-013 passes the same checks with a query behind the path, and for one operation', async () => {
    await attack(async () => {
      for (const path of ['/ws?x=1', '/ws/operations/import-1', '/ws?channel=room:1&origin=https://app.example.com']) {
        const socket = new RawSocket(node)
        await socket.ask(upgradeRequest({ Origin: 'https://evil.test' }, `GET ${path} HTTP/1.1`))
        expect(await socket.refused()).toEqual(NOT_ALLOWED)
        await socket.ended()
        expect(await statusOf(upgradeRequest({ Origin: [APP, 'null'] }, `GET ${path} HTTP/1.1`))).toBe(400)
      }
    })
  })

  it('T-013 leaves the routes of the application behind it to their own server', async () => {
    const server = createServer((_, response) => response.end('page')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const detach = node.holdfast.attach(server)
    await attack(async () => {
      const socket = new RawSocket({ port: (server.address() as AddressInfo).port })
      expect((await socket.ask(upgradeRequest({ Origin: APP }, 'GET /page HTTP/1.1'))).status).toBe(404)
      socket.destroy()
    })
    detach()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('the address of a client', () => {
  it('T-086 is what trusted proxies say, from the right, and what nobody else can say', async () => {
    await attack(async () => {
      await closeOf({ Origin: 'https://evil.test', 'X-Forwarded-For': '203.0.113.7' })
    })
    expect(node.log.of('origin.refused').map(({ address }) => address)).toEqual(['127.0.0.1'])
    await beginAnew({ environment: 'production', origins: [APP], trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
    await attack(async () => {
      const said = ['8.8.8.8, 203.0.113.7, 10.0.0.2', '203.0.113.7, unknown', ['8.8.8.8', '203.0.113.9']]
      for (const forwarded of said) await closeOf({ Origin: 'https://evil.test', 'X-Forwarded-For': forwarded })
    })
    const addresses = node.log.of('origin.refused').map(({ address }) => address)
    expect(addresses).toEqual(['203.0.113.7', '127.0.0.1', '203.0.113.9'])
  })
})
