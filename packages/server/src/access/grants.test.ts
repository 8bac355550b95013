import { describe, expect, it } from 'vitest'
import { GRANT_PATTERNS_MAX, GrantBook, type Grants, type RoleBook, compileGrants } from './grants.js'
import type { Identity } from './identity.js'

const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

const grants = (granted: Grants, verb: string, channel: string, who: Identity = ADA): boolean =>
  compileGrants(granted).allows(who, verb, channel)

describe('a set of grants', () => {
  it.each<[string, string, string, boolean]>([
    ['room:42', 'subscribe', 'room:42', true],
    ['room:42', 'publish', 'room:42', false],
    ['room:42', 'subscribe', 'room:421', false],
    ['room:*', 'subscribe', 'room:7', true],
    ['room:*', 'Subscribe', 'room:7', false],
    ['room:*', 'sub', 'room:7', false],
    ['room:*', 'history', 'room:7', false],
    ['room:*', 'subscribe', 'room:7:x', false],
    ['room:**', 'subscribe', 'room:7:x', true],
    ['room:*:read', 'subscribe', 'room:1:read', true],
    ['room:*:read', 'subscribe', 'room:1:read:x', false],
    ['room:*:read', 'subscribe', 'room::read', false],
    ['room:*:read', 'subscribe', 'room:a:b:read', false],
    ['room:*:read', 'subscribe', 'Room:1:read', false],
    ['user:{user}', 'subscribe', 'user:ada', true],
    ['user:{user}', 'subscribe', 'user:bob', false],
    ['team:{tenant}', 'subscribe', 'team:acme', true],
    ['doc:{id}', 'subscribe', 'doc:1', true],
  ])('%s: to %s %s: %s', (source, verb, channel, expected) =>
    expect(grants({ [source]: ['subscribe'] }, verb, channel)).toBe(expected),
  )

  it.each(['**', '*', '*:1', 'room:**:x', 'room:1*', 'room:[ab]', '^room:.*$', 'room:.*', 'room:', '', 'room:{USER}'])(
    'holds nothing under %j, which is no pattern',
    (source) => {
      for (const channel of ['room:1', 'room:a', 'room:1:x'])
        expect(grants({ [source]: ['subscribe'] }, 'subscribe', channel)).toBe(false)
    },
  )

  it('holds the others beside one that is no pattern, or whose verbs are none', () => {
    const odd = { '**': ['subscribe'], 'room:a': 'subscribe', 'room:b': undefined, 'room:c': ['subscribe'] }
    const set = compileGrants(odd as unknown as Grants)
    expect(set.allows(ADA, 'subscribe', 'room:a')).toBe(false)
    expect(set.allows(ADA, 'subscribe', 'room:b')).toBe(false)
    expect(set.allows(ADA, 'subscribe', 'room:c')).toBe(true)
  })

  it('does not hold what every object inherits', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(grants({}, 'subscribe', name)).toBe(false)
      expect(grants({ 'room:*': ['subscribe'] }, name, 'room:1')).toBe(false)
    }
  })

  it('joins what several keys say of one channel', () => {
    const several = { 'room:1': ['subscribe'], 'room:*': ['publish'], 'room:**': ['history'] }
    for (const verb of ['subscribe', 'publish', 'history']) expect(grants(several, verb, 'room:1')).toBe(true)
    expect(grants(several, 'presence', 'room:1')).toBe(false)
  })

  it('reads so many patterns and no more, and any number of names', () => {
    const patterns = Object.fromEntries(
      Array.from({ length: GRANT_PATTERNS_MAX + 1 }, (_, n) => [`room:${n}:*`, ['subscribe']]),
    )
    expect(grants(patterns, 'subscribe', `room:${GRANT_PATTERNS_MAX - 1}:a`)).toBe(true)
    expect(grants(patterns, 'subscribe', `room:${GRANT_PATTERNS_MAX}:a`)).toBe(false)
    const names = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`room:${n}`, ['subscribe']]))
    expect(grants(names, 'subscribe', 'room:999')).toBe(true)
  })

  it('lets the placeholders of a server match any segment', () =>
    expect(grants({ 'user:{user}': ['publish'] }, 'publish', 'user:bob', { ...ADA, kind: 'server' })).toBe(true))
})

describe('roles', () => {
  const MODERATOR = compileGrants({ 'room:*': ['publish'], 'user:{user}:notes': ['subscribe'] })
  const BOOK: RoleBook = {
    roles: new Map([
      ['moderator', MODERATOR],
      ['reader', compileGrants({ 'room:*': ['history'] })],
    ]),
    tenants: new Map([['globex', new Map([['moderator', compileGrants({ 'hall:*': ['publish'] })]])]]),
  }
  const who = (changes: Partial<Identity>): Identity => ({ ...ADA, ...changes })

  it('bring their grants to whoever has them', () => {
    const book = new GrantBook(BOOK)
    const moderator = who({ roles: ['nobody-knows-it', 'moderator', 'moderator'] })
    expect(book.allows(moderator, 'publish', 'room:1')).toBe(true)
    expect(book.allows(moderator, 'history', 'room:1')).toBe(false)
    expect(book.allows(moderator, 'subscribe', 'user:ada:notes')).toBe(true)
    expect(book.allows(moderator, 'subscribe', 'user:bob:notes')).toBe(false)
    expect(book.allows(who({ roles: ['moderator', 'reader'] }), 'history', 'room:1')).toBe(true)
    expect(book.allows(who({ roles: ['Moderator', 'moder', '__proto__'] }), 'publish', 'room:1')).toBe(false)
  })

  it('add to the grants of the identity', () => {
    const book = new GrantBook(BOOK)
    const both = who({ roles: ['moderator'], grants: { 'room:1': ['subscribe'] } })
    expect(book.allows(both, 'subscribe', 'room:1')).toBe(true)
    expect(book.allows(both, 'publish', 'room:1')).toBe(true)
    expect(book.allows(both, 'subscribe', 'room:2')).toBe(false)
  })

  it("of a tenant stand in the place of the node's, for that tenant and no other", () => {
    const book = new GrantBook(BOOK)
    const theirs = who({ tenant: 'globex', roles: ['moderator', 'reader'] })
    expect(book.allows(theirs, 'publish', 'hall:1')).toBe(true)
    expect(book.allows(theirs, 'publish', 'room:1')).toBe(false)
    expect(book.allows(theirs, 'history', 'room:1')).toBe(true)
    expect(book.allows(who({ roles: ['moderator'] }), 'publish', 'hall:1')).toBe(false)
  })
})
