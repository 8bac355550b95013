import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApiKey } from './credentials.js'
import { signTokenAt } from './access/token.js'
import { durationMs } from './duration.js'
import type { Logger } from './telemetry/log.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from './testing/simulated-cluster.js'
import { TEST_SECRET } from './testing/test-node.js'
import { settle } from './simulated-clock.js'
import { instantTokens } from './testing/instant-tokens.js'

let cluster: SimulatedCluster
let one: SimulatedNode
let other: SimulatedNode
let lines: Record<string, unknown>[]

const FIXED = createApiKey()

beforeEach(async () => {
  cluster = new SimulatedCluster()
  lines = []
  const { auth, ...rest } = instantTokens(cluster.clock)
  const apiKeys = [{ id: FIXED.id, hash: FIXED.hash, tenant: 'acme', grants: { 'room:*': ['subscribe'] } }]
  const options = { ...rest, auth: { ...auth, apiKeys }, log: recorder() }
  one = await cluster.start('n1', options)
  other = await cluster.start('n2', options)
})
afterEach(() => cluster.close())

const REVOKED = { code: 1008, reason: 'Token revoked' }
const INVALID = { code: 1008, reason: 'Invalid authentication token' }
const EXPIRED = { code: 1008, reason: 'Authentication token expired' }

const SPEC = { name: 'importer', grants: { 'room:*': ['publish'] }, permissions: ['publish'] }

const keys = (): ReturnType<SimulatedNode['holdfast']['tenant']>['keys'] => one.holdfast.tenant('acme').keys

const join = (node: SimulatedNode, token: string): Promise<Peer> => node.join('-', { token })

const ends = (...peers: Peer[]): unknown[] => peers.map(({ socket }) => socket.closedWith)

describe('an API key', () => {
  it('lets a server in on every node, as a user of its own, without roles', async () => {
    const { id, key } = await keys().create(SPEC)
    const [here, there] = [await join(one, key), await join(other, key)]
    for (const peer of [here, there])
      expect(peer.got('welcome')).toMatchObject([{ tenant: 'acme', user: `key:${id}`, roles: [] }])
  })

  it('is listed without its secret, for its tenant only, the oldest first', async () => {
    const first = await keys().create(SPEC)
    await cluster.clock.pass(1_000)
    const second = await other.holdfast.tenant('acme').keys.create({ name: 'b', grants: {}, expiresIn: '90d' })
    expect(await keys().list()).toEqual([
      { id: first.id, ...SPEC, createdAt: '2026-01-01T00:00:00.000Z' },
      {
        id: second.id,
        name: 'b',
        grants: {},
        permissions: [],
        createdAt: '2026-01-01T00:00:01.000Z',
        expiresAt: '2026-04-01T00:00:01.000Z',
      },
    ])
    expect(await one.holdfast.tenant('other').keys.list()).toEqual([])
  })

  it('is stored as a hash: nothing in the engine holds its secret', async () => {
    const { id, key } = await keys().create(SPEC)
    const stored = (await cluster.engine.records.get(`api-key:${id}`))?.value ?? ''
    const listed = await cluster.engine.registers.list('api-keys:4:acme', 10)
    const secret = key.slice(`hf_${id}_`.length)
    expect(stored).toMatch(/"sha256:[0-9a-f]{64}"/)
    expect(stored + JSON.stringify(listed)).not.toContain(secret)
    expect(JSON.stringify(listed)).not.toContain('sha256')
  })

  it('ends on every node when it is revoked, and cannot come back', async () => {
    const { id, key } = await keys().create(SPEC)
    const kept = await keys().create({ ...SPEC, name: 'other' })
    const peers = [await join(one, key), await join(other, key)]
    const spared = await join(other, kept.key)
    expect(await other.holdfast.tenant('acme').keys.revoke(id)).toBe(true)
    await cluster.clock.pass(10)
    expect(ends(...peers, spared)).toEqual([REVOKED, REVOKED, undefined])
    expect(ends(await join(one, key), await join(other, key))).toEqual([INVALID, INVALID])
    expect((await keys().list()).map(({ name }) => name)).toEqual(['other'])
    expect(await keys().revoke(id)).toBe(false)
  })

  it('has two secrets while it is rotated: connections of the old one are told, and end with the overlap', async () => {
    const { id, key } = await keys().create(SPEC)
    const old = [await join(one, key), await join(other, key)]
    await cluster.clock.pass(1_000)
    const next = await keys().rotate(id, { overlap: '10m' })
    expect(next.id).toBe(id)
    const fresh = await join(other, next.key)
    old.push(await join(other, key))
    await cluster.clock.pass(minutes(9.6), 1_000)
    expect(ends(...old, fresh)).toEqual([undefined, undefined, undefined, undefined])
    for (const peer of old) expect(peer.got('notice')).toMatchObject([{ code: 'token_expiring' }])
    expect(fresh.got('notice')).toEqual([])
    await cluster.clock.pass(minutes(0.5), 1_000)
    expect(ends(...old, fresh)).toEqual([EXPIRED, EXPIRED, EXPIRED, undefined])
    expect(ends(await join(one, key), await join(one, next.key))).toEqual([INVALID, undefined])
    expect(await keys().list()).toMatchObject([{ rotatedAt: expect.stringMatching(/^2026-01-01T00:00:01/) as string }])
  })

  it('loses every older secret at once when it is rotated without an overlap', async () => {
    const { id, key } = await keys().create(SPEC)
    const second = await keys().rotate(id)
    const peers = [await join(one, key), await join(other, second.key)]
    const third = await keys().rotate(id, { overlap: 0 })
    await cluster.clock.pass(10)
    expect(ends(...peers)).toEqual([REVOKED, REVOKED])
    expect(ends(await join(one, key), await join(one, second.key), await join(one, third.key))).toEqual([
      INVALID,
      INVALID,
      undefined,
    ])
  })

  it('that is rotated while a handshake with its old secret goes on ends with the overlap all the same', async () => {
    const { id, key } = await keys().create(SPEC)
    const records = cluster.engine.records
    const get = records.get.bind(records)
    let rotated: Promise<unknown> | undefined
    // What is read now is old by the time that it arrives.
    records.get = async (name) => {
      const record = await get(name)
      if (name === `revoked:4:acme${id}` && rotated === undefined) {
        rotated = keys().rotate(id, { overlap: '1m' })
        await settle()
        await settle()
      }
      return record
    }
    const peer = await join(other, key)
    await rotated
    expect(ends(peer)).toEqual([undefined])
    await cluster.clock.pass(minutes(1.1), 1_000)
    expect(ends(peer)).toEqual([EXPIRED])
  })

  it('rotated at several nodes at once has one new secret for each, and all of them work', async () => {
    const { id } = await keys().create(SPEC)
    const made = await Promise.all([one, other, one].map(({ holdfast }) => holdfast.tenant('acme').keys.rotate(id)))
    const peers = await Promise.all(made.map(({ key }) => join(other, key)))
    expect(ends(...peers)).toEqual([undefined, undefined, undefined])
  })

  it('expires with the time that it was given', async () => {
    const { key } = await keys().create({ ...SPEC, expiresIn: '30m' })
    const peer = await join(one, key)
    await cluster.clock.pass(minutes(31), 60_000)
    expect(ends(peer, await join(one, key))).toEqual([EXPIRED, INVALID])
    expect(await keys().list()).toEqual([])
  })

  it('is of its tenant: another one can neither rotate nor revoke it', async () => {
    const { id, key } = await keys().create(SPEC)
    const foreign = one.holdfast.tenant('other').keys
    await expect(foreign.rotate(id)).rejects.toMatchObject({ code: 'not_found' })
    expect(await foreign.revoke(id)).toBe(false)
    expect(ends(await join(one, key))).toEqual([undefined])
    expect(await keys().list()).toHaveLength(1)
  })

  it('is no token: withdrawing all tokens of the tenant leaves it', async () => {
    const { key } = await keys().create(SPEC)
    const peer = await join(other, key)
    await cluster.clock.pass(1_000)
    await one.holdfast.tenant('acme').revokeAll()
    await cluster.clock.pass(10)
    expect(ends(peer, await join(one, key))).toEqual([undefined, undefined])
  })

  it('cannot be asked for while the engine is away, which a client may try again', async () => {
    const { key } = await keys().create(SPEC)
    one.cut()
    expect(ends(await join(one, key))).toEqual([{ code: 1011, reason: 'Internal error' }])
    await expect(keys().create(SPEC)).rejects.toMatchObject({ code: 'engine_unavailable' })
    await expect(keys().list()).rejects.toMatchObject({ code: 'engine_unavailable' })
  })

  it('refreshes a connection of its own, with its new secret, and no other', async () => {
    const { id, key } = await keys().create(SPEC)
    const stranger = await keys().create(SPEC)
    const peer = await join(one, key)
    const next = await keys().rotate(id, { overlap: '1m' })
    peer.say({ type: 'refresh', id: 1, token: next.key }, { type: 'refresh', id: 2, token: stranger.key })
    await cluster.clock.pass(minutes(2), 1_000)
    expect(peer.got('ok')).toMatchObject([{ id: 1 }])
    expect(peer.got('error')).toMatchObject([{ id: 2, code: 'permission_denied' }])
    expect(ends(peer)).toEqual([undefined])
  })

  it.each<[string, object, string]>([
    ['no name', { ...SPEC, name: '' }, 'name must be'],
    ['a name of several lines', { ...SPEC, name: 'a\nb' }, 'name must be'],
    ['verbs that are none', { ...SPEC, grants: { 'room:*': ['fly'] } }, 'grants["room:*"] must be'],
    ['permissions that are no names', { ...SPEC, permissions: ['A'] }, 'permissions must be'],
    ['an end that is no time', { ...SPEC, expiresIn: 'soon' }, 'expiresIn must be'],
    ['an end at once', { ...SPEC, expiresIn: 0 }, 'expiresIn must be'],
  ])('is not made with %s', async (_, spec, message) => {
    await expect(keys().create(spec as typeof SPEC)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(message) as string,
    })
    expect(await keys().list()).toEqual([])
  })

  it('is one of a thousand that a tenant may have', async () => {
    for (let made = 0; made < 1_000; made += 1) await keys().create(SPEC)
    await expect(keys().create(SPEC)).rejects.toMatchObject({ code: 'limit_exceeded' })
    expect(await keys().list()).toHaveLength(1_000)
  })

  it('leaves a line for each decision, without its secret', async () => {
    const { id, key } = await keys().create(SPEC)
    const next = await keys().rotate(id)
    await join(one, key)
    await keys().revoke(id)
    const told = lines.filter(({ audit }) => audit === true)
    expect(told.map(({ event }) => event).filter((event) => String(event).startsWith('key.'))).toEqual([
      'key.created',
      'key.rotated',
      'key.revoked',
    ])
    expect(told.filter(({ event }) => event === 'key.created')).toMatchObject([{ tenant: 'acme', user: `key:${id}` }])
    const text = JSON.stringify(lines)
    for (const made of [key, next.key]) expect(text).not.toContain(made.slice(`hf_${id}_`.length))
  })
})

describe('a key of the options', () => {
  it('lets a server in, also with an authenticator of the application, and while the engine holds no key', async () => {
    const peer = await join(one, FIXED.key)
    expect(peer.got('welcome')).toMatchObject([{ tenant: 'acme', user: `key:${FIXED.id}` }])
    expect(await keys().list()).toEqual([])
  })

  it('can be withdrawn by its id, as long as the options still have it', async () => {
    const peer = await join(other, FIXED.key)
    await one.holdfast.tenant('acme').revokeToken(FIXED.id)
    await cluster.clock.pass(10)
    expect(ends(peer, await join(one, FIXED.key))).toEqual([REVOKED, REVOKED])
  })
})

describe('a credential that is meant as a key', () => {
  it('never reaches the authenticator of tokens, and a token never the keys', async () => {
    const asked: string[] = []
    const auth = {
      authenticate(credential: string) {
        asked.push(credential)
        return { failure: 'invalid', detail: '' } as const
      },
    }
    const node = await cluster.start('n3', { auth })
    const wrong = `hf_${FIXED.id}_${'x'.repeat(43)}`
    expect(ends(await join(node, FIXED.key), await join(node, wrong), await join(node, 'hf_'))).toEqual([
      INVALID,
      INVALID,
      INVALID,
    ])
    expect(asked).toEqual([])
    await join(node, 'a token')
    expect(asked).toEqual(['a token'])
  })

  it('is refused for a wrong secret, an unknown id and no form at all in the same words', async () => {
    const { id, key } = await keys().create(SPEC)
    const wrong = [
      `hf_${id}_${'x'.repeat(43)}`,
      `hf_${'0'.repeat(16)}_${'x'.repeat(43)}`,
      `hf_${id}`,
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase(),
    ]
    for (const credential of wrong) {
      const peer = await join(one, credential)
      expect(ends(peer)).toEqual([INVALID])
      expect(peer.got('goodbye')).toMatchObject([{ message: 'Invalid authentication token' }])
    }
  })

  it('cannot be claimed by a token that names the user of a key', async () => {
    const { id } = await keys().create(SPEC)
    const token = signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user: `key:${id}` }, cluster.clock.now())
    expect(ends(await join(one, token))).toEqual([INVALID])
  })

  it('is not believed where what is stored cannot be read', async () => {
    const { id, key } = await keys().create(SPEC)
    for (const value of ['', '7', '{"tenant":"acme"}', '{"tenant":"acme","name":"x","secrets":[{}]}']) {
      await cluster.engine.records.put(`api-key:${id}`, value, { ttlMs: 60_000 })
      expect(ends(await join(one, key))).toEqual([INVALID])
    }
  })
})

function recorder(): Logger {
  const note = (fields: Record<string, unknown>): void => void lines.push(fields)
  return { debug: note, info: note, warn: note, error: note }
}

function minutes(count: number): number {
  return (durationMs('1m') ?? 0) * count
}
