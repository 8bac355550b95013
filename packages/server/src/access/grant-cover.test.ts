import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGrants } from './grants.js'
import { coversGrants } from './grant-cover.js'
import type { Identity } from './identity.js'

const identity = (kind: 'user' | 'server', grants: Identity['grants']): Identity => ({
  tenant: 'acme',
  user: 'ada',
  roles: [],
  grants,
  expiresAt: undefined,
  tokenId: undefined,
  kind,
})

describe('grants that are handed on', () => {
  it.each<[string, string, boolean]>([
    ['room:1', 'room:1', true],
    ['room:1', 'room:2', false],
    ['room:*', 'room:1', true],
    ['room:*', 'room:{id}', true],
    ['room:*', 'room:{user}', true],
    ['room:*', 'room:*:x', false],
    ['room:*', 'room:**', false],
    ['room:**', 'room:**', true],
    ['room:**', 'room:1:2:3', true],
    ['room:1:**', 'room:**', false],
    ['room:1:**', 'room:1', false],
    ['room:*', 'live:1', false],
    ['room:1', 'room:*', false],
    ['user:{user}', 'user:ada', true],
    ['user:{user}', 'user:{user}', false],
    ['user:{user}', 'user:bob', false],
    ['team:{tenant}', 'team:acme', true],
    ['no pattern', 'no pattern', false],
  ])('of a user with %s: %s', (own, wanted, holds) => {
    expect(coversGrants(identity('user', { [own]: ['publish'] }), { [wanted]: ['publish'] })).toBe(holds)
  })

  it('need each of their verbs', () => {
    const holder = identity('user', { 'room:*': ['publish'], 'room:1': ['signal'] })
    expect(coversGrants(holder, { 'room:1': ['publish', 'signal'] })).toBe(true)
    expect(coversGrants(holder, { 'room:2': ['publish', 'signal'] })).toBe(false)
    expect(coversGrants(holder, {})).toBe(true)
  })

  it('allow a server nothing that whoever handed them on may not', () => {
    const part = fc.constantFrom('1', '2', '*', '{user}', '{id}')
    const pattern = fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 2 }), fc.boolean())
      .map(([parts, open]) => ['room', ...parts, ...(open ? ['**'] : [])].join(':'))
    const names = ['1', '2', 'ada'].flatMap((one) => [
      one,
      ...['1', '2', 'ada'].flatMap((two) => [`${one}:${two}`, `${one}:${two}:1`]),
    ])
    fc.assert(
      fc.property(pattern, pattern, fc.constantFrom('user' as const, 'server' as const), (own, wanted, kind) => {
        const holder = identity(kind, { [own]: ['publish'] })
        fc.pre(coversGrants(holder, { [wanted]: ['publish'] }))
        const made = identity('server', { [wanted]: ['publish'] })
        for (const name of names) {
          if (compileGrants(made.grants).allows(made, 'publish', `room:${name}`))
            expect(compileGrants(holder.grants).allows(holder, 'publish', `room:${name}`)).toBe(true)
        }
      }),
    )
  })
})
