import { createHash, randomBytes } from 'node:crypto'
import { type Clock, createApiKey, signChannelToken } from '@holdfast/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { attackBeside } from './kit/attack.js'
import { AttackedNode, CHANNELS, SECRET } from './kit/attacked-node.js'
import { Neighbour } from './kit/neighbour.js'
import { RawSocket } from './kit/raw-socket.js'

type Message = Readonly<Record<string, unknown>>

/** What may stay: withdrawals are kept as long as a token may live, and what was published as long as its rule says. */
const KEPT = {
  except: ['records', 'streams', 'members', 'leases', 'rates', 'registers', 'counters', 'idempotencyKeys'],
}

const INVALID = { code: 1008, reason: 'Invalid authentication token' }
const REVOKED = { code: 1008, reason: 'Token revoked' }
const EXPIRED = { code: 1008, reason: 'Authentication token expired' }

const FIXED = createApiKey()

let node: AttackedNode
let neighbour: Neighbour
const open: RawSocket[] = []

beforeAll(async () => {
  const apiKeys = [{ id: FIXED.id, hash: FIXED.hash, tenant: 'acme', grants: { 'room:*': ['subscribe'] } }]
  node = await AttackedNode.start({
    auth: { secret: SECRET, audience: 'holdfast', apiKeys, queryToken: true },
    channels: { ...CHANNELS, 'doc:*': { subscribe: 'grant', publish: 'grant' } },
    session: { windowMs: 2_000 },
  })
  neighbour = await Neighbour.beside(node, { token: tokenOf('neighbour') })
})

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

afterAll(async () => {
  await neighbour.leave()
  await node.close()
})

const tokenOf = (user: string, claims: Parameters<AttackedNode['token']>[1] = {}): string =>
  node.token(user, { audience: 'holdfast', ...claims })

/** Each attack comes from an address of its own: of one address the trail tells ten times a second. */
let addresses = 0
const elsewhere = (): string => `127.7.${(addresses += 1) >> 8}.${addresses & 255}`

interface Way {
  readonly at?: AttackedNode
  readonly hello?: object
  readonly headers?: Record<string, string>
  readonly line?: string
  readonly from?: string
}

/** A socket that has said hello. */
async function hello(
  token: string | undefined,
  { at = node, from = elsewhere(), ...way }: Way = {},
): Promise<RawSocket> {
  const socket = new RawSocket({ port: at.port, localAddress: from })
  open.push(socket)
  await socket.ask(upgrade(way))
  socket.say({ type: 'hello', ...(token !== undefined && { token }), ...way.hello })
  return socket
}

function upgrade({ headers = {}, line = 'GET /ws HTTP/1.1' }: Way): string {
  const usual = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'holdfast.v1+json',
    ...headers,
  }
  return `${line}\r\n${Object.entries(usual)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
}

async function welcomed(token: string, way: Way = {}): Promise<RawSocket> {
  const socket = await hello(token, way)
  await socket.message('welcome')
  return socket
}

/** Sends a command and resolves to what came of it. */
async function ask(socket: RawSocket, command: object): Promise<Message> {
  const id = `q${socket.messages.length}`
  socket.say({ ...command, id })
  return eventually(`an answer to ${JSON.stringify(command)}`, () => socket.messages.find((one) => one['id'] === id))
}

const resumeOf = (socket: RawSocket): { session: string; secret: string; positions: object } => {
  const welcome = socket.messages.find(({ type }) => type === 'welcome') ?? {}
  const { id, secret } = welcome['session'] as { id: string; secret: string }
  return { session: id, secret, positions: {} }
}

const resumed = (message: Message): unknown => (message['session'] as { resumed: boolean }).resumed

/** Attacks, lets go of every socket, and asks what the neighbour noticed and what stayed. */
const beside = (attack: () => Promise<void>): Promise<void> =>
  attackBeside(
    neighbour,
    node,
    async () => {
      await attack()
      for (const socket of open.splice(0)) socket.destroy()
    },
    KEPT,
  )

describe('sessions', () => {
  it('T-061 ids and secrets are 128 random bits each, and no two are alike', async () => {
    await beside(async () => {
      const ids = new Set<string>()
      for (let round = 0; round < 5; round += 1) {
        const sockets = await Promise.all(Array.from({ length: 8 }, (_, at) => welcomed(tokenOf(`u${round}-${at}`))))
        for (const socket of sockets) {
          const { session, secret } = resumeOf(socket)
          for (const name of [session, secret]) expect(Buffer.from(name, 'base64url')).toHaveLength(16)
          ids.add(session).add(secret)
          socket.destroy()
        }
      }
      expect(ids.size).toBe(80)
    })
  })

  it('T-061 the secret of another user or tenant opens nothing, and the id of a connection grants nothing', async () => {
    await beside(async () => {
      const ada = await welcomed(tokenOf('ada'))
      const resume = resumeOf(ada)
      const connection = String(ada.messages.find(({ type }) => type === 'welcome')?.['connection'])
      const thieves = [
        await welcomed(tokenOf('bob'), { hello: { resume } }),
        await welcomed(tokenOf('ada', { tenant: 'other' }), { hello: { resume } }),
        await welcomed(tokenOf('ada'), { hello: { resume: { ...resume, session: connection } } }),
        await welcomed(tokenOf('ada'), { hello: { resume: { ...resume, secret: connection } } }),
      ]
      for (const thief of thieves) expect(resumed(await thief.message('welcome'))).toBe(false)
      expect(await ask(ada, { type: 'ping' })).toMatchObject({ type: 'pong' })
      const [first] = ada.messages
      const back = await welcomed(tokenOf('ada'), { hello: { resume } })
      expect(resumed(await back.message('welcome'))).toBe(true)
      expect(first).toMatchObject({ type: 'welcome' })
    })
  })

  it('T-061 guessing a secret ends after five tries from one address, is written down, and harms nobody else', async () => {
    await beside(async () => {
      const ada = await welcomed(tokenOf('ada'))
      const resume = resumeOf(ada)
      const from = elsewhere()
      for (let tries = 0; tries < 8; tries += 1) {
        const secret = randomBytes(16).toString('base64url')
        const guess = await welcomed(tokenOf('ada'), { from, hello: { resume: { ...resume, secret } } })
        expect(resumed(await guess.message('welcome'))).toBe(false)
        guess.destroy()
      }
      const told = node.log.of('auth.failed', { rule: 'session', address: from })
      expect(told).toHaveLength(5)
      expect(told[0]).toMatchObject({ audit: true, tenant: 'acme', user: 'ada', reason: 'wrong secret' })
      // Also the right one is not looked at any more from there, but it is from elsewhere.
      const late = await welcomed(tokenOf('ada'), { from, hello: { resume } })
      expect(resumed(await late.message('welcome'))).toBe(false)
      const back = await welcomed(tokenOf('ada'), { hello: { resume } })
      expect(resumed(await back.message('welcome'))).toBe(true)
      expect(node.log.text).not.toContain(resume.secret)
    })
  })
})

describe('a credential of one kind', () => {
  it('T-063 is no credential of another', async () => {
    await beside(async () => {
      const { id, key } = await node.holdfast.tenant('acme').keys.create({ name: 'k', grants: {} })
      const secret = key.slice(`hf_${id}_`.length)
      const ada = node.holdfast.tenant('acme').user('ada')
      const wrong = {
        'a channel token': ada.channelToken('doc:1', { verbs: ['subscribe'] }),
        'a channel token made elsewhere': signChannelToken({
          secret: SECRET,
          tenant: 'acme',
          user: 'ada',
          channel: 'doc:1',
        }),
        'a token for another audience': node.token('ada', { audience: 'elsewhere' }),
        'a token for nobody in particular': node.token('ada'),
        'a token that names the user of a key': tokenOf(`key:${id}`),
        'the secret of a key without the rest': secret,
        'a key with the id of another': `hf_${FIXED.id}_${secret}`,
        'the hash of a key': FIXED.hash,
        'a key with its hash as secret': `hf_${FIXED.id}_${FIXED.hash.slice('sha256:'.length)}`,
        'a token signed with a key': node.token('ada', { secret: key.padEnd(32), audience: 'holdfast' }),
        'a key behind a token': `${tokenOf('ada')}.${key}`,
        'a token behind a key': `${key}.${tokenOf('ada')}`,
        'a key behind a blank': ` ${key}`,
      }
      for (const [what, credential] of Object.entries(wrong)) {
        const socket = await hello(credential)
        expect(await socket.ended(), what).toEqual(INVALID)
        expect(socket.messages, what).toEqual([expect.objectContaining({ type: 'goodbye', message: INVALID.reason })])
      }
      const socket = await welcomed(tokenOf('ada'))
      for (const token of [tokenOf('ada'), key, secret, ada.channelToken('doc:2'), 'x'])
        expect(await ask(socket, { type: 'subscribe', channel: 'doc:1', token })).toMatchObject({
          type: 'error',
          code: 'permission_denied',
        })
      for (const token of [key, ada.channelToken('doc:1'), 'x'])
        expect(await ask(socket, { type: 'refresh', token })).toMatchObject({ code: 'permission_denied' })
      expect(
        await ask(socket, { type: 'subscribe', channel: 'doc:1', token: ada.channelToken('doc:1') }),
      ).toMatchObject({
        type: 'subscribed',
      })
      expect(node.log.text).not.toContain(secret)
      await node.holdfast.tenant('acme').keys.revoke(id)
    })
  })
})

describe('a token on a live connection', () => {
  it('T-066 is announced before it expires, closes the connection when it has, and is followed by that of the same user only', async () => {
    await beside(async () => {
      const socket = await welcomed(tokenOf('eve', { ttlSeconds: 4 }))
      await socket.message('notice', { code: 'token_expiring' })
      const strangers = {
        'of another user': tokenOf('bob'),
        'of another tenant': tokenOf('eve', { tenant: 'other' }),
        'not an API key of ours': `hf_${'0'.repeat(16)}_${'x'.repeat(43)}`,
      }
      for (const [reason, token] of Object.entries(strangers)) {
        expect(await ask(socket, { type: 'refresh', token })).toMatchObject({
          type: 'error',
          code: 'permission_denied',
        })
        expect(node.log.of('auth.failed', { rule: 'refresh', user: 'eve', tenant: 'acme', reason })).toHaveLength(1)
      }
      expect(await ask(socket, { type: 'publish', channel: 'room:1', data: 1 })).toMatchObject({ type: 'ok' })
      const page = await node.holdfast.tenant('acme').history('room:1')
      expect(page.messages.at(-1)).toMatchObject({ from: { user: 'eve' } })
      expect(await ask(socket, { type: 'refresh', token: tokenOf('eve', { ttlSeconds: 2 }) })).toMatchObject({
        type: 'ok',
      })
      expect(node.log.of('auth.refreshed', { user: 'eve' })).toHaveLength(1)
      expect(await socket.refused()).toEqual(EXPIRED)
      expect(socket.messages.at(-1)).toMatchObject({ type: 'goodbye', reconnect: 'refresh' })
    })
  })

  it('T-066 does not live longer by a clock that is put forward or back', async () => {
    const clock = new JumpingClock()
    const jumping = await AttackedNode.start({ clock })
    try {
      const [forward, back] = [
        await welcomed(jumping.token('ada', { ttlSeconds: 3_600 }), { at: jumping }),
        await welcomed(jumping.token('bob', { ttlSeconds: 5 }), { at: jumping }),
      ]
      clock.jump(-86_400_000)
      await back.message('notice', { code: 'token_expiring' })
      expect(await back.refused()).toEqual(EXPIRED)
      clock.jump(2 * 86_400_000)
      expect(await forward.refused()).toEqual(EXPIRED)
    } finally {
      await jumping.close()
    }
  })
})

describe('what was withdrawn', () => {
  it('T-067 ends on every node within a second: three connections on two nodes, and one that is coming back', async () => {
    const other = await AttackedNode.start({
      auth: { secret: SECRET, audience: 'holdfast' },
      engine: node.engine,
      node: 'other',
    })
    const spared: RawSocket[] = []
    try {
      await beside(async () => {
        spared.push(await welcomed(tokenOf('bob')), await welcomed(tokenOf('ada', { tenant: 'other' }), { at: other }))
        const token = tokenOf('ada')
        const live = [
          await welcomed(token),
          await welcomed(token, { at: other }),
          await welcomed(tokenOf('ada'), { at: other }),
        ]
        const lost = await welcomed(token)
        const resume = resumeOf(lost)
        lost.destroy()
        const begun = machineTime()
        // While it comes back: whichever comes first, the look or the withdrawal, it is not let in.
        const back = hello(token, { at: other, hello: { resume } })
        await node.holdfast.tenant('acme').user('ada').revoke()
        for (const socket of [...live, await back]) expect(await socket.refused(1_000)).toEqual(REVOKED)
        expect(machineTime() - begun).toBeLessThan(1_000)
        for (const at of [node, other])
          expect(await (await hello(token, { at, hello: { resume } })).refused()).toEqual(REVOKED)
        for (const socket of spared) {
          expect(await ask(socket, { type: 'ping' })).toMatchObject({ type: 'pong' })
          socket.destroy()
        }
        expect(
          node.log.of('auth.revoked', { tenant: 'acme', user: 'ada', rule: 'user', action: 'withdrawn' }),
        ).toHaveLength(1)
        const closed = [node, other].flatMap(({ log }) => log.of('auth.revoked', { user: 'ada', action: 'closed' }))
        expect(closed.length).toBeGreaterThanOrEqual(3)
        const kept = await node.engine.records.get('revoked-user:4:acme3:ada')
        const { until } = JSON.parse(kept?.value ?? '{}') as { until: number }
        expect(until).toBeGreaterThan(Date.now() + 86_300_000)
        expect(node.log.text + other.log.text).not.toContain(token)
      })
    } finally {
      await other.close()
    }
  })

  it('T-067 ends the connections of a key that is revoked, and those of a rotated one with the overlap', async () => {
    await beside(async () => {
      const { keys } = node.holdfast.tenant('acme')
      const { id, key } = await keys.create({ name: 'importer', grants: { 'room:*': ['publish'] } })
      const old = await welcomed(key)
      const next = await keys.rotate(id, { overlap: '1s' })
      const fresh = await welcomed(next.key)
      expect(await old.refused()).toEqual(EXPIRED)
      expect(await (await hello(key)).refused()).toEqual(INVALID)
      await keys.revoke(id)
      expect(await fresh.refused(1_000)).toEqual(REVOKED)
      expect(await (await hello(next.key)).refused()).toEqual(INVALID)
      for (const event of ['key.created', 'key.rotated', 'key.revoked'])
        expect(node.log.of(event, { user: `key:${id}`, tenant: 'acme' })).toHaveLength(1)
      for (const made of [key, next.key]) expect(node.log.text).not.toContain(made.slice(`hf_${id}_`.length))
    })
  })
})

describe('an API key', () => {
  it('T-087 is guessed in vain: one answer for every wrong one, from then on a limit, and the right one is let in from the same address', async () => {
    await beside(async () => {
      const from = elsewhere()
      const answers: unknown[] = []
      const guess = async (credential: string): Promise<void> => {
        const socket = await hello(credential, { from })
        const { code, reason } = await socket.refused()
        const { message } = socket.messages.at(-1) ?? {}
        answers.push({ code, reason, message })
      }
      const wrong = (id: string): string => `hf_${id}_${randomBytes(32).toString('base64url')}`
      for (let tries = 0; tries < 20; tries += 1)
        await Promise.all([
          guess(wrong(FIXED.id)),
          guess(wrong(randomBytes(8).toString('hex'))),
          guess(`hf_${FIXED.id}`),
        ])
      expect(answers).toHaveLength(60)
      expect(answers.every((answer) => JSON.stringify(answer) === JSON.stringify(answers[0]))).toBe(true)
      expect(answers[0]).toEqual({ ...INVALID, message: INVALID.reason })
      await Promise.all(Array.from({ length: 80 }, () => guess(wrong(FIXED.id))))
      expect(answers).toContainEqual(expect.objectContaining({ reason: 'Rate limit exceeded' }))
      await welcomed(FIXED.key, { from })
      const told = node.log.of('auth.failed', { address: from })
      expect(told.length).toBeGreaterThan(0)
      expect(told[0]).toMatchObject({ audit: true, reason: 'not an API key of ours' })
    })
  })

  it('T-087 in an address is refused, also where tokens in addresses are taken, and stands in no log', async () => {
    await beside(async () => {
      const { id, key } = await node.holdfast.tenant('acme').keys.create({ name: 'k', grants: {} })
      const line = `GET /ws?token=${key} HTTP/1.1`
      const ways: (readonly [string | undefined, Way])[] = [
        [undefined, { line }],
        [tokenOf('ada'), { line }],
        [key, { line }],
        [undefined, { line, headers: { Authorization: `Bearer ${tokenOf('ada')}` } }],
      ]
      for (const [token, way] of ways) expect(await (await hello(token, way)).refused()).toEqual(INVALID)
      expect(
        (await (await hello(undefined, { headers: { Authorization: `Bearer ${key}` } })).message('welcome'))['user'],
      ).toBe(`key:${id}`)
      expect(node.log.text).not.toContain(key.slice(`hf_${id}_`.length))
      await node.holdfast.tenant('acme').keys.revoke(id)
    })
  })

  it('T-087 is stored as the SHA-256 of its secret and found by its public id', async () => {
    const { id, key } = await node.holdfast.tenant('acme').keys.create({ name: 'k', grants: {} })
    const secret = key.slice(`hf_${id}_`.length)
    const stored = (await node.engine.records.get(`api-key:${id}`))?.value ?? ''
    expect(stored).toContain(`sha256:${createHash('sha256').update(secret).digest('hex')}`)
    expect(stored).not.toContain(secret)
    expect(JSON.stringify(await node.holdfast.tenant('acme').keys.list())).not.toMatch(/sha256|hf_/)
    await node.holdfast.tenant('acme').keys.revoke(id)
  })
})

/** The clock of the system, put forward and back. */
class JumpingClock implements Clock {
  #shift = 0

  now(): number {
    return Date.now() + this.#shift
  }

  jump(ms: number): void {
    this.#shift += ms
  }

  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  }

  every(ms: number, run: () => void): () => void {
    const timer = setInterval(run, ms)
    return () => clearInterval(timer)
  }

  defer(run: () => void): void {
    setImmediate(run)
  }
}
