import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { AttackedNode } from './kit/attacked-node.js'
import { Neighbour } from './kit/neighbour.js'
import { RawSocket } from './kit/raw-socket.js'

const CANARY = 'canary-5f1c0d'
const ALL = ['operations', 'notify', 'channels', 'connections', 'revoke', 'stats', 'keys']

let node: AttackedNode
let neighbour: Neighbour

beforeAll(async () => {
  node = await AttackedNode.start()
  neighbour = await Neighbour.beside(node)
})

afterAll(async () => {
  await neighbour.isWell()
  await neighbour.leave()
  await node.close()
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** Asks as somebody: text that is no JSON is sent as it stands. */
async function ask(line: string, token?: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ')
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...more,
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(`http://127.0.0.1:${node.port}/api/v1${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: text }),
  })
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}

/** What a server says to these bytes until it hangs up, which it has to do. */
async function exchange(bytes: string, withinMs: number = 10_000): Promise<string> {
  const socket = new RawSocket({ port: node.port })
  let text = ''
  socket.socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.socket.write(bytes, 'latin1')
  await eventually(`the server hangs up after ${JSON.stringify(bytes.slice(0, 60))}`, () => socket.gone, withinMs)
  return text
}

/** Every address of the document that asks who comes, with its method, for something that has this id. On a stream that says it later. */
async function everyLine(id: string): Promise<readonly string[]> {
  const { paths } = JSON.parse((await ask('GET /openapi.json')).text) as { paths: Record<string, object> }
  return Object.entries(paths)
    .filter(([path]) => !/^\/(?:openapi\.json|docs|asyncapi\.json|stream.*)$/.test(path))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replace('{channel}', 'room:1').replace(/\{\w+\}/, id)}`,
      ),
    )
}

const codeOf = ({ text }: Answer): string => (JSON.parse(text) as { error: { code: string } }).error.code

describe('whoever is nobody', () => {
  it('is told the same at every address, whether there is something or not', async () => {
    await node.holdfast.tenant('acme').operations.start({ id: 'there', kind: 'import', owner: 'ada' })
    const [lines, others] = [await everyLine('there'), await everyLine('nothing')]
    expect(lines.length).toBeGreaterThan(20)
    for (const [at, line] of lines.entries()) {
      const [one, other] = [await ask(line), await ask(others[at] ?? '')]
      expect([line, one.status, one.text]).toEqual([line, 401, other.text])
      expect(codeOf(one)).toBe('unauthenticated')
    }
  })
})

describe('what belongs to another', () => {
  let made: ReturnType<typeof make> | undefined
  const theirs = (): ReturnType<typeof make> => (made ??= make())
  const make = async (): Promise<Record<'operation' | 'key' | 'connection' | 'notification', string>> => {
    const door = node.holdfast.tenant('victim')
    await door.operations.start({ id: 'secret-operation', kind: 'import', owner: 'ada', label: CANARY })
    const { id: key } = await door.keys.create({ name: CANARY, grants: {} })
    const boss = node.token('boss', { tenant: 'victim', permissions: ALL })
    const notification = 'secret-notification'
    await ask('POST /users/ada/notifications', boss, { id: notification, title: CANARY, receipt: true })
    const client = await RawSocket.welcomed({ port: node.port }, node.token('ada', { tenant: 'victim' }))
    const listed = JSON.parse((await ask('GET /connections', boss)).text) as { items: { id: string }[] }
    client.destroy()
    return { operation: 'secret-operation', key, connection: listed.items[0]?.id ?? '', notification }
  }

  it('T-120 is the same as what does not exist: status, text and headers, whatever the permission', async () => {
    const ids = await theirs()
    const mallory = node.token('mallory', { permissions: ALL })
    const tries: [string, string, unknown?][] = [
      ['GET /operations/{id}', ids.operation],
      ['PATCH /operations/{id}', ids.operation, { done: 1 }],
      ['POST /operations/{id}/attempts', ids.operation, { force: true }],
      ['POST /operations/{id}/complete', ids.operation, {}],
      ['POST /operations/{id}/fail', ids.operation, { error: { message: 'x' } }],
      ['POST /operations/{id}/cancel', ids.operation],
      ['POST /operations/{id}/heartbeat', ids.operation],
      ['DELETE /keys/{id}', ids.key],
      ['POST /keys/{id}/rotate', ids.key, {}],
      ['DELETE /connections/{id}', ids.connection],
      ['GET /notifications/{id}', ids.notification],
    ]
    for (const [line, id, body] of tries) {
      const nothing = /^[0-9a-f]{16}$/.test(id) ? '0123456789abcdef' : 'nothing'
      const [one, other] = [
        await ask(line.replace('{id}', id), mallory, body),
        await ask(line.replace('{id}', nothing), mallory, body),
      ]
      expect([line, one.status, codeOf(one)]).toEqual([line, 404, 'not_found'])
      const told = ({ text, headers }: Answer): unknown => [text, [...headers].filter(([name]) => name !== 'date')]
      expect(told(one)).toEqual(told(other))
    }
  })

  it('T-120 is in no list', async () => {
    await theirs()
    const mallory = node.token('mallory', { permissions: ALL })
    for (const path of ['/keys', '/connections', '/channels', '/stats', '/limits'])
      expect((await ask(`GET ${path}`, mallory)).text).not.toMatch(new RegExp(`${CANARY}|victim|secret-operation`))
  })
})

describe('a body', () => {
  const line = 'POST /channels/room:1/messages'

  it('T-089 that is huge, deep or wide is refused before it is understood', async () => {
    const ada = node.token('ada')
    const deep = `{"data":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`
    for (const [body, status] of [
      [`{"data":"${'x'.repeat(150_000)}"}`, 413],
      [deep.slice(0, 60_000), 400],
      [`{"data":${'['.repeat(30_000)}`, 400],
      [`{"data":{${Array.from({ length: 5_000 }, (_, n) => `"k${n}":1`).join()}}}`, 400],
      [`{${Array.from({ length: 5_000 }, (_, n) => `"k${n}":1`).join()}}`, 400],
    ] as const)
      expect((await ask(line, ada, body)).status).toBe(status)
  })

  it('T-089 that never comes is given up, and nobody waits for it', async () => {
    const head = `POST /api/v1/channels/room:1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${node.token('ada')}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`
    const slow = exchange(head, 15_000)
    expect((await ask(line, node.token('ada'), { data: 1 })).status).toBe(201)
    expect(await slow).toMatch(/^HTTP\/1\.1 408 /)
  }, 30_000)

  it('T-088 sets nothing but what it may, and says which member it was', async () => {
    const worker = node.token('worker', { permissions: ['operations'] })
    for (const member of ['tenant', 'state', 'version', 'attempt', 'createdAt', '__proto__', 'constructor']) {
      const { status, text } = await ask('POST /operations', worker, `{"kind": "import", "${member}": "x"}`)
      expect([member, status]).toEqual([member, 400])
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'bad_request', field: member } })
    }
    const from = await ask(line, node.token('ada'), { data: 1, from: { system: true } })
    expect([from.status, codeOf(from)]).toEqual([400, 'bad_request'])
  })

  it('that names a member twice is refused: two readers could take either', async () => {
    for (const body of [
      '{"data":1,"data":2}',
      '{"event":"a","data":1,"event":"b"}',
      '{"data":1,"event":"a","ev\\u0065nt":"b"}',
    ])
      expect((await ask(line, node.token('ada'), body)).status).toBe(400)
  })
})

describe('a request', () => {
  it('T-092 has one method and one path: nothing overrides them, and nothing decodes to another address', async () => {
    const ada = node.token('ada')
    const override = { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE', 'x-method-override': 'DELETE' }
    expect((await ask('GET /channels/room:1/presence', ada, undefined, override)).status).toBe(200)
    for (const path of [
      '/channels/room:1%2fmessages',
      '/channels/room:1%2Fpresence',
      '/channels%2froom:1/messages',
      '/channels//messages',
      '/channels/room:1/messages/',
      '/channels/room:1/./messages',
      '/channels/x/../room:1/messages',
      '/channels/room:1/messages%00',
      '/channels/room:1;x=1/messages',
      '/channels/%72oom:1/messages',
      '/channels/room:1/MESSAGES',
      '/channels/room:1/messages%3Flimit=1',
      '/channels/room:1%zz/messages',
    ]) {
      const text = await exchange(
        `GET /api/v1${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${ada}\r\nConnection: close\r\n\r\n`,
      )
      expect(text, path).toMatch(/^HTTP\/1\.1 (?:400|404) /)
    }
  })

  it('T-093 carries no second one in its headers', async () => {
    const ada = node.token('ada')
    const text = await exchange(
      `GET /api/v1/channels/room:1/presence HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${ada}\r\nIdempotency-Key: a\r\n b\r\nConnection: close\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    for (const value of ['a%0d%0aSet-Cookie: x=1', 'a\\r\\nX: y']) {
      const { headers } = await ask('POST /channels/room:1/messages', ada, { data: 1 }, { 'idempotency-key': value })
      expect([...headers.keys()].filter((name) => name === 'set-cookie' || name === 'x')).toEqual([])
    }
  })

  it('T-086 has the address of its socket, whatever it says of itself', async () => {
    await ask('GET /stats', 'not-a-token', undefined, {
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
    })
    expect(node.log.text).not.toContain('203.0.113.9')
  })
})

describe('the log', () => {
  it('T-110 holds nothing of what was sent: no data, credential, query or key', async () => {
    const ada = node.token('ada', { permissions: ['keys'] })
    await ask(
      'POST /channels/room:1/messages',
      ada,
      { data: CANARY, key: `k-${CANARY}` },
      { 'idempotency-key': `i-${CANARY}` },
    )
    await ask('POST /channels/staff:1/messages', ada, { data: CANARY })
    await ask(`GET /channels/room:1/messages?limit=${CANARY}`, ada)
    await ask('GET /stats', `${CANARY}.a.b`)
    await ask(`GET /stats?token=${CANARY}`)
    await ask('POST /channels/room:1/messages', ada, `{"data": "${CANARY}"`)
    const made = JSON.parse((await ask('POST /keys', ada, { name: 'k', grants: {} })).text) as { key: string }
    await ask('GET /channels/room:1/messages', made.key)
    for (const secret of [CANARY, ada, made.key]) expect(node.log.text).not.toContain(secret)
  })
})
