import { connect as connectHttp2 } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { printFigures } from '../kit/figures.js'
import { SeededRandom, seedOfThisRun } from '../kit/seeded-random.js'
import { upgradeRequest as mutatedRequest } from '../reliability/upgrade-grammar.js'
import { Battlefield, attackBeside } from './kit/attack.js'
import { AttackedNode, SECRET } from './kit/attacked-node.js'
import { Neighbour } from './kit/neighbour.js'
import { OPCODE, RawSocket, frame, upgradeRequest } from './kit/raw-socket.js'

let node: AttackedNode
let field: Battlefield<AttackedNode>

beforeAll(async () => {
  // What is tested here is what requests are made of, not how many there are.
  const many = 1_000_000
  node = await AttackedNode.start({
    limits: { handshakesPerSecondMax: many, failedAuthenticationsPerMinuteMax: many },
  })
  field = await Battlefield.on(node)
})

afterAll(async () => {
  await field.leave()
  await node.close()
})

const attack = <T>(attacking: () => Promise<T>): Promise<T> => field.attack(attacking)

/** The status that a request gets; 0 where the server hangs up without one. */
async function statusOf(request: string | Buffer): Promise<number> {
  const socket = new RawSocket(node)
  socket.write(request)
  await eventually('an answer or the end', () => socket.answer !== undefined || socket.gone)
  socket.destroy()
  return socket.answer?.status ?? 0
}

describe('requests that do not arrive', () => {
  it('T-009 a request of which a byte comes now and then, or none, is given up after six seconds, and others do not wait', async () => {
    await attack(async () => {
      const request = upgradeRequest()
      const [begunAt, begun] = [performance.now(), machineTime()]
      const slow = Array.from({ length: 60 }, () => new RawSocket(node))
      const silent = Array.from({ length: 60 }, () => new RawSocket(node))
      const ending = Promise.all([...slow, ...silent].map(endOf))
      let sent = 0
      const timer = setInterval(() => {
        for (const socket of slow) socket.write(request[sent] ?? '')
        sent += 1
      }, 150)
      const connects: number[] = []
      while (performance.now() - begunAt < 4_000) {
        const askedAt = machineTime()
        const honest = await RawSocket.welcomed(node, node.token('honest'))
        connects.push(machineTime() - askedAt)
        honest.destroy()
        await pause(50)
      }
      const ends = await ending
      clearInterval(timer)
      const lives = ends.map(({ lived }) => lived - begun)
      printFigures('slow requests', {
        'honest connections': connects.length,
        'the slowest of them, ms': Math.max(...connects),
        'the longest life of a slow one, ms': Math.max(...lives),
      })
      expect(Math.max(...lives)).toBeLessThan(7_500)
      expect(Math.min(...ends.map(({ at }) => at - begunAt))).toBeGreaterThan(4_000)
      expect(Math.max(...connects)).toBeLessThan(1_000)
      expect(new Set(slow.map(({ text }) => text.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 408']))
    })
  })

  async function endOf(socket: RawSocket): Promise<{ at: number; lived: number }> {
    await socket.ended()
    return { at: performance.now(), lived: machineTime() }
  }
})

describe('requests that are not what they should be', () => {
  const UPGRADES = Number(process.env['HOLDFAST_ABUSE_UPGRADES'] ?? 20_000)
  const LANES = 24
  const SEED = seedOfThisRun()

  it(`T-010 mutated upgrades, with frames behind them or cut off anywhere, end in an answer or a close and nothing else (seed ${SEED})`, async () => {
    const answers = await attack(async () => {
      const answers = new Map<number, number>()
      const lane = async (random: SeededRandom): Promise<void> => {
        for (let sent = 0; sent < UPGRADES / LANES; sent += 1) {
          const status = await (random.once(8) ? vanishing(random) : answered(random))
          answers.set(status, (answers.get(status) ?? 0) + 1)
        }
      }
      await Promise.all(Array.from({ length: LANES }, (_, at) => lane(new SeededRandom(SEED + at))))
      return answers
    })
    printFigures('mutated upgrades', Object.fromEntries(answers))
    expect([...answers.keys()].filter((status) => status >= 500 && status !== 503)).toEqual([])
    expect(answers.get(101)).toBeGreaterThan(UPGRADES / 100)
    expect(node.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  }, 600_000)

  /** Sends a request and all that is behind it, and waits until the server lets go. */
  async function answered(random: SeededRandom): Promise<number> {
    const socket = new RawSocket({ port: node.port, allowHalfOpen: true })
    const extra = random.once(4) ? frame('{"type":"ping"}', { reserved: random.between(0, 7) }) : Buffer.alloc(0)
    socket.socket.end(Buffer.concat([mutatedRequest(random), extra]))
    await socket.ended(20_000)
    return socket.answer?.status ?? 0
  }

  /** Sends a right request with a credential that takes a moment, and is gone in the middle. */
  async function vanishing(random: SeededRandom): Promise<number> {
    const socket = new RawSocket(node)
    socket.write(upgradeRequest())
    socket.say({ type: 'hello', token: node.token(`gone-${random.between(0, 100_000)}`) })
    await new Promise((resolve) => {
      socket.socket.once(random.once(2) ? 'connect' : 'data', resolve)
    })
    if (random.once(2)) socket.socket.resetAndDestroy()
    else socket.destroy()
    await socket.ended()
    return socket.answer?.status ?? 0
  }

  const many = (count: number, name: (at: number) => string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [name(at), '']))

  it.each<[string, Parameters<typeof upgradeRequest>[0]]>([
    ['of 3,000 headers', many(3_000, (at) => `x-${at}`)],
    [
      'of 3,000 short headers before the one that asks',
      { Upgrade: undefined, ...many(3_000, (at) => at.toString(36)), upgrade: 'websocket' },
    ],
    ['with a header of 17 KB', { Cookie: 'a'.repeat(17 * 1_024) }],
    ['that asks twice', { Upgrade: ['websocket', 'websocket'] }],
    ['that does not say for what', { Upgrade: undefined }],
    ['that asks for nothing', { Upgrade: '' }],
    ['with two keys', { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] }],
    ['with a space before the colon', { 'Upgrade ': 'websocket' }],
    ['with a NUL in a header', { Cookie: 'a\0b' }],
    ['of a host that is none', { Host: '127z0.0.1', Upgrade: '' }],
    ['with a folded header', { Cookie: 'a\r\n b' }],
  ])('T-011 a request %s is answered as a mistake of the client', async (_, headers) => {
    expect([400, 404, 431]).toContain(await attack(() => statusOf(upgradeRequest(headers))))
  })

  it('T-011 headers named like members of every object are headers like others', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']
    const headers = Object.fromEntries(names.map((name) => [name, 'polluted']))
    Object.defineProperty(headers, '__proto__', { value: 'polluted', enumerable: true })
    await attack(async () => {
      const socket = await RawSocket.upgraded(node, headers)
      socket.say({ type: 'hello', token: node.token('mallory') })
      await socket.message('welcome')
      socket.destroy()
    })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  const LONG = 12_000
  it.each<[string, string]>([
    ['names without end', 'a;'.repeat(LONG / 2)],
    ['offers without end', 'permessage-deflate,'.repeat(LONG / 20)],
    ['a quote that never closes', `permessage-deflate; x="${'\\"'.repeat(LONG / 2)}`],
    ['spaces without end', `a${' '.repeat(LONG)}b`],
    ['separators only', ','.repeat(LONG)],
    ['names of a prototype', '__proto__, constructor, toString; hasOwnProperty; __proto__=1'],
    ['windows that cannot be', 'permessage-deflate; server_max_window_bits=99; client_max_window_bits=0'],
  ])('T-012 lists of subprotocols and extensions with %s are read in no time and agreed to never', async (_, list) => {
    await attack(async () => {
      for (const name of ['Sec-WebSocket-Extensions', 'Sec-WebSocket-Protocol']) {
        const socket = new RawSocket(node)
        const askedAt = machineTime()
        const { status, headers } = await socket.ask(upgradeRequest({ [name]: list }))
        expect(machineTime() - askedAt).toBeLessThan(500)
        expect([101, 400]).toContain(status)
        expect(headers['sec-websocket-extensions']).toBeUndefined()
        expect(headers['sec-websocket-protocol'] ?? 'holdfast.v1+json').toBe('holdfast.v1+json')
        socket.destroy()
      }
    })
  })

  it.each<[string, Parameters<typeof upgradeRequest>, number[]]>([
    ['of version 8', [{ 'Sec-WebSocket-Version': '8' }], [426]],
    ['of version 0', [{ 'Sec-WebSocket-Version': '0' }], [426]],
    ['of two versions', [{ 'Sec-WebSocket-Version': ['13', '8'] }], [426]],
    ['without a version', [{ 'Sec-WebSocket-Version': undefined }], [426]],
    ['without a key', [{ 'Sec-WebSocket-Key': undefined }], [400]],
    ['with a short key', [{ 'Sec-WebSocket-Key': 'YQ==' }], [400]],
    ['with a key that is not base64', [{ 'Sec-WebSocket-Key': '!'.repeat(24) }], [400]],
    ['by POST', [{}, 'POST /ws HTTP/1.1'], [405]],
    ['by HEAD', [{}, 'HEAD /ws HTTP/1.1'], [405]],
    ['by OPTIONS', [{}, 'OPTIONS /ws HTTP/1.1'], [405]],
    ['by CONNECT', [{}, 'CONNECT /ws HTTP/1.1'], [0, 400, 405]],
    ['in HTTP/1.0', [{}, 'GET /ws HTTP/1.0'], [400]],
    ['in HTTP/2.0 by its first line', [{}, 'GET /ws HTTP/2.0'], [400]],
  ])('T-014 an upgrade %s is refused', async (_, request, expected) => {
    expect(expected).toContain(await attack(() => statusOf(upgradeRequest(...request))))
  })

  it('T-014 a refused version is told which one is right', async () => {
    const socket = new RawSocket(node)
    const { headers } = await socket.ask(upgradeRequest({ 'Sec-WebSocket-Version': '8' }))
    expect(headers['sec-websocket-version']).toBe('13')
    await socket.ended()
  })

  it.each([
    ['with a length', { 'Content-Length': '5' }, 'hello'],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n\r\n'],
    ['with a length and in chunks', { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'],
    ['that is a request', { 'Content-Length': '38' }, 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('T-017 an upgrade with a body %s is refused, and the body is no request', async (_, headers, body) => {
    const answers = await attack(async () => {
      const socket = new RawSocket(node)
      socket.write(upgradeRequest(headers) + body)
      await socket.ended()
      return socket.text.match(/HTTP\/1\.1 \d+/g)
    })
    expect(answers).toEqual(['HTTP/1.1 400'])
  })

  it('T-017 frames that came before the answer are the first of the connection', async () => {
    await attack(async () => {
      const socket = new RawSocket(node)
      const hello = frame(JSON.stringify({ type: 'hello', token: node.token('early') }))
      const ping = frame(JSON.stringify({ type: 'ping', id: 7 }))
      await socket.ask(Buffer.concat([Buffer.from(upgradeRequest()), hello, ping]))
      await socket.message('welcome')
      await socket.message('pong', { id: 7 })
      socket.destroy()
    })
  })

  it('T-017 what came before the answer has no more room than any first frame', async () => {
    const end = await attack(async () => {
      const socket = new RawSocket(node)
      const hello = { type: 'hello', token: node.token('early'), client: { name: 'a', padding: 'x'.repeat(17_000) } }
      socket.write(Buffer.concat([Buffer.from(upgradeRequest()), frame(JSON.stringify(hello))]))
      return socket.ended()
    })
    expect(end).toEqual({ code: 1009, reason: 'Message too big' })
  })

  it('T-018 a WebSocket inside HTTP/2 is refused: HTTP/2 is not spoken', async () => {
    const error = await attack(
      () =>
        new Promise<unknown>((resolve, reject) => {
          const session = connectHttp2(`http://127.0.0.1:${node.port}`)
          const authority = `127.0.0.1:${node.port}`
          session.on('error', resolve)
          const headers = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', ':authority': authority }
          const stream = session.request({ ...headers, ':scheme': 'http', origin: 'https://evil.test' })
          stream.on('error', resolve)
          stream.on('response', () => reject(new Error('it was answered')))
        }),
    )
    expect(error).toBeInstanceOf(Error)
  })

  it('T-018 the offer to go on in HTTP/2 is answered as if it had not been made', async () => {
    const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }
    expect(await attack(() => statusOf(upgradeRequest(headers, 'GET /health/live HTTP/1.1')))).toBe(200)
    expect(await attack(() => statusOf(upgradeRequest(headers)))).toBe(404)
  })
})

describe('a token in the address', () => {
  it('T-019 is in no line of the log, be it good or bad', async () => {
    const good = node.token('addressed')
    const bad = `${node.token('addressed').slice(0, -8)}CANARY99`
    await attack(async () => {
      for (const token of [good, bad]) {
        const socket = new RawSocket(node)
        const headers = { 'Sec-WebSocket-Protocol': undefined }
        await socket.ask(upgradeRequest(headers, `GET /ws?token=${token}&channel=room:a HTTP/1.1`))
        await (token === good ? socket.message('welcome') : socket.ended())
        socket.destroy()
      }
    })
    expect(node.log.of('auth.failed')).not.toEqual([])
    for (const token of [good, bad]) {
      expect(node.log.text).not.toContain(token)
      expect(node.log.text).not.toContain(token.split('.')[2])
    }
  })
})

describe('a token in the address of a node in production', () => {
  it.each([
    ['is not read, unless the options say so', undefined],
    ['is read where the options say so, and is in no line of the log', true],
  ])('T-019 %s', async (_, queryToken) => {
    const production = await AttackedNode.start({
      environment: 'production',
      auth: { secret: SECRET, ...(queryToken && { queryToken }) },
      origins: { allow: ['https://app.example.com'], allowMissing: true },
    })
    const neighbour = await Neighbour.beside(production)
    const token = production.token('addressed')
    await attackBeside(neighbour, production, async () => {
      const socket = new RawSocket(production)
      const headers = { 'Sec-WebSocket-Protocol': undefined }
      await socket.ask(upgradeRequest(headers, `GET /ws?token=${token} HTTP/1.1`))
      if (queryToken) await socket.message('welcome')
      else {
        socket.say({ type: 'hello' })
        expect(await socket.refused()).toEqual({ code: 1008, reason: 'Authentication required' })
      }
      socket.destroy()
    })
    expect(production.log.text).not.toContain(token.split('.')[2])
    await neighbour.leave()
    await production.close()
  })
})

it('T-010 a client that hangs up while its socket is upgraded leaves nothing', async () => {
  await attack(async () => {
    for (let time = 0; time < 200; time += 1) {
      const socket = new RawSocket(node)
      socket.write(Buffer.concat([Buffer.from(upgradeRequest()), frame('', { opcode: OPCODE.ping, reserved: 4 })]))
      socket.socket.end()
      if (time % 2 === 0) socket.destroy()
      await socket.ended()
    }
  })
})
