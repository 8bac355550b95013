import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TEST_SECRET } from '../testing/test-node.js'
import { type TokenClaims, signTokenAt } from './token.js'

const NOW_S = 1_800_000_000

const sign = (claims: Partial<TokenClaims> = {}): string =>
  signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user: 'ada', ...claims }, NOW_S * 1_000 + 700)

const partsOf = (token: string): unknown[] =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown)

describe('signTokenAt', () => {
  it('says who, for how long, and nothing else', () =>
    expect(partsOf(sign())).toEqual([
      { alg: 'HS256', typ: 'JWT' },
      { sub: 'ada', tenant: 'acme', roles: [], iat: NOW_S, exp: NOW_S + 3_600 },
    ]))

  it('carries what it is given', () => {
    const given = { roles: ['staff'], grants: { 'room:1': ['publish'] }, tokenId: 't1', issuer: 'i', audience: 'a' }
    const [, claims] = partsOf(sign({ ...given, permissions: ['stats'], ttlSeconds: 60 }))
    const { roles, grants } = given
    expect(claims).toMatchObject({
      roles,
      grants,
      permissions: ['stats'],
      jti: 't1',
      iss: 'i',
      aud: 'a',
      exp: NOW_S + 60,
    })
  })

  it.each(['HS256', 'HS384', 'HS512'] as const)('signs with %s', (algorithm) => {
    const token = sign({ algorithm })
    const content = token.slice(0, token.lastIndexOf('.'))
    const mac = createHmac(algorithm.replace('HS', 'sha'), TEST_SECRET).update(content).digest('base64url')
    expect(token).toBe(`${content}.${mac}`)
    expect(partsOf(token)[0]).toEqual({ alg: algorithm, typ: 'JWT' })
  })

  it.each<[string, Partial<TokenClaims>]>([
    ['an empty tenant', { tenant: '' }],
    ['a tenant with a newline', { tenant: 'a\n' }],
    ['an empty user', { user: '' }],
    ['a user too long', { user: 'é'.repeat(100) }],
    ['a lifetime that is no number', { ttlSeconds: Number.NaN }],
    ['a lifetime without end', { ttlSeconds: Infinity }],
  ])('refuses %s', (_, claims) => expect(() => sign(claims)).toThrow(RangeError))
})
