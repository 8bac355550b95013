import { channelSegment } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileChannelPattern } from './channel-pattern.js'
import type { Identity } from './identity.js'

const identity = (changes: Partial<Identity> = {}): Identity => ({
  tenant: 'acme',
  user: 'ada',
  roles: [],
  grants: {},
  expiresAt: undefined,
  tokenId: undefined,
  ...changes,
})

const matches = (pattern: string, channel: string, who: Identity | undefined = identity()): boolean =>
  compileChannelPattern(pattern).matches(channel, who)

describe('a channel pattern', () => {
  it.each<[string, string, boolean]>([
    ['room:42', 'room:42', true],
    ['room:42', 'room:421', false],
    ['room:42', 'Room:42', false],
    ['room:*', 'room:42', true],
    ['room:*', 'room:42:comments', false],
    ['room:*', 'rooms:42', false],
    ['room:*:comments', 'room:42:comments', true],
    ['room:*:comments', 'room:42:likes', false],
    ['room:*:comments', 'room:comments', false],
    ['room:**', 'room:42', true],
    ['room:**', 'room:42:comments:7', true],
    ['room:**', 'room:', false],
    ['room:**', 'room:a:', false],
    ['room:**', 'room:a::b', false],
    ['room:*', ':42', false],
    ['room:*', '', false],
    ['room:*', 'room::', false],
    ['room:*:*', 'room:a:', false],
    ['doc:a:**', 'doc:a', false],
    ['doc:{id}', 'doc:7', true],
    ['doc:{id}', 'doc:7:8', false],
    ['user:{user}', 'user:ada', true],
    ['user:{user}', 'user:adam', false],
    ['user:{user}:**', 'user:bob:drafts', false],
    ['team:{tenant}', 'team:acme', true],
    ['team:{tenant}', 'team:other', false],
    ['room:a.b', 'room:axb', false],
  ])('%s and %s: %s', (pattern, channel, expected) => expect(matches(pattern, channel)).toBe(expected))

  it('compares a user with the segment that the user becomes', () => {
    const who = identity({ user: 'ada:root/é' })
    expect(matches('user:{user}', `user:${channelSegment(who.user)}`, who)).toBe(true)
    expect(matches('user:{user}:**', 'user:ada:root', who)).toBe(false)
  })

  it('takes any segment for a placeholder when the server itself asks', () => {
    expect(compileChannelPattern('user:{user}').matches('user:whoever', undefined)).toBe(true)
    expect(compileChannelPattern('team:{tenant}').matches('team:whichever', undefined)).toBe(true)
  })

  it('takes any segment for a placeholder of a server with an API key', () => {
    const server = identity({ kind: 'server' })
    expect(matches('user:{user}', 'user:whoever', server)).toBe(true)
    expect(matches('user:{user}', 'user:whoever', identity({ kind: 'anonymous' }))).toBe(false)
  })

  it('says its namespace, and whether it names one channel only', () => {
    expect(compileChannelPattern('room:42')).toMatchObject({ namespace: 'room', isLiteral: true })
    expect(compileChannelPattern('doc:*:a')).toMatchObject({ namespace: 'doc', isLiteral: false })
    expect(compileChannelPattern('user:{user}').isLiteral).toBe(false)
  })

  it.each([
    '',
    '*',
    `room:${'a'.repeat(600)}`,
    '**',
    'room',
    'room:',
    ':42',
    '*:42',
    'Room:*',
    'room:**:a',
    'room:*a',
    'room:{user',
    'room:{User}',
    'room:{}',
    'room:***',
    'room:a b',
    'room:é',
    'room:a::b',
    'room:*\n',
    '{user}:room',
  ])('is not %j, and the error says which one', (source) => {
    expect(() => compileChannelPattern(source)).toThrow(`channels["${source}"] must be a pattern such as room:*`)
  })

  it('agrees with a naive matcher', () => {
    const word = fc.constantFrom('a', 'b', 'ada', 'acme')
    const part = fc.oneof(word, fc.constantFrom('*', '{user}', '{tenant}', '{id}'))
    const pattern = fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([parts, open]) => ['room', ...parts, ...(open ? ['**'] : [])])
    const channel = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => ['room', ...parts])
    fc.assert(
      fc.property(pattern, channel, (parts, segments) => {
        expect(matches(parts.join(':'), segments.join(':'))).toBe(naive(parts, segments))
      }),
      { numRuns: 3_000 },
    )
  })
})

/** The rule of the docs, by recursion over the segments. */
function naive([first, ...pattern]: readonly string[], [segment, ...channel]: readonly string[]): boolean {
  if (first === undefined || segment === undefined) return first === undefined && segment === undefined
  if (first === '**') return true
  const wanted = { '{user}': 'ada', '{tenant}': 'acme', '{id}': segment, '*': segment }[first] ?? first
  return wanted === segment && naive(pattern, channel)
}
