import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type RequestListener, type Server, createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { machineTime } from '../../../../tests/kit/machine-time.js'
import { systemClock } from '../clock.js'
import type { AuditEvent, AuditFields } from '../telemetry/audit.js'
import { type GuardedOutboundOptions, guardedOutbound } from './guarded-outbound.js'
import type { OutboundAnswer, OutboundRequest } from './outbound.js'

const undo: (() => void)[] = []
let folder: string
let certificate: { readonly key: string; readonly cert: string }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outbound-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=t',
  ]
  const names = ['-addext', 'subjectAltName=DNS:keys.test,IP:127.0.0.1']
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...names], { stdio: 'ignore' })
  certificate = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
})

afterAll(() => rmSync(folder, { recursive: true }))

afterEach(() => {
  for (const task of undo.splice(0)) task()
})

/** Listens on a loopback address; answers its port. */
async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  undo.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** A server that counts what reaches it. */
async function serve(
  listener: RequestListener = (_, response) => response.end('hello'),
): Promise<{ port: number; url: URL; requests: string[] }> {
  const requests: string[] = []
  const port = await listen(
    createServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.host}`)
      listener(request, response)
    }),
  )
  return { port, url: new URL(`http://127.0.0.1:${port}/keys?a=1`), requests }
}

interface Refusal {
  readonly event: AuditEvent
  readonly fields: AuditFields
}

function client(options: Partial<GuardedOutboundOptions> = {}): {
  get(url: string | URL, more?: Partial<OutboundRequest>): Promise<OutboundAnswer>
  refusals: Refusal[]
} {
  const refusals: Refusal[] = []
  const audit = { record: (event: AuditEvent, fields: AuditFields): void => void refusals.push({ event, fields }) }
  const outbound = guardedOutbound({ allowPrivate: true, clock: systemClock, audit, ...options })
  return { refusals, get: (url, more = {}) => outbound({ url: new URL(url), method: 'GET', ...more }) }
}

describe('a request', () => {
  it('is answered with status, headers and text', async () => {
    const { url, requests, port } = await serve((_, response) => {
      response.writeHead(404, { 'x-one': 'a', 'set-cookie': ['b', 'c'] }).end('nö')
    })
    const answer = await client().get(url)
    expect(answer).toMatchObject({ status: 404, headers: { 'x-one': 'a', 'set-cookie': 'b, c' }, body: 'nö' })
    expect(requests).toEqual([`GET /keys?a=1 127.0.0.1:${port}`])
  })

  it('carries headers and a body', async () => {
    const { url } = await serve((request, response) => {
      const { 'x-key': key, 'content-length': length } = request.headers
      request.setEncoding('utf8').on('data', (text: string) => response.end([key, length, text].join(' ')))
    })
    const answer = await client().get(url, { method: 'POST', headers: { 'x-key': 'k' }, body: 'grüße' })
    expect(answer.body).toBe('k 7 grüße')
  })

  it('goes to a server whose certificate names it, with TLS', async () => {
    const server = createHttpsServer(certificate, (_, response) => response.end('sealed'))
    const port = await listen(server)
    const resolve = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([{ address: '127.0.0.1', family: 4 }])
    const { get } = client({ ca: certificate.cert, resolve })
    await expect(get(`https://keys.test:${port}/`)).resolves.toMatchObject({ body: 'sealed' })
    await expect(get(`https://other.test:${port}/`)).rejects.toMatchObject({
      code: 'failed',
      message: 'the request failed: ERR_TLS_CERT_ALTNAME_INVALID',
    })
    await expect(client({ resolve }).get(`https://keys.test:${port}/`)).rejects.toMatchObject({ code: 'failed' })
  })

  it('keeps no connection, so that nothing is shared', async () => {
    const ports = new Set<number | undefined>()
    const { url } = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      response.end(request.headers.connection)
    })
    const { get } = client()
    expect((await get(url)).body).toBe('close')
    await get(url)
    expect(ports.size).toBe(2)
  })
})

describe('what may not be asked', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data',
    'https://169.254.169.254/',
    'https://[fd00:ec2::254]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::7f00:1]/',
    'https://0.0.0.0/',
    'https://[::]/',
    'https://2852039166/',
    'https://0xa9.0xfe.0xa9.0xfe/',
    'https://0251.0376.0251.0376/',
    'http://example.com@169.254.169.254/',
    'https://user:pass@127.0.0.1/',
    'https://user@127.0.0.1/',
    'http://1.1.1.1/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'data:application/json,{}',
    'ws://127.0.0.1/',
    'gopher://127.0.0.1/',
  ])('T-091 %s is refused, though private networks are allowed', async (url) => {
    const { get, refusals } = client()
    await expect(get(url)).rejects.toMatchObject({ name: 'OutboundError', code: 'blocked' })
    expect(refusals).toEqual([
      { event: 'outbound.blocked', fields: { rule: expect.any(String), action: 'GET', reason: new URL(url).host } },
    ])
  })

  it('T-091 private and loopback addresses get no request unless they are allowed, under any name', async () => {
    const { port, requests } = await serve()
    const hosts = ['127.0.0.1', '[::1]', '127.1', '2130706433', '0x7f000001', '017700000001', 'localhost', '10.0.0.1']
    const { get, refusals } = client({ allowPrivate: false })
    for (const protocol of ['http', 'https'])
      for (const host of hosts)
        await expect(get(`${protocol}://${host}:${port}/`)).rejects.toMatchObject({ code: 'blocked' })
    expect(requests).toEqual([])
    expect(refusals).toHaveLength(hosts.length * 2)
  })

  it('T-091 a name with one address that may not be asked is refused as a whole', async () => {
    const addresses = [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]
    const { get } = client({ allowPrivate: false, resolve: () => Promise.resolve(addresses) })
    await expect(get('https://keys.test/')).rejects.toMatchObject({ code: 'blocked' })
  })

  it('T-091 a name that means another machine after the check is asked at the address that was checked', async () => {
    const { port, requests } = await serve()
    const canary: string[] = []
    await listen(
      createServer((request, response) => {
        canary.push(request.url ?? '')
        response.end()
      }),
      '127.0.0.2',
      port,
    )
    let lookups = 0
    const resolve = (): Promise<{ address: string; family: number }[]> => {
      lookups += 1
      return Promise.resolve([{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }])
    }
    await expect(client({ resolve }).get(`http://keys.test:${port}/`)).resolves.toMatchObject({ body: 'hello' })
    expect(lookups).toBe(1)
    expect(requests).toHaveLength(1)
    expect(canary).toEqual([])
  })

  it('T-091 a redirect is an answer, and where it leads hears nothing', async () => {
    const canary = await serve()
    for (const status of [301, 302, 303, 307, 308]) {
      const { url } = await serve((_, response) => {
        response.writeHead(status, { location: canary.url.href }).end()
      })
      await expect(client().get(url)).resolves.toMatchObject({ status })
    }
    expect(canary.requests).toEqual([])
  })

  it('a path or query never stands in an error or in what is written down', async () => {
    const { get, refusals } = client({ allowPrivate: false })
    const error = await get('https://10.0.0.1/hooks/s3cr3t?key=s3cr3t').catch((thrown: unknown) => thrown)
    expect(`${String(error)}${JSON.stringify(refusals)}`).not.toContain('s3cr3t')
  })

  it('no proxy of the environment is asked', async () => {
    const proxy = await serve()
    const { url } = await serve()
    for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY']) {
      process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url.origin
      undo.push(() => Reflect.deleteProperty(process.env, name))
    }
    await client().get(url)
    expect(proxy.requests).toEqual([])
  })
})

describe('an answer', () => {
  it('may end with its connection', async () => {
    const { url } = await serve((request) => {
      request.socket.write('HTTP/1.0 200 OK\r\n\r\none ')
      setImmediate(() => request.socket.end('two'))
    })
    for (let time = 0; time < 20; time += 1)
      await expect(client().get(url)).resolves.toMatchObject({ status: 200, body: 'one two' })
  })

  it('T-091 that is too long ends while it comes, however it says so', async () => {
    const declared = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 10_000_000 }).write('x')
    })
    const endless = await serve((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    for (const { url } of [declared, endless])
      await expect(client().get(url)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('may have exactly as many bytes as are allowed', async () => {
    const { url } = await serve((_, response) => response.end('ü'.repeat(50)))
    await expect(client({ bytesMax: 100 }).get(url)).resolves.toMatchObject({ status: 200 })
    await expect(client({ bytesMax: 99 }).get(url)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('T-091 has to be complete in time: silence, slow headers, slow bodies and slow names all end', async () => {
    const silent = await serve(() => undefined)
    const slow = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const trickle = createTcpServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ')
      const timer = setInterval(() => socket.write('H'), 20)
      socket.on('error', () => undefined).on('close', () => clearInterval(timer))
    })
    await new Promise<void>((resolve) => trickle.listen(0, '127.0.0.1', resolve))
    undo.push(() => trickle.close())
    const { port } = trickle.address() as AddressInfo
    for (const url of [silent.url, slow.url, new URL(`http://127.0.0.1:${port}/`)]) {
      const began = machineTime()
      await expect(client({ timeoutMs: 150 }).get(url)).rejects.toMatchObject({ code: 'timeout' })
      expect(machineTime() - began).toBeLessThan(1_500)
    }
    const never = client({ timeoutMs: 50, resolve: () => new Promise(() => undefined) })
    await expect(never.get('https://keys.test/')).rejects.toMatchObject({ code: 'timeout' })
  })

  it('that ends early, is no HTTP, or is not there has failed', async () => {
    const cut = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('x')
      setImmediate(() => request.socket.destroy())
    })
    const upgrading = await serve((request) => {
      request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    const garbage = await serve((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'))
    const { port } = await serve()
    for (const task of undo.splice(-1)) task()
    for (const url of [cut.url, upgrading.url, garbage.url, new URL(`http://127.0.0.1:${port}/`)])
      await expect(client().get(url)).rejects.toMatchObject({ code: 'failed' })
    const unknown = client({ resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) })
    await expect(unknown.get('https://keys.test/')).rejects.toThrow('the request failed: ENOTFOUND')
    const empty = client({ resolve: () => Promise.resolve([]) })
    await expect(empty.get('https://keys.test/')).rejects.toMatchObject({ code: 'failed' })
  })
})
