import { describe, expect, it } from 'vitest'
import { durationMs } from '../duration.js'
import {
  type Access,
  type ChannelFacts,
  type ChannelRuleOptions,
  ChannelRules,
  type Verb,
  resolveChannelRule,
} from './channel-rules.js'
import type { Identity } from './identity.js'

const ADA: Identity = {
  tenant: 'acme',
  user: 'ada',
  roles: ['staff'],
  grants: { 'room:1': ['publish', 'subscribe'] },
  expiresAt: undefined,
  tokenId: undefined,
}

const NOBODY_OWNS: ChannelFacts = { isOwner: () => Promise.resolve(false) }

const rule = (pattern: string, options: ChannelRuleOptions = {}): ReturnType<typeof resolveChannelRule> =>
  resolveChannelRule(pattern, options, (ttl) => durationMs(ttl) ?? -1)

function rules(options: Record<string, ChannelRuleOptions>, facts: ChannelFacts = NOBODY_OWNS): ChannelRules {
  return new ChannelRules(
    Object.entries(options).map(([pattern, one]) => rule(pattern, one)),
    facts,
  )
}

const allows = (access: Access | readonly Access[], channel = 'room:1', who = ADA): boolean | Promise<boolean> =>
  rules({ 'room:*': { publish: access } }).allows(who, 'publish', channel)

describe('who may', () => {
  it.each<[string, Access | readonly Access[], boolean]>([
    ['nobody', 'nobody', false],
    ['anyone', 'anyone', true],
    ['member', 'member', true],
    ['server', 'server', false],
    ['a role that the user has', 'role:staff', true],
    ['a role that the user has not', 'role:admin', false],
    ['a role whose name begins so', 'role:sta', false],
    ['a predicate that says yes', (identity) => identity.user === 'ada', true],
    ['a predicate that says no', () => false, false],
    ['one of several', ['role:admin', 'role:staff'], true],
    ['none of several', ['role:admin', 'nobody', 'server'], false],
    ['none of no words at all', [], false],
  ])('is %s', (_, access, expected) => expect(allows(access)).toBe(expected))

  it('is whoever holds a grant for the channel and the verb', () => {
    expect(allows('grant', 'room:1')).toBe(true)
    expect(allows('grant', 'room:2')).toBe(false)
    const history = rules({ 'room:*': { history: { size: 1, ttl: 1, read: 'grant' } } })
    expect(history.allows(ADA, 'history', 'room:1')).toBe(false)
  })

  it('does not take what every object inherits for a grant', () =>
    expect(rules({ 'room:**': { publish: 'grant' } }).allows(ADA, 'publish', 'room:constructor')).toBe(false))

  it('is not decided by a predicate that throws', () => {
    const throws: Access = () => {
      throw new Error('no')
    }
    expect(allows(throws)).toBe(false)
    expect(allows([throws, 'member'])).toBe(true)
  })

  it('is not decided by a predicate that answers anything but true', async () => {
    expect(allows((() => 1) as unknown as Access)).toBe(false)
    expect(await allows((() => Promise.resolve('yes')) as unknown as Access)).toBe(false)
  })

  it('is the owner, as the facts have it', async () => {
    const facts: ChannelFacts = {
      isOwner: (tenant, channel, user) => Promise.resolve(`${tenant} ${channel} ${user}` === 'acme operation:1 ada'),
    }
    const owned = rules({ 'operation:{id}': { subscribe: 'owner' } }, facts)
    expect(await owned.allows(ADA, 'subscribe', 'operation:1')).toBe(true)
    expect(await owned.allows(ADA, 'subscribe', 'operation:2')).toBe(false)
    expect(await owned.allows({ ...ADA, tenant: 'other' }, 'subscribe', 'operation:1')).toBe(false)
  })

  it('is known without asking for the owner when another word allows it', () =>
    expect(rules({ 'room:*': { publish: ['owner', 'member'] } }).allows(ADA, 'publish', 'room:1')).toBe(true))
})

describe('the rule of a channel', () => {
  it('is the first whose pattern names it', () => {
    const both = rules({ 'room:vip': { publish: 'nobody' }, 'room:*': { publish: 'member' } })
    expect(both.allows(ADA, 'publish', 'room:vip')).toBe(false)
    expect(both.allows(ADA, 'publish', 'room:other')).toBe(true)
  })

  it('is none when no pattern names it, and nothing is allowed', () => {
    const one = rules({ 'room:*': { subscribe: 'anyone', publish: 'anyone' } })
    expect(one.ruleOf('doc:1', ADA)).toBeUndefined()
    for (const verb of ['subscribe', 'publish', 'signal', 'presence', 'history'] satisfies Verb[])
      expect(one.allows(ADA, verb, 'doc:1')).toBe(false)
  })

  it("is not that of another user's placeholder", () => {
    const user = rules({ 'user:{user}': {} })
    expect(user.allows(ADA, 'subscribe', 'user:ada')).toBe(true)
    expect(user.allows(ADA, 'subscribe', 'user:bob')).toBe(false)
    expect(user.ruleOf('user:bob', undefined)?.pattern.source).toBe('user:{user}')
  })
})

describe('the defaults of a rule', () => {
  it('let members read, the server write, and keep nothing', () => {
    const { access, retention, slow, inbox } = rule('room:*')
    expect(access).toEqual({
      subscribe: ['member'],
      publish: ['server'],
      signal: ['server'],
      presence: [],
      history: [],
    })
    expect({ retention, slow, inbox }).toEqual({ retention: undefined, slow: 'drop-oldest', inbox: false })
  })

  it('signal as publish, presence true and history as subscribe', () => {
    const { access, retention, slow } = rule('room:*', {
      subscribe: 'role:staff',
      publish: ['member', 'grant'],
      presence: true,
      history: { size: 5, ttl: '1m' },
    })
    expect(access.signal).toEqual(['member', 'grant'])
    expect(access.presence).toEqual(['role:staff'])
    expect(access.history).toEqual(['role:staff'])
    expect(retention).toEqual({ size: 5, ttlMs: 60_000 })
    expect(slow).toBe('resume')
  })

  it('let themselves be said one by one', () => {
    const { access, retention, slow } = rule('room:*', {
      signal: 'nobody',
      presence: 'role:host',
      history: { size: 5, ttl: 1_000, read: 'nobody' },
      slow: 'close',
    })
    expect(access).toMatchObject({ signal: ['nobody'], presence: ['role:host'], history: ['nobody'] })
    expect({ retention, slow }).toEqual({ retention: { size: 5, ttlMs: 1_000 }, slow: 'close' })
    expect(rule('room:*', { presence: false }).access.presence).toEqual([])
    expect(rule('room:*', { history: false }).retention).toBeUndefined()
  })
})

describe('an inbox', () => {
  const history = { size: 5, ttl: '1h' }

  it('is listed by its pattern', () => {
    const some = rules({ 'room:*': { history }, 'user:{user}': { inbox: true, history } })
    expect(some.inboxes).toEqual(['user:{user}'])
  })

  it.each<[string, ChannelRuleOptions]>([
    ['user:{user}', { inbox: true }],
    ['user:{user}', { inbox: true, history: false }],
    ['user:*', { inbox: true, history }],
    ['user:{user}:mail', { inbox: true, history }],
    ['box:*:{user}', { inbox: true, history }],
    ['box:{id}:{user}', { inbox: true, history }],
    ['box:{user}:{user}', { inbox: true, history }],
  ])('cannot be %s with %j, and the error names it', (pattern, options) =>
    expect(() => rule(pattern, options)).toThrow(`channels["${pattern}"].inbox needs history and a pattern`),
  )
})
