import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { OutboundError } from '../outbound/outbound.js'
import { SimulatedClock, settle } from '../simulated-clock.js'
import type { Authentication } from './authenticator.js'
import { Issuer } from './issuer.js'
import { KeySet } from './jwks.js'
import { PUBLIC_ALGORITHMS } from './token-algorithm.js'
import { KeyRing } from './token-key-ring.js'
import { TokenKey } from './token-key.js'
import { readToken } from './token-text.js'

const keys: Record<string, { publicKey: KeyObject; privateKey: KeyObject }> = {}
for (const kid of ['a', 'b', 'c']) keys[kid] = generateKeyPairSync('ed25519')

/** A set of the keys of these names. */
function setOf(...kids: string[]): string {
  return JSON.stringify({ keys: kids.map((kid) => ({ ...keys[kid]?.publicKey.export({ format: 'jwk' }), kid })) })
}

const RULES = { claims: {}, lifetimeMsMax: 1e13, toleranceMs: 0, type: undefined }

let clock: SimulatedClock
let answer: string | Error
let fetches: number
let events: string[]
let keySet: KeySet
let issuer: Issuer
/** Lets answers wait until the test releases them. */
let gate: Promise<void>

beforeEach(() => {
  clock = new SimulatedClock()
  answer = setOf('a')
  fetches = 0
  events = []
  gate = Promise.resolve()
  const setup = {
    url: new URL('https://keys.test/set?key=secret'),
    algorithms: PUBLIC_ALGORITHMS,
    refreshMs: 600_000,
    allowPrivate: false,
  }
  keySet = new KeySet(setup, {
    clock,
    audit: { record: (event, fields) => void events.push(`${event} ${fields.rule} ${fields.count ?? fields.reason}`) },
    outbound: async () => {
      fetches += 1
      await gate
      if (answer instanceof Error) throw answer
      return { status: 200, headers: {}, body: answer }
    },
  })
  issuer = new Issuer({ ...RULES, ring: new KeyRing([]) }, keySet)
})

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Named `kid`; undefined: without a name. */
function tokenOf(kid: string | undefined, key = keys[kid ?? '']?.privateKey): string {
  const content = `${encode({ alg: 'EdDSA', kid })}.${encode({ sub: 'ada', tenant: 'acme', exp: 2_000_000_000 })}`
  return `${content}.${sign(null, Buffer.from(content), key as KeyObject).toString('base64url')}`
}

async function resultOf(kid: string | undefined, key?: KeyObject): Promise<string> {
  const token = readToken(tokenOf(kid, key))
  const result: Authentication =
    'problem' in token
      ? { failure: 'invalid', detail: token.problem }
      : await issuer.authenticate(token, () => clock.now())
  return 'identity' in result ? 'good' : `${result.failure}: ${result.detail}`
}

const down = new OutboundError('timeout', 'no answer within 3000 ms')

describe('a key set', () => {
  it('is loaded when the node starts, and again from time to time', async () => {
    keySet.start()
    await clock.pass(1)
    expect(fetches).toBe(1)
    await clock.pass(1_800_000, 10_000)
    expect(fetches).toBe(4)
    keySet.stop()
    await clock.pass(1_800_000, 10_000)
    expect(fetches).toBe(4)
  })

  it('T-057 changes while the node runs: a new key works at once, one that was taken out not any more', async () => {
    expect(await resultOf('a')).toBe('good')
    answer = setOf('a', 'b')
    clock.advance(30_000)
    expect(await resultOf('b')).toBe('good')
    expect(await resultOf('a')).toBe('good')
    answer = setOf('b')
    clock.advance(30_000)
    expect(await resultOf('c')).toBe('invalid: unknown key')
    expect(await resultOf('a')).toBe('invalid: unknown key')
    expect(await resultOf('b')).toBe('good')
  })

  it('T-057 is fetched for unknown keys once in thirty seconds, and all who wait share that', async () => {
    expect(await resultOf('a')).toBe('good')
    for (let second = 0; second < 300; second += 1) {
      clock.advance(1_000)
      await Promise.all(['b', 'c', 'b', 'c'].map((kid) => resultOf(kid)))
    }
    expect(fetches).toBe(11)
    let open = (): void => undefined
    gate = new Promise((resolve) => (open = resolve))
    clock.advance(30_000)
    const waiting = Array.from({ length: 100 }, () => resultOf('b'))
    answer = setOf('a', 'b')
    await settle()
    open()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['good']))
    expect(fetches).toBe(12)
  })

  it.each<[string, string | undefined, (kid: string) => string]>([
    ['a token that names no key', undefined, (kid) => setOf(kid)],
    ['keys that have no names', 'some', (kid) => setOf(kid).replace(`,"kid":"${kid}"`, '')],
  ])('T-057 is fetched, once in thirty seconds, for %s where none of them has signed it', async (_, named, set) => {
    answer = set('a')
    expect(await resultOf(named, keys['a']?.privateKey)).toBe('good')
    answer = set('b')
    expect(await resultOf(named, keys['b']?.privateKey)).toBe('invalid: wrong signature')
    clock.advance(30_000)
    expect(await resultOf(named, keys['b']?.privateKey)).toBe('good')
    expect(await resultOf(named, keys['c']?.privateKey)).toBe('invalid: wrong signature')
    expect(fetches).toBe(2)
    clock.advance(30_000)
    expect(await resultOf(named, keys['c']?.privateKey)).toBe('invalid: wrong signature')
    expect(fetches).toBe(3)
  })

  it('T-057 stays as it was on any error, and old keys go on working', async () => {
    expect(await resultOf('a')).toBe('good')
    const errors = [down, 'no JSON', '{"keys":[]}', JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'b' }] })]
    for (const error of [...errors, new Error('a mistake of ours')]) {
      answer = error
      clock.advance(90_000)
      expect(await resultOf('b')).toBe('invalid: unknown key')
      expect(await resultOf('a')).toBe('good')
    }
    expect(events).toEqual([
      'jwks.refreshed keys.test 1',
      'jwks.failed keys.test timeout: no answer within 3000 ms',
      'jwks.failed keys.test no key set: no JSON object',
      'jwks.failed keys.test no key that verifies tokens',
      'jwks.failed keys.test a key that is not public',
      'jwks.failed keys.test failed',
    ])
  })

  it('that was never loaded refuses for the time being, and takes tokens as soon as it is', async () => {
    answer = down
    keySet.start()
    await clock.pass(1)
    expect(await resultOf('a')).toBe('unavailable: the key set of the issuer was never loaded')
    answer = setOf('a')
    expect(await resultOf('a')).toBe('unavailable: the key set of the issuer was never loaded')
    await clock.pass(30_000, 1_000)
    expect(await resultOf('a')).toBe('good')
    keySet.stop()
  })

  it('leaves a host that fails again and again alone for a while', async () => {
    answer = down
    for (let minute = 0; minute < 10; minute += 1) {
      await resultOf('a')
      clock.advance(30_000)
    }
    expect(fetches).toBeLessThanOrEqual(6)
    answer = setOf('a')
    clock.advance(60_000)
    expect(await resultOf('a')).toBe('good')
  })

  it('is asked for a key that another of the issuer, without a name, might stand for', async () => {
    const own = new TokenKey(keys['c']?.publicKey as KeyObject, 'EdDSA')
    issuer = new Issuer({ ...RULES, ring: new KeyRing([own]) }, keySet)
    expect(await resultOf('a')).toBe('good')
    expect(await resultOf('any', keys['c']?.privateKey)).toBe('good')
    expect(await resultOf('any', keys['b']?.privateKey)).toBe('invalid: wrong signature')
    expect(fetches).toBe(1)
  })

  it('that was never loaded refuses for the time being, too, what a key without a name has not signed', async () => {
    const own = new TokenKey(keys['a']?.publicKey as KeyObject, 'EdDSA')
    issuer = new Issuer({ ...RULES, ring: new KeyRing([own]) }, keySet)
    answer = down
    expect(await resultOf('a')).toBe('good')
    for (const kid of ['b', undefined])
      expect(await resultOf(kid, keys['b']?.privateKey)).toBe('unavailable: the key set of the issuer was never loaded')
    answer = setOf('b')
    clock.advance(30_000)
    expect(await resultOf('b')).toBe('good')
    expect(await resultOf('c')).toBe('invalid: wrong signature')
  })

  it('that is stopped and started while it is fetched is kept fresh once', async () => {
    let open = (): void => undefined
    gate = new Promise((resolve) => (open = resolve))
    keySet.start()
    keySet.stop()
    keySet.start()
    open()
    await clock.pass(1)
    keySet.stop()
    await clock.pass(1_800_000, 10_000)
    expect(fetches).toBe(1)
  })

  it('is not asked for by tokens that it cannot hold the key of', async () => {
    const content = `${encode({ alg: 'HS256', kid: 'x' })}.${encode({})}.AAAA`
    const token = readToken(content)
    if ('problem' in token) throw new Error(token.problem)
    expect(await issuer.authenticate(token, () => 0)).toMatchObject({ failure: 'invalid' })
    expect(fetches).toBe(0)
  })

  it('T-065 tells nobody which keys it has: one that is not in it takes a verification, too', async () => {
    expect(await resultOf('a', keys['b']?.privateKey)).toBe('invalid: wrong signature')
    expect(await resultOf('b')).toBe('invalid: unknown key')
  })

  it('never has its address in what is written down', async () => {
    answer = down
    await resultOf('a')
    expect(events.join()).not.toContain('secret')
  })
})
