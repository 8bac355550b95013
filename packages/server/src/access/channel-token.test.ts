import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { type ChannelTokenClaims, ChannelTokens, signChannelTokenAt } from './channel-token.js'
import { signTokenAt } from './token.js'

const clock = new SimulatedClock(Date.UTC(2026, 0, 1))
const NOW_S = clock.now() / 1_000
const door = new ChannelTokens(TEST_SECRET, clock)
const ADA = { tenant: 'acme', user: 'ada' }
const CLAIMS: ChannelTokenClaims = { secret: TEST_SECRET, ...ADA, channel: 'room:42', verbs: ['subscribe', 'publish'] }

const sign = (changes: Partial<ChannelTokenClaims> = {}): string =>
  signChannelTokenAt({ ...CLAIMS, ...changes }, clock.now())

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** As one who knows the key of channel tokens would sign what the door must refuse all the same. */
const forge = (payload: object, header: object = { alg: 'HS256', typ: 'holdfast-channel+jwt' }): string => {
  const content = `${encode(header)}.${encode(payload)}`
  return `${content}.${createHmac('sha256', derived()).update(content).digest('base64url')}`
}

const PAYLOAD = { tenant: 'acme', sub: 'ada', channel: 'room:42', verbs: ['subscribe'], iat: NOW_S, exp: NOW_S + 60 }

describe('a channel token', () => {
  it('grants its verbs on its channel to its user until it expires', () => {
    expect(door.open(sign({ ttlSeconds: 60 }), ADA, 'room:42')).toEqual({
      grant: {
        channel: 'room:42',
        verbs: ['subscribe', 'publish'],
        issuedAt: clock.now(),
        expiresAt: clock.now() + 60_000,
      },
    })
    expect(door.open(forge(PAYLOAD), ADA, 'room:42')).toMatchObject({ grant: { verbs: ['subscribe'] } })
  })

  it('lives five minutes and allows to subscribe, unless it says otherwise', () => {
    const { secret, channel } = CLAIMS
    const token = signChannelTokenAt({ secret, ...ADA, channel }, clock.now())
    expect(door.open(token, ADA, channel)).toMatchObject({
      grant: { verbs: ['subscribe'], expiresAt: clock.now() + 300_000 },
    })
  })

  it('is refused for another user, tenant or channel, and after its time', () => {
    const token = sign({ ttlSeconds: 60 })
    const reasons = [
      door.open(token, { ...ADA, user: 'bob' }, 'room:42'),
      door.open(token, { ...ADA, tenant: 'other' }, 'room:42'),
      door.open(token, ADA, 'room:421'),
      new ChannelTokens(TEST_SECRET, { now: () => clock.now() + 60_000 }).open(token, ADA, 'room:42'),
      new ChannelTokens(TEST_SECRET, { now: () => clock.now() - 6_000 }).open(token, ADA, 'room:42'),
    ]
    expect(reasons).toEqual([
      { refusal: 'of another user' },
      { refusal: 'of another user' },
      { refusal: 'for another channel' },
      { refusal: 'expired' },
      { refusal: 'not valid yet' },
    ])
  })

  it('is refused when it was signed with another secret, and everything is where there is none', () => {
    const refused = { refusal: 'not a channel token' }
    expect(door.open(sign({ secret: 'x'.repeat(43) }), ADA, 'room:42')).toEqual(refused)
    expect(new ChannelTokens(undefined, clock).open(sign(), ADA, 'room:42')).toEqual(refused)
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['a token of a connection', signTokenAt({ secret: TEST_SECRET, ...ADA }, clock.now())],
    ['two parts', sign().split('.').slice(0, 2).join('.')],
    ['four parts', `${sign()}.x`],
    ['no signature', `${sign().split('.').slice(0, 2).join('.')}.`],
    ['padding', `${sign()}=`],
    ['white space', ` ${sign()}`],
    ['another spelling of the signature', respelled(sign())],
    ['a header without a type', forge(PAYLOAD, { alg: 'HS256' })],
    ['the type of another token', forge(PAYLOAD, { alg: 'HS256', typ: 'JWT' })],
    ['another algorithm', forge(PAYLOAD, { alg: 'none', typ: 'holdfast-channel+jwt' })],
    ['a critical extension', forge(PAYLOAD, { alg: 'HS256', typ: 'holdfast-channel+jwt', crit: ['exp'] })],
    ['more than 8192 characters', forge({ ...PAYLOAD, more: 'x'.repeat(8_192) })],
  ])('is not %s', (_, token) => {
    expect(door.open(token, ADA, 'room:42')).toEqual({ refusal: 'not a channel token' })
  })

  it.each<[string, object]>([
    ['no time', { exp: undefined }],
    ['a time that is text', { exp: String(NOW_S + 60) }],
    ['a fraction of a second', { exp: NOW_S + 0.5 }],
    ['milliseconds', { iat: NOW_S * 1_000, exp: NOW_S * 1_000 + 60 }],
    ['more than an hour', { exp: NOW_S + 3_601 }],
    ['no verbs', { verbs: [] }],
    ['verbs that are none', { verbs: ['fly'] }],
    ['a verb that is no list', { verbs: 'subscribe' }],
    ['an issue in the future', { iat: NOW_S + 10 }],
    ['no user', { sub: undefined }],
    ['a list of users', { sub: ['ada'] }],
    ['a pattern', { channel: 'room:*' }],
  ])('with %s is refused, though it is signed', (_, changes) => {
    expect(door.open(forge({ ...PAYLOAD, ...changes }), ADA, 'room:42')).toHaveProperty('refusal')
  })

  it.each<[string, Partial<ChannelTokenClaims>, string]>([
    ['a pattern', { channel: 'room:*' }, 'channel must be'],
    ['a name that is none', { channel: 'room' }, 'channel must be'],
    ['no verbs', { verbs: [] }, 'verbs must be'],
    ['more than an hour', { ttlSeconds: 3_601 }, 'ttlSeconds must be'],
    ['no time at all', { ttlSeconds: 0 }, 'ttlSeconds must be'],
    ['no user', { user: '' }, 'user must be'],
    ['no tenant', { tenant: '' }, 'tenant must be'],
  ])('is not made for %s', (_, changes, message) => {
    expect(() => sign(changes)).toThrow(message)
  })
})

/** The key as RFC 5869 says it is made, step by step. */
function derived(): Buffer {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(TEST_SECRET).digest()
  return createHmac('sha256', extracted).update('holdfast channel token 1\x01').digest()
}

/** The same bytes with another last letter: two of its bits mean nothing. */
function respelled(token: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + letters.charAt(letters.indexOf(token.slice(-1)) ^ 1)
}
