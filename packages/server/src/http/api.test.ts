import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../clock.js'
import type { HoldfastOptions } from '../options.js'
import { type ApiAnswer, type ApiClient, apiClient, errorOf } from '../testing/api-client.js'
import { TEST_CHANNELS, TEST_SECRET, type TestNode, startNode } from '../testing/test-node.js'

let node: TestNode
let ada: ApiClient
let anybody: ApiClient
const lines: Record<string, unknown>[] = []
const note = (line: object): void => void lines.push(line as Record<string, unknown>)
const log = { debug: note, info: note, warn: note, error: note }

beforeAll(async () => {
  node = await startNode({ log })
  ada = apiClient(node, node.token('ada'))
  anybody = apiClient(node)
})

afterAll(() => node.close())

async function another(options: Partial<HoldfastOptions>): Promise<TestNode> {
  const made = await startNode(options)
  onTestFinished(() => made.close())
  return made
}

/** The answer to a request that is sent as it stands. */
async function raw(text: string): Promise<string> {
  const socket = connect(node.port, node.host)
  await once(socket, 'connect')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

describe('an address of the API', () => {
  it.each([
    '/nowhere',
    '/',
    '/channels/',
    '/channels/room:1/messages/',
    '//openapi.json',
    '/openapi.json/x',
    '/operations/a%2fb/x/y',
  ])('that is none is answered 404: %s', async (path) => {
    const { status, body, headers } = await anybody(`GET ${path}`)
    expect([status, body, headers.get('cache-control')]).toEqual([
      404,
      { error: { code: 'not_found', message: 'There is nothing at this address', retryable: false } },
      'no-store',
    ])
  })

  it('says which methods it takes', async () => {
    const refused = await anybody('DELETE /openapi.json')
    expect([errorOf(refused), refused.headers.get('allow')]).toEqual([
      [405, 'method_not_allowed'],
      'GET, HEAD, OPTIONS',
    ])
    const asked = await anybody('OPTIONS /channels/room:1/messages')
    expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'POST, GET, HEAD, OPTIONS'])
    const put = await ada('PUT /channels/room:1/messages', { body: { data: 1 } })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD, OPTIONS'])
  })

  it('answers HEAD as GET, without the body', async () => {
    const answer = await ada('HEAD /channels/room:1/messages')
    expect([answer.status, answer.body, answer.headers.get('content-type')]).toEqual([200, {}, 'application/json'])
    expect((await anybody('HEAD /channels/room:1/messages')).status).toBe(401)
  })

  it('is answered within this program, too', async () => {
    const headers = { authorization: `Bearer ${node.token('ada')}`, 'content-type': 'application/json' }
    const request = new Request('http://node/api/v1/channels/room:1/messages', {
      method: 'POST',
      headers,
      body: JSON.stringify({ data: 1 }),
    })
    expect((await node.holdfast.fetch(request)).status).toBe(201)
  })

  it('is described by the document', async () => {
    const { body } = await anybody('GET /openapi.json')
    expect(body['openapi']).toBe('3.1.0')
    expect(Object.keys(body['paths'] as object)).toContain('/channels/{channel}/messages')
  })
})

describe('a credential', () => {
  const line = 'GET /channels/room:1/messages'

  it.each<[string, Record<string, string>, string]>([
    ['none', {}, 'Bearer'],
    [
      'a token that is none',
      { authorization: 'Bearer x' },
      'Bearer error="invalid_token", error_description="The token or API key is not valid"',
    ],
    [
      'nothing behind Bearer',
      { authorization: 'Bearer' },
      'Bearer error="invalid_token", error_description="The token or API key is not valid"',
    ],
    [
      'another scheme',
      { authorization: 'Basic YTpi' },
      'Bearer error="invalid_token", error_description="The token or API key is not valid"',
    ],
    [
      'a key that is none',
      { authorization: `Bearer hf_0123456789abcdef_${'A'.repeat(43)}` },
      'Bearer error="invalid_token", error_description="The token or API key is not valid"',
    ],
  ])('is asked for: %s', async (_, headers, challenge) => {
    const answer = await anybody(line, { headers })
    expect([errorOf(answer), answer.headers.get('www-authenticate')]).toEqual([[401, 'unauthenticated'], challenge])
  })

  it('that has expired says so, and is no guess', async () => {
    const late = apiClient(node, node.token('ada', { ttlSeconds: -60 }))
    const { status, body } = await late(line)
    expect([status, body['error']]).toMatchObject([401, { code: 'unauthenticated', message: 'The token has expired' }])
  })

  it('that is over when the body has arrived is good no more', async () => {
    const person = { tenant: 'acme', user: 'ada', roles: [], grants: {}, tokenId: undefined, permissions: ['keys'] }
    let expiresAt = 0
    const own = await another({
      auth: {
        authenticate: async () => ({ identity: { ...person, expiresAt: (expiresAt ||= systemClock.now() + 300) } }),
      },
    })
    const socket = connect(own.port, own.host)
    socket.write('POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer x\r\n')
    socket.write('Content-Type: application/json\r\nContent-Length: 35\r\n\r\n{"name": "back door", ')
    await expect.poll(() => expiresAt > 0 && systemClock.now() > expiresAt, { interval: 20, timeout: 5_000 }).toBe(true)
    socket.write('"grants": {}}')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(await own.holdfast.tenant('acme').keys.list()).toEqual([])
  })

  it('in the address is none', async () => {
    expect(errorOf(await anybody(`${line}?token=${node.token('ada')}`))).toEqual([401, 'unauthenticated'])
  })

  it('that was refused stands in the log, without itself', async () => {
    await anybody(line, { headers: { authorization: 'Bearer canary-credential' } })
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'auth.failed', rule: 'invalid', action: 'http', address: '127.0.0.1' }),
    )
    expect(JSON.stringify(lines)).not.toContain('canary-credential')
  })

  it('is not needed where the options say what anybody may, and no more than that', async () => {
    const open = await another({
      auth: { secret: TEST_SECRET, anonymous: { tenant: 'acme', grants: { 'news:*': ['history'] } } },
      channels: { ...TEST_CHANNELS, 'news:*': { history: { size: 10, ttl: '1h', read: 'grant' } } },
    })
    const client = apiClient(open)
    expect((await client('GET /channels/news:1/messages')).status).toBe(200)
    expect(errorOf(await client(line))).toEqual([403, 'permission_denied'])
    expect(errorOf(await client('GET /stats'))).toEqual([403, 'permission_denied'])
  })

  it('that is not there is counted by its address, and has no Idempotency-Key', async () => {
    const open = await another({
      auth: { secret: TEST_SECRET, anonymous: { tenant: 'acme', grants: { 'news:*': ['history', 'publish'] } } },
      channels: { 'news:*': { publish: 'grant', history: { size: 10, ttl: '1h', read: 'grant' } } },
      limits: { commandsPerSecondMax: 4, publishesPerUserPerSecondMax: 1 },
    })
    const client = apiClient(open)
    const body = { data: 1 }
    const keyed = await client('POST /channels/news:1/messages', { body, headers: { 'idempotency-key': 'k' } })
    expect(errorOf(keyed)).toEqual([400, 'bad_request', 'Idempotency-Key'])
    const statuses = async (line: string, question: object): Promise<number[]> => {
      const answers = Array.from({ length: 6 }, () => client(line, question))
      return (await Promise.all(answers)).map(({ status }) => status)
    }
    expect(await statuses('POST /channels/news:1/messages', { body })).toContain(429)
    expect(await statuses('GET /channels/news:1/messages', {})).toContain(429)
  })

  it('is a guess that is counted for its address; good ones are never refused for it', async () => {
    const strict = await another({ limits: { failedAuthenticationsPerMinuteMax: 2 } })
    const guess = (): Promise<ApiAnswer> => apiClient(strict, 'guess')(line)
    expect([errorOf(await guess()), errorOf(await guess())]).toEqual([
      [401, 'unauthenticated'],
      [401, 'unauthenticated'],
    ])
    const refused = await guess()
    expect(errorOf(refused)).toEqual([429, 'rate_limited'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await apiClient(strict, strict.token('ada'))(line)).status).toBe(200)
  })

  it('is judged by a function of the application, and what that throws is nobody’s to see', async () => {
    const own = await another({
      log,
      auth: {
        authenticate: async (credential) => {
          if (credential === 'broken') throw new Error('the database is at 10.0.0.7')
          return {
            identity: {
              tenant: 'acme',
              user: credential,
              roles: [],
              grants: {},
              expiresAt: undefined,
              tokenId: undefined,
              permissions: ['stats'],
            },
          }
        },
      },
    })
    expect((await apiClient(own, 'ada')('GET /stats')).status).toBe(200)
    const { status, body } = await apiClient(own, 'broken')(line)
    expect([status, body['error']]).toMatchObject([
      500,
      { code: 'internal_error', message: 'Internal error', id: expect.any(String) as string },
    ])
    expect(JSON.stringify(body)).not.toContain('10.0.0.7')
    const { id } = body['error'] as { id: string }
    expect(lines).toContainEqual(expect.objectContaining({ event: 'http.failed', id }))
  })
})

describe('a page', () => {
  it('of an origin that a tenant does not allow gets nothing of it', async () => {
    const guarded = await another({
      environment: 'production',
      origins: { allow: ['https://app.example.com'], allowMissing: true },
      tenants: { other: { origins: ['https://other.example.com'] } },
    })
    const client = apiClient(guarded, guarded.token('ada'))
    const ask = (origin: string): Promise<ApiAnswer> => client('GET /channels/room:1/messages', { headers: { origin } })
    expect((await ask('https://app.example.com')).status).toBe(200)
    expect(errorOf(await ask('https://other.example.com'))).toEqual([403, 'permission_denied'])
    expect((await client('GET /channels/room:1/messages')).status).toBe(200)
  })
})

describe('too many requests', () => {
  it('of one user are refused, with the time to wait; another user is not', async () => {
    const slow = await another({ limits: { commandsPerSecondMax: 2 } })
    const client = apiClient(slow, slow.token('ada'))
    const answers = await Promise.all(Array.from({ length: 8 }, () => client('GET /channels/room:1/messages')))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(3)
    const told = refused[0]?.body['error'] as { retryAfter: number; retryable: boolean }
    expect([told.retryable, told.retryAfter > 0]).toEqual([true, true])
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(told.retryAfter / 1_000)
    expect((await apiClient(slow, slow.token('bob'))('GET /channels/room:1/messages')).status).toBe(200)
  })

  it('that are large are refused by their bytes', async () => {
    const slow = await another({ limits: { bytesPerSecondMax: 1_024, messageBytesMax: 2_048 } })
    const client = apiClient(slow, slow.token('ada'))
    const body = { data: 'x'.repeat(1_900) }
    const answers = []
    for (let n = 0; n < 4; n += 1) answers.push(await client('POST /channels/room:1/messages', { body }))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 429, 429])
  })

  it('that publish are counted message by message', async () => {
    const slow = await another({ limits: { publishesPerSecondMax: 2 } })
    const client = apiClient(slow, slow.token('ada'))
    const messages = Array.from({ length: 10 }, (_, data) => ({ channel: 'room:1', data }))
    const { body } = await client('POST /publish', { body: { messages } })
    const results = body['results'] as { error?: { code: string } }[]
    expect(results.slice(0, 4).every((result) => result.error === undefined)).toBe(true)
    expect(results.slice(-4).map((result) => result.error?.code)).toEqual(Array(4).fill('rate_limited'))
  })

  it('of a tenant are refused by its quotas', async () => {
    const small = await another({ tenants: { acme: { quotas: { channels: 1 } } } })
    const client = apiClient(small, small.token('ada'))
    expect((await client('POST /channels/room:1/messages', { body: { data: 1 } })).status).toBe(201)
    expect(errorOf(await client('POST /channels/room:2/messages', { body: { data: 1 } }))).toEqual([
      422,
      'limit_exceeded',
    ])
  })
})

describe('a body', () => {
  const send = (body: string, headers: Record<string, string> = {}): Promise<ApiAnswer> =>
    ada('POST /channels/room:1/messages', { body, headers })

  it.each<[string, string, unknown[]]>([
    ['no JSON', '{"data": nonsense}', [400, 'bad_request']],
    ['JSON that ends', '{"data": 1', [400, 'bad_request']],
    ['a number', '7', [400, 'bad_request']],
    ['null', 'null', [400, 'bad_request']],
    ['a member twice', '{"data": 1, "event": "a", "event": "b"}', [400, 'bad_request', 'event']],
    ['a member twice, in disguise', '{"data": 1, "d\\u0061ta": 2}', [400, 'bad_request']],
    ['what every object inherits', '{"data": 1, "__proto__": {"event": "x"}}', [400, 'bad_request', '__proto__']],
    ['nesting without end', `{"data": ${'['.repeat(100)}${']'.repeat(100)}}`, [400, 'bad_request']],
    [
      'members without end',
      `{"data": {${Array.from({ length: 300 }, (_, n) => `"m${n}": 1`).join()}}}`,
      [400, 'bad_request'],
    ],
    ['a number without end', '{"data": 1e999}', [400, 'bad_request']],
    ['half a character', '{"data": "\\ud800"}', [400, 'bad_request']],
  ])('is refused: %s', async (_, body, expected) => expect(errorOf(await send(body))).toEqual(expected))

  it('is told where it is wrong, and not what it says', async () => {
    const { body } = await send('{"data": "canary", nonsense}')
    expect(body['error']).toMatchObject({ message: expect.stringMatching(/^the body is not JSON/) as string })
    expect(JSON.stringify(body)).not.toContain('canary')
  })

  it('that is no JSON by its own word is refused: 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1'])
      expect(errorOf(await send('{"data": 1}', { 'content-type': type }))).toEqual([415, 'bad_request', 'Content-Type'])
    const packed = await send('{"data": 1}', { 'content-encoding': 'gzip' })
    expect(errorOf(packed)).toEqual([415, 'bad_request', 'Content-Encoding'])
  })

  it('that is too large is refused: 413, by what it says and by what it is', async () => {
    expect(errorOf(await send(`{"data": "${'x'.repeat(90_000)}"}`))).toEqual([413, 'limit_exceeded'])
    const head = `POST /api/v1/channels/room:1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${node.token('ada')}\r\nContent-Type: application/json\r\n`
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 413 /,
    )
  })

  it('is not read of whoever is nobody', async () => {
    const head =
      'POST /api/v1/channels/room:1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n'
    expect(await raw(`${head}Content-Length: 1000\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 401 /)
  })

  it('that never arrives whole keeps no node that wants to close', async () => {
    const own = await startNode()
    const socket = connect(own.port, own.host)
    const token = own.token('ada')
    socket.write(
      `POST /api/v1/channels/room:1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    )
    await apiClient(own, token)('GET /channels/room:1/messages')
    const gone = once(socket.resume(), 'close')
    await own.close()
    await gone
  })

  it('that is empty is one without members', async () => {
    expect(errorOf(await ada('POST /channels/room:1/messages'))).toEqual([400, 'bad_request', 'data'])
  })
})
