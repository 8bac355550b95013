import { beforeEach, describe, expect, it } from 'vitest'
import type { Identity } from '../access/identity.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemRandom } from '../random.js'
import { SimulatedClock } from '../simulated-clock.js'
import { type SessionContent, type SessionHolder, type SessionKey, Sessions } from './session.js'

const WINDOW_MS = 300_000
const CONTENT: SessionContent = {
  channels: [{ channel: 'room:1', presence: true, info: '{"a":1}' }],
  state: '{"tab":2}',
}
const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

let clock: SimulatedClock
let engine: MemoryEngine
let sessions: Sessions
let key: SessionKey

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  sessions = new Sessions(engine, systemRandom, WINDOW_MS)
  key = sessions.issue()
})

describe('a saved session', () => {
  beforeEach(() => sessions.save(ADA, key, CONTENT))

  it('is handed to whoever has its secret', async () => expect(await sessions.claim(ADA, key)).toEqual(CONTENT))

  it('is handed out once, of several who ask together', async () => {
    const claims = await Promise.all([sessions.claim(ADA, key), sessions.claim(ADA, key), sessions.claim(ADA, key)])
    expect(claims.filter((content) => content !== undefined)).toEqual([CONTENT])
  })

  it('is found by another node', async () => {
    const elsewhere = new Sessions(engine, systemRandom, WINDOW_MS)
    expect(await elsewhere.claim(ADA, key)).toEqual(CONTENT)
  })

  it.each(['', 'wrong', 'x'.repeat(128)])('is not handed out for the secret %j, and stays', async (secret) => {
    expect(await sessions.claim(ADA, { ...key, secret })).toBeUndefined()
    expect(await sessions.claim(ADA, key)).toEqual(CONTENT)
  })

  it.each<[string, Partial<Identity>]>([
    ['another user', { user: 'bob' }],
    ['another tenant', { tenant: 'other' }],
    ['names that only together say the same', { tenant: 'acmea', user: 'da' }],
  ])('is not handed to %s', async (_, who) => expect(await sessions.claim({ ...ADA, ...who }, key)).toBeUndefined())

  it('lasts as long as its window', async () => {
    clock.advance(WINDOW_MS - 1)
    expect(await sessions.claim(ADA, key)).toEqual(CONTENT)
    await sessions.save(ADA, key, CONTENT)
    clock.advance(WINDOW_MS)
    expect(await sessions.claim(ADA, key)).toBeUndefined()
  })

  it('does not show its secret to who reads the store', async () => {
    const { tenant, user } = ADA
    const record = await engine.records.get(`session:${tenant.length}:${tenant}${user.length}:${user}${key.id}`)
    expect(record?.value).toContain('room:1')
    expect(record?.value).not.toContain(key.secret)
  })
})

describe('a live session', () => {
  const handedOver: SessionHolder[] = []
  let holder: SessionHolder

  beforeEach(() => {
    handedOver.length = 0
    holder = {
      session: key,
      handOver() {
        handedOver.push(this)
        sessions.drop(ADA, this)
        return CONTENT
      },
    }
    sessions.hold(ADA, holder)
  })

  it('is handed over by its connection', async () => {
    expect(await sessions.claim(ADA, key)).toEqual(CONTENT)
    expect(handedOver).toEqual([holder])
    expect(await sessions.claim(ADA, key)).toBeUndefined()
  })

  it('stays with its connection when the secret is wrong', async () => {
    expect(await sessions.claim(ADA, { ...key, secret: 'wrong' })).toBeUndefined()
    expect(handedOver).toEqual([])
  })

  it('is not dropped by a connection that has lost it', async () => {
    sessions.drop(ADA, { session: key, handOver: () => CONTENT })
    expect(await sessions.claim(ADA, key)).toEqual(CONTENT)
  })
})

describe('a key', () => {
  it('is new for a new session, and keeps the id of one that was resumed', () => {
    const next = sessions.issue(key.id)
    expect(next.id).toBe(key.id)
    expect(next.secret).not.toBe(key.secret)
    expect(sessions.issue().id).not.toBe(key.id)
  })

  it('has 128 bits in each part', () => {
    expect(Buffer.from(key.id, 'base64url')).toHaveLength(16)
    expect(Buffer.from(key.secret, 'base64url')).toHaveLength(16)
  })
})
