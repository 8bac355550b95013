import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTenantName, isUserName, userKey } from './identity.js'

describe('the name of a tenant', () => {
  it.each(['acme', 'a', 'Ünïcode', '會社', 'a b', 'x'.repeat(128), '😀'.repeat(64), '%:/*'])('may be %j', (name) =>
    expect(isTenantName(name)).toBe(true),
  )

  it.each([
    '',
    'x'.repeat(129),
    'a\u0000',
    'a\n',
    'a\u007f',
    'a\u0085',
    '\ud800',
    'a\udc00b',
    undefined,
    null,
    7,
    {},
    [],
  ])('is not %j', (name) => expect(isTenantName(name)).toBe(false))
})

describe('the name of a user', () => {
  it('is bounded by the segment that it becomes', () => {
    expect(isUserName('x'.repeat(128))).toBe(true)
    expect(isUserName('é'.repeat(33))).toBe(true)
    expect(isUserName('é'.repeat(34))).toBe(false)
  })
})

describe('userKey', () => {
  it('differs for every two users', () => {
    const name = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('1', '2', ':', 'a') })
    fc.assert(
      fc.property(name, name, name, name, (tenant, user, tenant2, user2) => {
        const same = tenant === tenant2 && user === user2
        expect(userKey({ tenant, user }) === userKey({ tenant: tenant2, user: user2 })).toBe(same)
      }),
      { numRuns: 2_000 },
    )
  })
})
