import { describe, expect, it } from 'vitest'
import { durationMs } from '../duration.js'
import { SimulatedClock } from '../simulated-clock.js'
import {
  type Access,
  type ChannelFacts,
  type ChannelRuleOptions,
  ChannelRules,
  type RuleParts,
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

const SERVER: Identity = { ...ADA, user: 'key-1', kind: 'server', grants: { 'room:1': ['publish'] } }
const ANONYMOUS: Identity = { ...ADA, user: 'anonymous', kind: 'anonymous', grants: { 'room:1': ['publish'] } }

const NOBODY_OWNS: ChannelFacts = { isOwner: () => Promise.resolve(false) }

const rule = (pattern: string, options: ChannelRuleOptions = {}): ReturnType<typeof resolveChannelRule> =>
  resolveChannelRule(pattern, options, (ttl) => durationMs(ttl) ?? -1)

function rules(
  options: Record<string, ChannelRuleOptions>,
  facts: ChannelFacts = NOBODY_OWNS,
  parts: Partial<RuleParts> = {},
): ChannelRules {
  const made = Object.entries(options).map(([pattern, one]) => rule(pattern, one))
  return new ChannelRules(made, facts, parts)
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

  it('is whoever may report on every operation, to watch them and no more', () => {
    const owned = rules({
      'operation:{id}': { subscribe: 'owner', history: { size: 9, ttl: '1h' } },
      'room:*': { subscribe: 'nobody' },
    })
    for (const who of [ADA, SERVER, ANONYMOUS]) {
      const worker = { ...who, permissions: ['operations'] }
      expect(owned.allows(worker, 'subscribe', 'operation:import-42')).toBe(true)
      expect(owned.allows(worker, 'history', 'operation:import-42')).toBe(true)
      expect(owned.allows(worker, 'publish', 'operation:import-42')).toBe(false)
      expect(owned.allows(worker, 'subscribe', 'room:1')).toBe(false)
    }
  })

  it('is known without asking for the owner when another word allows it', () =>
    expect(rules({ 'room:*': { publish: ['owner', 'member'] } }).allows(ADA, 'publish', 'room:1')).toBe(true))
})

describe('a predicate that answers later', () => {
  const later = (predicate: Access, parts: Partial<RuleParts> = {}): boolean | Promise<boolean> =>
    rules({ 'room:*': { publish: predicate } }, NOBODY_OWNS, parts).allows(ADA, 'publish', 'room:1')

  it('is waited for', async () => {
    expect(await later(() => Promise.resolve(true))).toBe(true)
    expect(await later(() => Promise.resolve(false))).toBe(false)
    expect(await later(() => Promise.reject(new Error('no')))).toBe(false)
  })

  it('has five seconds', async () => {
    const clock = new SimulatedClock()
    const never = later(() => new Promise(() => undefined), { clock })
    let answer: boolean | undefined
    void Promise.resolve(never).then((value) => (answer = value))
    await clock.pass(4_999)
    expect(answer).toBeUndefined()
    await clock.pass(1)
    expect(answer).toBe(false)
  })

  it('is no promise but something with a then', async () => {
    const named = (descriptor: PropertyDescriptor): Access => {
      const answer = Object.defineProperty({}, ['th', 'en'].join(''), descriptor)
      return (() => answer) as unknown as Access
    }
    expect(await later(named({ value: (resolve: (value: boolean) => void) => resolve(true) }))).toBe(true)
    const get = (): never => {
      throw new Error('no')
    }
    expect(later(named({ get }))).toBe(false)
  })

  it('is not asked when a word allows it, and the next is when it does not', async () => {
    let asked = 0
    const refuses: Access = () => {
      asked += 1
      return Promise.resolve(false)
    }
    const listed = rules({ 'room:*': { publish: [refuses, 'member'], signal: [refuses, () => Promise.resolve(true)] } })
    expect(listed.allows(ADA, 'publish', 'room:1')).toBe(true)
    expect(asked).toBe(0)
    expect(await listed.allows(ADA, 'signal', 'room:1')).toBe(true)
    expect(asked).toBe(1)
  })
})

describe('a webhook', () => {
  it('is asked when nothing else allows it, with what is asked for', async () => {
    const asked: object[] = []
    const askWebhook: RuleParts['askWebhook'] = ({ verb, channel, event, connection }) => {
      asked.push({ verb, channel, event, connection })
      return Promise.resolve(channel === 'room:1')
    }
    const hooked = rules(
      { 'room:*': { publish: ['role:admin', 'webhook'], subscribe: ['webhook', 'member'] } },
      NOBODY_OWNS,
      {
        askWebhook,
      },
    )
    const of = hooked.ruleOf('room:1', ADA)
    const question = { identity: ADA, verb: 'publish', channel: 'room:1', connection: 'c1', event: 'chat' } as const
    expect(of && (await hooked.judge(of, question))).toBe(true)
    expect(await hooked.allows(ADA, 'publish', 'room:2')).toBe(false)
    expect(hooked.allows(ADA, 'subscribe', 'room:1')).toBe(true)
    expect(asked).toEqual([
      { verb: 'publish', channel: 'room:1', event: 'chat', connection: 'c1' },
      { verb: 'publish', channel: 'room:2' },
    ])
  })

  it('allows nothing where there is none', async () => expect(await allows('webhook')).toBe(false))
})

describe('a server with an API key', () => {
  it.each<[Access | readonly Access[], boolean]>([
    ['server', true],
    ['member', true],
    ['grant', true],
    ['role:admin', true],
    [['nobody', 'server'], true],
    ['nobody', false],
    [['nobody', 'nobody'], false],
    [[], false],
  ])('may what its grants name where the rule says %j: %s', (access, expected) => {
    expect(allows(access, 'room:1', SERVER)).toBe(expected)
    expect(allows(access, 'room:2', SERVER)).toBe(false)
  })

  it('is not asked about by predicates and webhooks, and owns nothing', () => {
    const asked: Access = () => {
      throw new Error('asked')
    }
    expect(allows(asked, 'room:1', SERVER)).toBe(true)
    expect(allows([asked, 'owner', 'webhook', 'member', 'anyone'], 'room:2', SERVER)).toBe(false)
  })

  it('may one verb by one grant', () => {
    const open = rules({ 'room:*': { publish: 'member', history: { size: 1, ttl: 1 }, presence: true } })
    for (const verb of ['subscribe', 'signal', 'presence', 'history'] satisfies Verb[])
      expect(open.allows(SERVER, verb, 'room:1')).toBe(false)
  })

  it("reaches every user's channel under a placeholder", () => {
    const user = rules({ 'user:{user}': { publish: 'server' } })
    const server = { ...SERVER, grants: { 'user:*': ['publish'] } }
    expect(user.allows(server, 'publish', 'user:ada')).toBe(true)
    expect(user.allows({ ...server, kind: 'user' }, 'publish', 'user:ada')).toBe(false)
  })
})

describe('who is anonymous', () => {
  it.each<[Access | readonly Access[], boolean]>([
    ['anyone', true],
    ['grant', true],
    [['role:admin', 'anyone'], true],
    ['member', false],
    ['server', false],
    ['role:staff', false],
    ['nobody', false],
    ['owner', false],
    ['webhook', false],
    [() => true, false],
    [[], false],
  ])('may what its grants name where the rule says %j: %s', (access, expected) => {
    expect(allows(access, 'room:1', ANONYMOUS)).toBe(expected)
    expect(allows(access, 'room:2', ANONYMOUS)).toBe(false)
  })
})

describe('fields of identity', () => {
  const guarded = rules({ 'room:*': { identity: ['user'] }, 'free:*': {} })
  const find = (channel: string, json: string): string | undefined => {
    const found = guarded.ruleOf(channel, ADA)
    return found && guarded.findForeign(found, { data: JSON.parse(json) as unknown, json, user: 'ada' })
  }

  it('name nobody but the sender, and no member twice', () => {
    expect(find('room:1', '{"user":"ada"}')).toBeUndefined()
    expect(find('room:1', '{"user":"eve"}')).toBe('data.user must name nobody but the sender')
    expect(find('room:1', '{"user":"eve","user":"ada"}')).toBe('data must name each member once on this channel')
    expect(find('free:1', '{"user":"eve"}')).toBeUndefined()
  })

  it('that are none are refused with the pattern of the rule', () =>
    expect(() => rule('room:*', { identity: [''] })).toThrow(
      'channels["room:*"].identity must be 1 to 8 fields of data such as user or author.id',
    ))
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
