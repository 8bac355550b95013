import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine, signToken } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { ROOT } from '../source-tree.js'
import { Battlefield } from './kit/attack.js'
import { AttackedNode, SECRET } from './kit/attacked-node.js'
import { OPCODE, RawSocket, frame, upgradeRequest } from './kit/raw-socket.js'

let node: AttackedNode
let field: Battlefield<AttackedNode>

/** Attackers come from here, so that what is counted by address is not the neighbour's. */
const ELSEWHERE = '127.0.0.2'

async function begin(options: Parameters<typeof AttackedNode.start>[0] = {}): Promise<void> {
  node = await AttackedNode.start(options)
  field = await Battlefield.on(node)
}

/** Begins anew with other options. */
async function restart(options: Parameters<typeof AttackedNode.start>[0]): Promise<void> {
  await end()
  await begin(options)
}

async function end(): Promise<void> {
  try {
    await field.leave()
  } finally {
    await node.close()
  }
}

beforeEach(() => begin())

afterEach(() => end())

function from(): { port: number; localAddress: string } {
  return { port: node.port, localAddress: ELSEWHERE }
}

function mallory(): Promise<RawSocket> {
  return RawSocket.welcomed(from(), node.token('mallory'))
}

function refused(limit: string): number {
  const counts: Readonly<Record<string, number>> = node.holdfast.stats().limits.refused
  return counts[limit] ?? 0
}

/** The errors that a socket was told, by code. */
function errors(socket: RawSocket, code: string): Readonly<Record<string, unknown>>[] {
  return socket.messages.filter((message) => message['type'] === 'error' && message['code'] === code)
}

/** How the socket was told to go, and to come back. */
function goodbye(socket: RawSocket): Readonly<Record<string, unknown>> {
  return socket.messages.find(({ type }) => type === 'goodbye') ?? {}
}

const OVER_RATE = { code: 1008, reason: 'Rate limit exceeded' }
const BACK_OFF = { reconnect: 'backoff', after: expect.any(Number) as unknown }

/** `count` frames one behind the other. */
function many(count: number, make: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)))
}

describe('upgrades', () => {
  it('T-015 far more than one address may ask for are answered 429 with a time to come back, and others are let in meanwhile', async () => {
    await restart({ limits: { handshakesPerSecondMax: 50 } })
    const answers = await field.attack(async () => {
      const startedAt = performance.now()
      const sockets = Array.from({ length: 600 }, () => new RawSocket(from()))
      const asked = sockets.map(async (socket) => (await socket.ask(upgradeRequest())).status)
      const honest = await RawSocket.welcomed(node, node.token('ada'))
      const statuses = await Promise.all(asked)
      const seconds = (performance.now() - startedAt) / 1_000
      const retry = sockets.map(({ answer }) => (answer?.status === 429 ? answer.headers['retry-after'] : '1'))
      for (const socket of [...sockets, honest]) socket.destroy()
      return { statuses, seconds, retry }
    })
    const taken = answers.statuses.filter((status) => status === 101).length
    expect(taken).toBeGreaterThanOrEqual(100)
    expect(taken).toBeLessThanOrEqual((100 + 50 * answers.seconds) * 1.05)
    expect(answers.statuses.filter((status) => status === 429)).toHaveLength(600 - taken)
    expect(new Set(answers.retry)).toEqual(new Set(['1']))
    expect(refused('handshakes')).toBe(600 - taken)
    const said = node.log.of('rate.limited', { rule: 'handshakes', address: ELSEWHERE })
    expect(said.length).toBeGreaterThan(0)
    expect(said.length).toBeLessThan(100)
  })

  it('T-015 from one address to another node count on both', async () => {
    const engine = new MemoryEngine()
    const limits = { handshakesPerSecondMax: 5 }
    await restart({ limits, engine, cluster: { secret: SECRET } })
    const other = await AttackedNode.start({ limits, engine, cluster: { secret: SECRET } })
    try {
      const began = performance.now()
      let welcomed = 0
      for (let turn = 0; turn < 14; turn += 1) {
        const at = turn % 2 === 0 ? node : other
        const socket = await RawSocket.upgraded({ port: at.port, localAddress: ELSEWHERE })
        socket.say({ type: 'hello', token: at.token(`user${turn}`) })
        const answer = await eventually('an answer', () => socket.messages[0])
        if (answer['type'] === 'welcome') welcomed += 1
        else expect(answer).toMatchObject({ type: 'goodbye', ...BACK_OFF, message: 'Rate limit exceeded' })
        socket.destroy()
      }
      expect(welcomed).toBeGreaterThanOrEqual(10)
      // What both begin with, and what they got back meanwhile.
      expect(welcomed).toBeLessThanOrEqual(10 + Math.ceil(((performance.now() - began) / 1_000) * 10))
    } finally {
      await other.close()
    }
  })

  it('T-015 that are never followed by hello are bounded by address and by node, and others wait no longer than they take', async () => {
    await restart({ limits: { newcomersPerAddressMax: 20, newcomersMax: 30 } })
    await field.attack(async () => {
      const silent = await Promise.all(Array.from({ length: 20 }, () => RawSocket.upgraded(from())))
      expect(node.holdfast.stats().limits.newcomers).toBe(20)
      const oneMore = await new RawSocket(from()).ask(upgradeRequest())
      expect(oneMore).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
      const third = { port: node.port, localAddress: '127.0.0.3' }
      const others = await Promise.all(Array.from({ length: 10 }, () => RawSocket.upgraded(third)))
      // Nobody is kept out by a few addresses that hold sockets open and say nothing.
      const fourth = { port: node.port, localAddress: '127.0.0.4' }
      const somebody = await eventually('there is room', () =>
        RawSocket.welcomed(fourth, node.token('ada')).catch(() => undefined),
      )
      await eventually('one of the many has to go', () => silent.filter(({ gone }) => gone).length === 1)
      expect(others.some(({ gone }) => gone)).toBe(false)
      others[0]!.say({ type: 'hello', token: node.token('ada') })
      await others[0]!.message('welcome')
      for (const socket of [...silent, ...others, somebody]) socket.destroy()
    })
    expect(refused('newcomersPerAddress')).toBe(1)
  })

  it('T-015 that are never followed by hello, from as many addresses as there are places, are bounded by node', async () => {
    await restart({ limits: { newcomersMax: 30 } })
    await field.attack(async () => {
      const visitors = Array.from({ length: 30 }, (_, n) => ({ port: node.port, localAddress: `127.0.1.${n + 1}` }))
      const silent = await Promise.all(visitors.map((visitor) => RawSocket.upgraded(visitor)))
      const nobody = await new RawSocket({ port: node.port, localAddress: '127.0.0.4' }).ask(upgradeRequest())
      expect(nobody.status).toBe(503)
      expect(Number(nobody.headers['retry-after'])).toBeGreaterThanOrEqual(5)
      silent[0]!.say({ type: 'hello', token: node.token('ada') })
      await silent[0]!.message('welcome')
      const somebody = await RawSocket.upgraded({ port: node.port, localAddress: '127.0.0.4' })
      for (const socket of [...silent, somebody]) socket.destroy()
    })
    expect(refused('newcomers')).toBe(1)
    expect(node.log.of('limit.reached', { rule: 'newcomers', address: '127.0.0.4' })).toHaveLength(1)
  })
})

describe('control frames', () => {
  it('T-028 a client that floods pings is closed within a second', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      const startedAt = machineTime()
      socket.write(many(10_000, (index) => frame(`ping ${index}`, { opcode: OPCODE.ping })))
      expect(await socket.refused()).toEqual(OVER_RATE)
      expect(machineTime() - startedAt).toBeLessThan(1_000)
      expect(goodbye(socket)).toMatchObject(BACK_OFF)
      expect(socket.frames.filter(({ opcode }) => opcode === OPCODE.pong).length).toBeLessThanOrEqual(40)
      await socket.ended()
    })
    expect(refused('controlFrames')).toBe(1)
    expect(node.log.of('rate.limited', { rule: 'controlFrames', user: 'mallory', address: ELSEWHERE })).toHaveLength(1)
  })

  it('T-028 a client that floods pings and never reads is gone within five seconds, and nothing waits for it', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      socket.stopReading()
      const before = process.memoryUsage().rss
      for (let round = 0; round < 100; round += 1)
        socket.write(many(1_000, () => frame(Buffer.alloc(125), { opcode: OPCODE.ping })))
      await eventually('the node lets go', () => node.holdfast.stats().connections === 1, 5_000)
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576)
      socket.destroy()
    })
  })

  it('T-028 twenty pings a second are answered for as long as they come', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      for (let second = 0; second < 3; second += 1) {
        socket.write(many(20, () => frame('ping', { opcode: OPCODE.ping })))
        await pause(1_000)
      }
      expect(socket.frames.filter(({ opcode }) => opcode === OPCODE.pong).length).toBeGreaterThanOrEqual(3)
      expect(socket.closed).toBeUndefined()
      socket.destroy()
    })
  })

  it('T-029 pongs that nobody asked for are bounded like pings', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      socket.write(many(10_000, () => frame('unasked', { opcode: OPCODE.pong })))
      expect(await socket.refused(1_000)).toEqual(OVER_RATE)
      await socket.ended()
    })
    expect(refused('controlFrames')).toBe(1)
  })

  it('T-029 pongs with another payload are no sign of life', async () => {
    await restart({ heartbeat: { intervalMs: 300, timeoutMs: 900 } })
    await field.attack(async () => {
      const socket = await mallory()
      const chatter = setInterval(() => socket.write(frame('wrong', { opcode: OPCODE.pong })), 100)
      const ending = socket.ended(5_000)
      await ending.finally(() => clearInterval(chatter))
      expect(await ending).toEqual({ code: 1001, reason: 'Heartbeat timeout' })
    })
  })
})

describe('credentials', () => {
  it('T-064 bad tokens beyond a hundred in a minute are answered late and told to back off, and good ones from the same address are let in', async () => {
    await restart({ engine: 'memory' })
    let limitedCount = 0
    await field.attack(async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 130 }, async () => {
          const socket = await RawSocket.upgraded(from())
          const startedAt = performance.now()
          socket.say({ type: 'hello', token: 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA' })
          const { reason } = await socket.refused()
          await socket.ended()
          return { reason, reconnect: goodbye(socket)['reconnect'], ms: performance.now() - startedAt }
        }),
      )
      const wrong = outcomes.filter(({ reason }) => reason === 'Invalid authentication token')
      const limited = outcomes.filter(({ reason }) => reason === 'Rate limit exceeded')
      // While they come the address gets another 1.7 a second.
      expect(wrong.length + limited.length).toBe(130)
      expect(wrong.length).toBeGreaterThanOrEqual(100)
      expect(limited.length).toBeGreaterThan(20)
      limitedCount = limited.length
      for (const { reconnect, ms } of limited) {
        expect(reconnect).toBe('backoff')
        expect(ms).toBeGreaterThan(900)
      }
      const honest = await mallory()
      honest.destroy()
    })
    expect(refused('failedAuthentications')).toBe(limitedCount)
    const lines = node.log.of('auth.bruteforce', { address: ELSEWHERE })
    expect(lines.length).toBeGreaterThan(0)
    expect(node.log.text).not.toContain('eyJhbGciOiJIUzI1NiJ9')
  })

  it('T-064 expired tokens are no guesses, however many', async () => {
    await restart({ engine: 'memory', limits: { failedAuthenticationsPerMinuteMax: 2 } })
    await field.attack(async () => {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const socket = await RawSocket.upgraded(from())
        socket.say({ type: 'hello', token: node.token('ada', { ttlSeconds: -3_600 }) })
        expect((await socket.refused()).reason).toBe('Authentication token expired')
        await socket.ended()
      }
    })
  })
})

describe('channels', () => {
  it('T-073 a connection that subscribes to ten thousand different names is stopped after those that a client may have at once', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      for (let at = 0; at < 2_000; at += 50)
        socket.say(
          ...Array.from({ length: 25 }, (_, index) => [
            { type: 'subscribe', id: `s${at + index}`, channel: `live:x${at + index}` },
            { type: 'unsubscribe', id: `u${at + index}`, channel: `live:x${at + index}` },
          ]).flat(),
        )
      await socket.refused()
      const subscribed = socket.messages.filter(({ type }) => type === 'subscribed').length
      expect(subscribed).toBeGreaterThan(200)
      expect(subscribed).toBeLessThan(400)
      expect(errors(socket, 'rate_limited')[0]).toMatchObject({
        retryable: true,
        retryAfter: expect.any(Number) as unknown,
      })
      await socket.ended()
    })
    expect(refused('subscribes')).toBeGreaterThan(100)
    expect(node.log.of('rate.limited', { rule: 'subscribes', user: 'mallory' }).length).toBeGreaterThan(0)
  })

  it('T-078 the two hundred and fifty-seventh subscription of a connection is refused, the others stay', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      // The inbox is one of them.
      const wanted = Array.from({ length: 256 }, (_, index) => ({
        type: 'subscribe',
        id: index,
        channel: `live:${index}`,
      }))
      for (let at = 0; at < 256; at += 32) socket.say(...wanted.slice(at, at + 32))
      await socket.message('error', { id: 255, code: 'limit_exceeded' })
      await eventually('the others', () => socket.messages.filter(({ type }) => type === 'subscribed').length === 256)
      socket.say(
        { type: 'unsubscribe', id: 'less', channel: 'live:0' },
        { type: 'subscribe', id: 'more', channel: 'live:255' },
      )
      await socket.message('subscribed', { id: 'more' })
      socket.destroy()
    })
    expect(refused('channels')).toBe(1)
    expect(node.log.of('limit.reached', { rule: 'channels', user: 'mallory' })).toHaveLength(1)
  })

  it('T-078 the eleventh connection of a user is refused, on whichever node; from another node it is told to come back later', async () => {
    const engine = new MemoryEngine()
    const cluster = { secret: SECRET }
    await restart({ engine, cluster })
    const other = await AttackedNode.start({ engine, cluster })
    try {
      const places = await Promise.all(Array.from({ length: 10 }, () => mallory()))
      const here = await RawSocket.upgraded(from())
      here.say({ type: 'hello', token: node.token('mallory') })
      expect(await here.refused()).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
      expect(goodbye(here)).toMatchObject({ reconnect: 'never' })
      const there = await RawSocket.upgraded({ port: other.port, localAddress: ELSEWHERE })
      there.say({ type: 'hello', token: node.token('mallory') })
      expect(await there.refused()).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
      expect(goodbye(there)).toMatchObject({ reconnect: 'backoff' })
      expect(Number(goodbye(there)['after'])).toBeGreaterThanOrEqual(15_000)
      for (const socket of [...places, here, there]) socket.destroy()
      expect(refused('places')).toBe(1)
      expect(node.log.of('limit.reached', { rule: 'places', user: 'mallory' })).toHaveLength(1)
      await field.neighbour.isWell()
    } finally {
      await other.close()
    }
  })

  it('T-079 a channel that is subscribed to and left thousands of times is limited, and the engine hears of it a few times only', async () => {
    const engine = new ListeningEngine()
    await restart({ engine, limits: { subscribesPerSecondMax: 100, refusalsPerSecondMax: 100_000 } })
    const { listening, unlistened } = engine
    await field.attack(async () => {
      const socket = await mallory()
      for (let turn = 0; turn < 2_500; turn += 1)
        socket.say({ type: 'subscribe', channel: 'live:1' }, { type: 'unsubscribe', channel: 'live:1' })
      await eventually('it is limited', () => errors(socket, 'rate_limited').length > 2_000)
      await pause(1_000)
      socket.say({ type: 'subscribe', id: 'last', channel: 'live:1', presence: true })
      await socket.message('subscribed', { id: 'last' })
      const { members } = await node.holdfast.tenant('acme').presence('live:1')
      expect(members.map(({ user }) => user)).toEqual(['mallory'])
      expect(engine.kept).toBeGreaterThan(100)
      socket.destroy()
      await eventually(
        'nobody is left',
        async () => (await node.holdfast.tenant('acme').presence('live:1')).members.length === 0,
      )
    })
    await eventually('nobody listens any more', () => engine.listening === listening)
    expect(engine.unlistened - unlistened).toBeGreaterThan(0)
    expect(engine.unlistened - unlistened).toBeLessThan(10)
  })
})

/** An engine that counts who listens: how often an undo came while nobody else listened to the channel, so that other nodes would have heard of it. */
class ListeningEngine extends MemoryEngine {
  /** Who listens now, by channel. */
  readonly #counts = new Map<string, number>()
  unlistened = 0
  /** Undos that left somebody who listens. */
  kept = 0

  get listening(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  override async listen(...[stream, receiver]: Parameters<MemoryEngine['listen']>): ReturnType<MemoryEngine['listen']> {
    const { channel } = stream
    const undo = await super.listen(stream, receiver)
    this.#counts.set(channel, (this.#counts.get(channel) ?? 0) + 1)
    return async () => {
      const left = (this.#counts.get(channel) ?? 0) - 1
      this.#counts.set(channel, left)
      if (left === 0) this.unlistened += 1
      else this.kept += 1
      await undo()
    }
  }
}

describe('recoveries', () => {
  it('T-080 of one user over and over are limited, whichever connection asks', async () => {
    await restart({ limits: { recoveriesPerSecondMax: 5, channelsMax: 2, connectionsPerUserMax: 5 } })
    await field.attack(async () => {
      const sockets = await Promise.all(Array.from({ length: 2 }, () => mallory()))
      const since = { epoch: 'never', offset: 0 }
      for (let round = 0; round < 8; round += 1)
        for (const [at, socket] of sockets.entries())
          socket.say(
            { type: 'subscribe', id: `${round}.${at}`, channel: 'room:1', since },
            { type: 'ping', id: `p${round}` },
          )
      for (const socket of sockets) await socket.message('pong', { id: 'p7' })
      const refusals = sockets.flatMap((socket) => errors(socket, 'rate_limited'))
      expect(refusals.length).toBeGreaterThanOrEqual(4)
      expect(refusals.length).toBeLessThanOrEqual(6)
      for (const socket of sockets) socket.destroy()
    })
    expect(refused('recoveries')).toBeGreaterThanOrEqual(4)
    expect(node.log.of('rate.limited', { rule: 'recoveries', user: 'mallory' }).length).toBeGreaterThan(0)
  })

  it('T-080 a forged position is told as a gap, and an absurd limit is refused', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      socket.say({ type: 'publish', id: 1, channel: 'room:1', data: 1 })
      const { epoch } = await socket.message('ok', { id: 1 })
      socket.say(
        { type: 'subscribe', id: 2, channel: 'room:1', since: { epoch, offset: 9_007_199_254_740_000 } },
        { type: 'history', id: 3, channel: 'room:1', limit: 1_000_000_000 },
      )
      expect(await socket.message('subscribed', { id: 2 })).toMatchObject({ recovered: 'gap' })
      expect(await socket.message('error', { id: 3 })).toMatchObject({ code: 'bad_request' })
      socket.destroy()
    })
  })
})

describe('reads', () => {
  it('T-081 members asked for in a loop are bounded, and what a member tells of itself is as well', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      socket.say({ type: 'subscribe', id: 'big', channel: 'room:1', presence: { info: 'x'.repeat(1_100) } })
      expect(await socket.message('error', { id: 'big' })).toMatchObject({ code: 'limit_exceeded' })
      for (let at = 0; at < 1_000; at += 50)
        socket.say(
          ...Array.from({ length: 50 }, (_, index) => ({ type: 'presence', id: at + index, channel: 'room:1' })),
        )
      socket.say({ type: 'ping', id: 'end' })
      await socket.message('pong', { id: 'end' })
      const answered = socket.messages.filter(({ type, id }) => type === 'ok' && typeof id === 'number').length
      expect(answered).toBeGreaterThanOrEqual(512)
      expect(answered).toBeLessThan(800)
      expect(errors(socket, 'rate_limited').length).toBe(1_000 - answered)
      socket.destroy()
    })
    expect(refused('reads')).toBeGreaterThan(200)
  })
})

describe('publishes', () => {
  it('T-082 ten thousand a second are refused with a time to wait, and who goes on is closed', async () => {
    await field.attack(async () => {
      const socket = await mallory()
      for (let at = 0; at < 10_000; at += 64)
        socket.say(
          ...Array.from({ length: 64 }, (_, index) => ({
            type: 'publish',
            id: at + index,
            channel: 'live:1',
            data: 1,
          })),
        )
      expect(await socket.refused()).toEqual(OVER_RATE)
      expect(goodbye(socket)).toMatchObject(BACK_OFF)
      expect(Number(goodbye(socket)['after'])).toBeGreaterThanOrEqual(5_000)
      const published = socket.messages.filter(({ type }) => type === 'ok').length
      expect(published).toBeGreaterThanOrEqual(2_000)
      expect(published).toBeLessThan(4_000)
      expect(errors(socket, 'rate_limited')[0]).toMatchObject({
        retryable: true,
        retryAfter: expect.any(Number) as unknown,
      })
      await socket.ended()
    })
    expect(refused('publishes')).toBeGreaterThanOrEqual(1_000)
    expect(refused('refusals')).toBe(1)
    expect(node.log.of('limit.reached', { rule: 'refusals', action: 'close', user: 'mallory' })).toHaveLength(1)
  })

  it('T-082 a client that waits as it was told stays', async () => {
    await restart({ limits: { publishesPerSecondMax: 20 } })
    await field.attack(async () => {
      const socket = await mallory()
      let waitMs = 0
      for (let id = 0; id < 60; id += 1) {
        if (waitMs > 0) await pause(waitMs)
        socket.say({ type: 'publish', id, channel: 'live:1', data: 1 })
        const answer = await eventually('an answer', () => socket.messages.find((message) => message['id'] === id))
        waitMs = Number(answer['retryAfter'] ?? 0)
      }
      expect(socket.messages.filter(({ type }) => type === 'ok').length).toBeGreaterThan(45)
      expect(socket.closed).toBeUndefined()
      socket.destroy()
    })
  })

  it('T-082 bytes are bounded too: what is over is refused unread', async () => {
    await restart({ limits: { bytesPerSecondMax: 65_536 } })
    await field.attack(async () => {
      const socket = await mallory()
      const data = 'x'.repeat(30_000)
      for (let id = 0; id < 8; id += 1) socket.say({ type: 'publish', id, channel: 'live:1', data })
      await eventually(
        'all are answered',
        () => socket.messages.filter(({ id }) => typeof id === 'number').length === 8,
      )
      expect(socket.messages.filter(({ type }) => type === 'ok').length).toBeLessThan(7)
      expect(errors(socket, 'rate_limited').length).toBeGreaterThan(1)
      socket.destroy()
    })
    expect(refused('bytes')).toBeGreaterThan(1)
  })

  it('T-082 of one user are bounded over all of its connections and nodes', async () => {
    const engine = new MemoryEngine()
    const cluster = { secret: SECRET }
    const limits = { publishesPerUserPerSecondMax: 10 }
    await restart({ engine, cluster, limits })
    const other = await AttackedNode.start({ engine, cluster, limits })
    try {
      const sockets = await Promise.all(
        [node, other, node].map((at) =>
          RawSocket.welcomed({ port: at.port, localAddress: ELSEWHERE }, at.token('mallory')),
        ),
      )
      for (const socket of sockets)
        socket.say(...Array.from({ length: 20 }, (_, id) => ({ type: 'publish', id, channel: 'live:1', data: 1 })))
      const answers = (): Readonly<Record<string, unknown>>[] =>
        sockets.flatMap(({ messages }) => messages.filter(({ id }) => typeof id === 'number'))
      await eventually('all are answered', () => answers().length === 60)
      const published = answers().filter(({ type }) => type === 'ok').length
      expect(published).toBeGreaterThanOrEqual(18)
      expect(published).toBeLessThanOrEqual(24)
      for (const socket of sockets) socket.destroy()
      await field.neighbour.isWell()
    } finally {
      await other.close()
    }
  })
})

describe('a node that runs out', () => {
  it('T-125 of memory answers no reads at 85 percent, takes nobody at 92, and sends the newest idle away at 97', async () => {
    let used = 10
    await restart({ memory: () => ({ used, max: 100 }) })
    const level = (wanted: number): Promise<unknown> =>
      eventually(`level ${wanted}`, () => node.holdfast.stats().limits.overload.level === wanted)
    const elders = await Promise.all(
      Array.from({ length: 3 }, (_, n) => RawSocket.welcomed(from(), node.token(`elder${n}`))),
    )
    used = 85
    await level(1)
    elders[0]!.say(
      { type: 'history', id: 1, channel: 'room:1' },
      { type: 'publish', id: 2, channel: 'room:1', data: 1 },
    )
    expect(await elders[0]!.message('error', { id: 1 })).toMatchObject({ code: 'rate_limited', retryable: true })
    await elders[0]!.message('ok', { id: 2 })
    const late = await Promise.all(
      Array.from({ length: 8 }, (_, n) => RawSocket.welcomed(from(), node.token(`late${n}`))),
    )
    used = 92
    await level(2)
    const nobody = await new RawSocket(from()).ask(upgradeRequest())
    expect(nobody.status).toBe(503)
    const ready = await fetch(`http://127.0.0.1:${node.port}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'unready', reason: 'overloaded' }])
    used = 97
    await level(3)
    await Promise.all(late.map((socket) => socket.refused()))
    used = 50
    await level(0)
    for (const socket of late) {
      expect(socket.closed).toEqual({ code: 1013, reason: 'Server busy' })
      expect(goodbye(socket)).toMatchObject(BACK_OFF)
    }
    const changes = node.log.of('overload.changed')
    expect(changes.map(({ count }) => count)).toEqual([1, 2, 3, 0])
    expect(node.holdfast.stats().limits.refused).toMatchObject({ overload: 2 })
    // The oldest lost nothing.
    elders[0]!.say({ type: 'history', id: 3, channel: 'room:1' })
    await elders[0]!.message('ok', { id: 3 })
    for (const socket of elders) socket.destroy()
    await field.neighbour.isWell()
  })

  it('T-125 of descriptors refuses who is too many, keeps some spare, and takes clients again when others have left', async () => {
    const poor = await PoorNode.start(256)
    try {
      const elder = await RawSocket.welcomed(poor, poor.token('elder'))
      const crowd = Array.from({ length: 400 }, (_, index) => visit(poor, poor.token(`user${index >> 3}`)))
      const outcomes = await Promise.all(crowd)
      const welcomed = outcomes.filter(({ outcome }) => outcome === 'welcome')
      const busy = outcomes.filter(({ outcome }) => outcome === '503')
      expect(welcomed.length).toBeGreaterThan(60)
      expect(welcomed.length).toBeLessThan(256 - 96)
      expect(busy.length).toBeGreaterThan(0)
      expect(poor.descriptors()).toBeLessThanOrEqual(256 - 32)
      elder.say({ type: 'subscribe', id: 1, channel: 'room:1' }, { type: 'publish', id: 2, channel: 'room:1', data: 1 })
      await elder.message('message')
      for (const { socket } of welcomed) socket.destroy()
      await eventually('somebody is let in again', async () => {
        const { socket, outcome } = await visit(poor, poor.token('late'))
        socket.destroy()
        return outcome === 'welcome'
      })
      elder.destroy()
    } finally {
      await poor.kill()
    }
  })
})

/** Says hello, if it comes so far, and tells what came of it. */
async function visit(at: { readonly port: number }, token: string): Promise<{ socket: RawSocket; outcome: string }> {
  const socket = new RawSocket({ port: at.port, localAddress: ELSEWHERE })
  socket.write(upgradeRequest())
  const status = await eventually('an answer', () => socket.answer?.status ?? (socket.gone && 'closed'))
  if (status !== 101) return { socket, outcome: String(status) }
  socket.say({ type: 'hello', token })
  const first = await eventually('a message', () => socket.messages[0] ?? (socket.gone && { type: 'closed' }))
  return { socket, outcome: String(first['type']) }
}

/** The standalone server as a process that may open few files. */
class PoorNode {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
  }

  static async start(descriptors: number): Promise<PoorNode> {
    const command = join(ROOT, 'packages', 'standalone', 'bin', 'holdfast.js')
    const run = 'ulimit -n "$1" && exec "$2" "$3" serve --port 0 --no-demo --engine memory'
    const args = ['-c', run, 'bash', String(descriptors), process.execPath, command]
    const env = { PATH: process.env['PATH'], HOLDFAST_SECRET: SECRET }
    const child = spawn('bash', args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (some: Buffer) => (text += some.toString()))
    const port = await eventually('the server listens', () => {
      if (child.exitCode !== null) throw new Error(`the server ended: ${text}`)
      return /:(\d+)\/ws/.exec(text)?.[1]
    })
    return new PoorNode(child, Number(port))
  }

  token(user: string): string {
    return signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 600 })
  }

  /** How many files and sockets it has open. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length
  }

  async kill(): Promise<void> {
    expect(this.#process.exitCode).toBeNull()
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}
