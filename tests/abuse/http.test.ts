import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../packages/standalone/src/clock.js'
import { loadConfiguration } from '../../packages/standalone/src/configuration.js'
import { type Standalone, startStandalone } from '../../packages/standalone/src/standalone-server.js'
import { eventually } from '../kit/deadline.js'
import { attackBeside } from './kit/attack.js'
import { AttackedNode, SECRET } from './kit/attacked-node.js'
import { LogLines } from './kit/log-lines.js'
import { Neighbour } from './kit/neighbour.js'
import { RawSocket } from './kit/raw-socket.js'

// The routes of the library on a port of its own, and those of the standalone server with its demo; both run in this process.

const APP = 'https://app.example.com'
const EVIL = 'https://evil.test'

let node: AttackedNode
let neighbour: Neighbour
let standalone: Standalone
let log: LogLines

beforeAll(async () => {
  node = await AttackedNode.start({ environment: 'production', origins: [APP] })
  neighbour = await Neighbour.beside(node, { headers: { origin: APP } })
  log = new LogLines()
  const configuration = await loadConfiguration({ env: { PORT: '0' }, flags: { demo: true } })
  const parts = { configuration, secret: SECRET, log: log as never, cwd: process.cwd(), clock: systemClock }
  standalone = await startStandalone(parts)
})

afterAll(async () => {
  await neighbour.leave()
  await node.close()
  await standalone.drain()
})

const attack = <T>(attacking: () => Promise<T>): Promise<T> => attackBeside(neighbour, node, attacking)

interface Exchange {
  /** Of every answer, in order. */
  readonly statuses: readonly number[]
  /** Of the first answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Everything that was said. */
  readonly text: string
}

/** What a server says to these bytes until it hangs up, which it has to do. */
async function exchange(port: number, bytes: string): Promise<Exchange> {
  const socket = new RawSocket({ port })
  let text = ''
  socket.socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.socket.write(bytes, 'latin1')
  await eventually(`the server hangs up after ${JSON.stringify(bytes.slice(0, 80))}`, () => socket.gone)
  const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status))
  return { statuses, headers: socket.answer?.headers ?? {}, text }
}

/** One request in full. */
function ask(port: number, line: string, headers: Record<string, string> = {}, body = ''): Promise<Exchange> {
  const all = { Host: '127.0.0.1', Connection: 'close', ...(body && { 'Content-Length': body.length }), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return exchange(port, `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

const portOf = {
  library: () => node.port,
  standalone: () => Number(new URL(standalone.url).port),
}

describe.each(['library', 'standalone'] as const)('the routes of the %s', (which) => {
  it('T-092 have one address and one method each', async () => {
    await attack(async () => {
      for (const line of [
        'TRACE /health/live',
        'DELETE /health/live',
        'GET /health%2flive',
        'GET //health/live',
        'GET /health//live',
        'GET /health/live/',
        'GET /x/../health/live',
        'GET /x/%2e%2e/health/live',
        'GET /./health/live',
        'GET /%68ealth/live',
        'GET /health\\live',
        'GET /HEALTH/live',
        'GET http://127.0.0.1/health/live',
      ]) {
        const { statuses } = await ask(portOf[which](), line)
        expect([[400], [404], [405]], line).toContainEqual(statuses)
      }
      const override = { 'X-HTTP-Method-Override': 'DELETE', 'X-HTTP-Method': 'DELETE', 'X-Method-Override': 'DELETE' }
      const { statuses, text } = await ask(portOf[which](), 'GET /health/live?_method=DELETE&a=1&a=2', override)
      expect([statuses, text]).toEqual([[200], expect.stringContaining('{"status":"live"}')])
    })
  })

  it('T-092 are asked in HTTP/1.1, or 1.0', async () => {
    await attack(async () => {
      for (const version of ['', ' HTTP/0.9', ' HTTP/2.0', ' HTTP/1.2', ' HTTP/1.1.1', ' http/1.1']) {
        const bytes = `GET /health/live${version}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`
        expect((await exchange(portOf[which](), bytes)).statuses, version).toEqual([400])
      }
    })
  })

  it('T-093 answer what two readers read differently with 400, hang up, and never look at what comes behind', async () => {
    const second = 'GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
    const get = (lines: string): string => `GET /health/live HTTP/1.1${lines}${second}`
    const post = (headers: string, body: string): string =>
      `POST /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n\r\n${body}${second}`
    await attack(async () => {
      for (const bytes of [
        post('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
        post('Transfer-Encoding: chunked\r\nContent-Length: 4', '0\r\n\r\n'),
        post('Content-Length: 4\r\nContent-Length: 5', 'abcd'),
        post('Content-Length: +4', 'abcd'),
        post('Transfer-Encoding: xchunked', '0\r\n\r\n'),
        post('Transfer-Encoding: chunked, identity', '0\r\n\r\n'),
        post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'),
        post('Transfer-Encoding : chunked', '0\r\n\r\n'),
        post('Transfer-Encoding:\x0bchunked', '0\r\n\r\n'),
        post('Transfer-Encoding: chunked', '1\n\r\na\r\n0\r\n\r\n'),
        post('Transfer-Encoding: chunked', '1;a\nb\r\na\r\n0\r\n\r\n'),
        get('\nHost: 127.0.0.1\n\n'),
        get('\r\nHost: 127.0.0.1\nX: y\r\n\r\n'),
        get('\rHost: 127.0.0.1\r\r'),
        get('\r\nHost: 127.0.0.1\r\nX: a\r'),
        get('\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n'),
        get('\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n'),
      ]) {
        const { statuses, text } = await exchange(portOf[which](), bytes)
        // What was whole before the mistake may have had its answer.
        expect(statuses.at(-1), bytes).toBe(400)
        expect(text, bytes).not.toContain('"ready"')
      }
    })
  })

  it('T-094 say to a page that is not allowed nothing that it could read, and to nobody what serves them', async () => {
    const wanted = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' }
    await attack(async () => {
      for (const { headers } of [
        await ask(portOf[which](), 'GET /nothing', { Origin: EVIL }),
        await ask(portOf[which](), 'PUT /health/live', { Origin: EVIL }, '{'),
        await ask(portOf[which](), 'OPTIONS /health/live', { Origin: EVIL, ...wanted }),
      ]) {
        const names = Object.keys(headers)
        // The standalone server runs in development here, where every page may read, without credentials.
        if (which === 'library') expect(names.filter((name) => name.startsWith('access-control'))).toEqual([])
        expect(headers).not.toHaveProperty('access-control-allow-credentials')
        expect(names.filter((name) => /^(?:server|x-powered-by)$/.test(name))).toEqual([])
        expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
      }
    })
    if (which === 'library')
      expect(node.log.of('origin.refused', { origin: EVIL, action: 'preflight', address: '127.0.0.1' })).toHaveLength(1)
  })

  it('T-094 say what is wrong in JSON, with a code and a sentence', async () => {
    await attack(async () => {
      for (const [line, body] of [['GET /nothing'], ['PUT /health/live', '{']] as const) {
        const { text, headers } = await ask(portOf[which](), line, {}, body)
        expect(headers['content-type']).toMatch(/^application\/json(?:; ?charset=utf-8)?$/i)
        expect(
          JSON.parse(
            text
              .slice(text.indexOf('\r\n\r\n'))
              .replace(/^\s*(?:[\da-f]+\r\n)?/, '')
              .split('\r\n')[0] ?? '',
          ),
        ).toEqual({
          error: {
            code: expect.any(String) as string,
            message: expect.any(String) as string,
            retryable: expect.any(Boolean) as boolean,
          },
        })
      }
    })
  })

  it('T-086 believe nobody that they were asked over TLS or by another name', async () => {
    await attack(async () => {
      const forwarded = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.test', Forwarded: 'host=evil.test' }
      for (const path of ['/', '/health/live']) {
        const { headers, text } = await ask(portOf[which](), `GET ${path}`, forwarded)
        expect(headers).not.toHaveProperty('strict-transport-security')
        expect(text).not.toContain('evil.test')
      }
    })
  })
})

describe('a mistake of ours', () => {
  it('T-094 is told by an id, under which the log has the rest', async () => {
    const handler = node.holdfast.protect(() => {
      throw new Error('connection to postgres://app:hunter2@db failed')
    })
    await attack(async () => {
      const answer = await handler(new Request('http://node/orders', { headers: { origin: EVIL } }))
      expect(answer.status).toBe(500)
      const { error } = (await answer.json()) as { error: { id: string } }
      expect(error).toEqual({
        code: 'internal_error',
        message: 'Internal error',
        retryable: true,
        id: expect.any(String) as string,
      })
      expect(node.log.of('http.failed', { id: error.id, level: 'error' })).toHaveLength(1)
    })
  })
})

describe('a proxy that ends TLS', () => {
  it('T-086 is believed where it is trusted', async () => {
    const behind = await AttackedNode.start({ environment: 'production', origins: [APP], trustedProxies: ['loopback'] })
    await attack(async () => {
      const headersFor = async (proto: string): Promise<object> =>
        (await ask(behind.port, 'GET /health/live', { 'X-Forwarded-Proto': proto })).headers
      expect(await headersFor('https')).toMatchObject({
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
      })
      for (const proto of ['http', 'https, http', ''])
        expect(await headersFor(proto)).not.toHaveProperty('strict-transport-security')
    })
    await behind.close()
  })
})

describe('a body for the tokens of the demo', () => {
  const body = '{"user":"ada"}'
  const post = (headers: Record<string, string>, text = body): Promise<Exchange> =>
    ask(portOf.standalone(), 'POST /demo/token', headers, text)

  it('T-085 is not taken as anything that a page may send unasked, or that only looks like JSON', async () => {
    await attack(async () => {
      for (const type of [
        undefined,
        'text/plain',
        'text/plain; application/json',
        'application/x-www-form-urlencoded',
        'application/json\ta',
        'application/json garbage',
        'application/json; x=y',
        'application/json; charset=utf-7',
        'application/jsonp',
        'application/json, text/plain',
      ]) {
        const { statuses, text } = await post(type === undefined ? {} : { 'Content-Type': type })
        expect(statuses, type).toEqual([415])
        expect(text).not.toContain('token"')
      }
    })
  })

  it('T-085 is taken as JSON, however that is written', async () => {
    await attack(async () => {
      for (const type of ['application/json', 'Application/JSON', 'application/json; charset=UTF-8'])
        expect((await post({ 'Content-Type': type })).statuses, type).toEqual([200])
    })
  })

  it('T-088 sets nothing but what it may: a member that is not asked for is a mistake of the client', async () => {
    await attack(async () => {
      const type = { 'Content-Type': 'application/json' }
      for (const member of [
        '"tenant":"acme"',
        '"roles":["admin"]',
        '"grants":{}',
        '"ttlSeconds":1e9',
        '"offset":1',
        '"__proto__":{"roles":["admin"]}',
      ])
        expect((await post(type, `{"user":"ada",${member}}`)).statuses, member).toEqual([400])
    })
  })

  it('T-089 is read up to its bound: not what is larger, compressed, endless or never comes', async () => {
    await attack(async () => {
      const type = { 'Content-Type': 'application/json' }
      expect((await post(type, `{"user":"${'a'.repeat(2_000_000)}"}`)).statuses[0]).toBe(413)
      expect((await post({ ...type, 'Content-Encoding': 'gzip' })).statuses).toEqual([415])
      const endless = `1000\r\n${' '.repeat(4_096)}\r\n`.repeat(50)
      const head =
        'POST /demo/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n'
      const chunked = await exchange(
        portOf.standalone(),
        `${head}Transfer-Encoding: chunked\r\n\r\n${endless}0\r\n\r\n`,
      )
      expect(chunked.statuses[0]).toBe(413)
    })
  })

  it('T-094 that is no JSON is a mistake of the client', async () => {
    await attack(async () => {
      expect((await post({ 'Content-Type': 'application/json' }, '{"user":')).statuses).toEqual([400])
    })
    expect(log.of('http.failed')).toEqual([])
  })
})
