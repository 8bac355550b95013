import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type HoldfastOptions, resolveOptions } from './options.js'
import { OptionsError } from './options/options-error.js'
import { TEST_SECRET } from './testing/test-node.js'

const resolve = (options: object = {}): ReturnType<typeof resolveOptions> =>
  resolveOptions({ auth: { secret: TEST_SECRET }, ...options } as HoldfastOptions)

/** The message of the error that these options are refused with. */
function problemOf(options: object): string {
  try {
    resolve(options)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError)
    expect(error).toMatchObject({ name: 'OptionsError', code: 'invalid_options' })
    return (error as Error).message
  }
  return 'nothing is wrong'
}

/** Every bounded number: where it stands, its bounds, and what else its value needs. */
const NUMBERS: [group: string, name: string, min: number, max: number, needs?: object][] = [
  ['limits', 'messageBytesMax', 1_024, 16_777_216],
  ['limits', 'handshakeBytesMax', 1_024, 65_536],
  ['limits', 'commandsPerFrameMax', 1, 1_024],
  ['limits', 'jsonDepthMax', 4, 128],
  ['limits', 'objectKeysMax', 16, 65_536],
  ['limits', 'channelsMax', 1, 10_000],
  ['limits', 'commandsInFlightMax', 1, 1_024],
  ['limits', 'outboxBytesMax', 65_536, 1_073_741_824],
  ['limits', 'outboxAgeMaxMs', 1_000, 3_600_000],
  ['limits', 'outboxTotalBytesMax', 1_048_576, 1_099_511_627_776],
  ['limits', 'errorsMax', 1, 10_000],
  ['limits', 'connectionsPerUserMax', 1, 1_000_000],
  ['limits', 'connectionsPerTenantMax', 1, 100_000_000],
  ['limits', 'connectionsPerAddressMax', 1, 100_000_000],
  ['limits', 'connectionsMax', 1, 1_000_000],
  ['limits', 'stateBytesMax', 0, 1_048_576],
  ['limits', 'presenceInfoBytesMax', 0, 65_536],
  ['limits', 'receiptsPerTenantMax', 1, 10_000_000],
  ['limits', 'handshakeTimeoutMs', 100, 120_000],
  ['limits', 'recoveryMessagesMax', 0, 9_999],
  ['limits', 'recoveryBytesMax', 1_024, 1_073_741_824],
  ['limits', 'gateMessagesMax', 1, 100_000],
  ['limits', 'gateBytesMax', 1_024, 1_073_741_824],
  ['limits', 'quietCheckMs', 100, 3_600_000],
  ['limits', 'spoolMessagesMax', 0, 1_000_000],
  ['limits', 'spoolBytesMax', 0, 1_073_741_824],
  ['limits', 'commandsPerSecondMax', 1, 1_000_000],
  ['limits', 'publishesPerSecondMax', 1, 1_000_000],
  ['limits', 'publishesPerUserPerSecondMax', 1, 1_000_000],
  ['limits', 'subscribesPerSecondMax', 1, 1_000_000],
  ['limits', 'readsPerSecondMax', 1, 1_000_000],
  ['limits', 'refreshesPerSecondMax', 1, 1_000],
  ['limits', 'bytesPerSecondMax', 1_024, 17_179_869_184],
  ['limits', 'controlFramesPerSecondMax', 1, 100_000],
  ['limits', 'refusalsPerSecondMax', 1, 1_000_000],
  ['limits', 'recoveriesPerSecondMax', 1, 1_000_000],
  ['limits', 'handshakesPerSecondMax', 1, 1_000_000],
  ['limits', 'failedAuthenticationsPerMinuteMax', 1, 1_000_000],
  ['limits', 'newcomersMax', 1, 1_000_000],
  ['limits', 'newcomersPerAddressMax', 1, 1_000_000],
  ['overload', 'readsPercent', 1, 100],
  ['overload', 'admitPercent', 1, 100],
  ['overload', 'shedPercent', 1, 100],
  ['heartbeat', 'timeoutMs', 21, 3_600_000, { intervalMs: 20 }],
  ['session', 'windowMs', 0, 86_400_000],
  ['presence', 'graceMs', 0, 600_000],
  ['presence', 'coalesceMs', 0, 10_000],
  ['presence', 'sampleMax', 1, 1_000],
  ['operations', 'conflateMs', 0, 60_000],
  ['operations', 'leaseMs', 1_000, 86_400_000],
  ['operations', 'childrenMax', 0, 10_000],
  ['cluster', 'renewMs', 20, 60_000, { leaseMs: 600_000 }],
  ['cluster', 'leaseMs', 40, 600_000, { renewMs: 20 }],
  ['drain', 'delayMs', 0, 600_000],
  ['drain', 'windowMs', 0, 600_000],
  ['drain', 'ratePerSecondMax', 1, 100_000],
  ['drain', 'deadlineMs', 0, 3_600_000],
]

describe('cluster.secret', () => {
  const secret = 'Tq8vN2xLr5Ks9Wd3Zm6Hb1Yc4Jf7Pg0QeUoAiRtEnXs'
  const authenticate = (): never => {
    throw new Error('not asked')
  }

  it('is made of auth.secret, and can be another', () => {
    expect(resolve().cluster.secret).toBe(TEST_SECRET)
    expect(resolve({ cluster: { secret } }).cluster.secret).toBe(secret)
  })

  it('is needed where an authenticator of your own meets an engine that nodes share', () => {
    const redis = { redis: 'redis://127.0.0.1' }
    const shared = { publish: () => undefined, name: 'theirs' }
    const alone = { publish: () => undefined, name: 'memory' }
    for (const engine of [redis, shared])
      expect(problemOf({ auth: { authenticate }, engine })).toMatch(/^cluster\.secret must be at least 32 bytes/)
    for (const engine of [redis, shared])
      expect(problemOf({ auth: { authenticate }, engine, cluster: { secret } })).toBe('nothing is wrong')
    for (const engine of [undefined, 'memory', alone, { disk: '/tmp/x' }])
      expect(problemOf({ auth: { authenticate }, ...(engine && { engine }) })).toBe('nothing is wrong')
  })

  it('is long, no known word, and not shown', () => {
    expect(problemOf({ cluster: { secret: 'short' } })).toBe('cluster.secret must be at least 32 bytes, received 5')
    expect(problemOf({ cluster: { secret: 'x'.repeat(40) }, environment: 'production' })).toMatch(/known or repeated/)
    expect(problemOf({ cluster: { secret: 5 } })).toBe('cluster.secret must be text, received number')
  })

  it('does without a lease that is shorter than two renewals', () => {
    expect(problemOf({ cluster: { renewMs: 6_000 } })).toBe(
      'cluster.leaseMs must be at least twice renewMs (6000), received 10000',
    )
  })
})

describe('a number', () => {
  it.each(NUMBERS)('%s.%s is taken from %d to %d and not beyond', (group, name, min, max, needs = {}) => {
    const set = (value: unknown): object => ({ [group]: { ...needs, [name]: value } })
    for (const value of [min, max]) expect(problemOf(set(value))).toBe('nothing is wrong')
    for (const value of [min - 1, max + 1]) expect(problemOf(set(value))).toContain(`${group}.${name} must be`)
    for (const value of [min + 0.5, String(min), null, Number.NaN, [min], true])
      expect(problemOf(set(value))).toContain(`${group}.${name} must be an integer from`)
  })

  it.each<[string, unknown]>([
    ['"64k"', '64k'],
    ['1', 1],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['64', 64n],
    ['null', null],
    ['an object', {}],
    ['an array', [1]],
    ['a function', () => 1],
    [`"${'x'.repeat(64)}"`, 'x'.repeat(1_000)],
  ])('is refused with its expectation and what came: %s', (shown, value) => {
    const expected = `limits.messageBytesMax must be an integer from 1024 to 16777216, received ${shown}`
    expect(problemOf({ limits: { messageBytesMax: value } })).toBe(expected)
  })

  it('may be undefined, which is the default', () =>
    expect(resolve({ limits: { errorsMax: undefined } }).limits.errorsMax).toBe(10))
})

describe('the defaults', () => {
  it('are those of the documentation', () => {
    expect(resolve()).toMatchObject({
      environment: 'development',
      path: '/ws',
      engine: 'memory',
      node: undefined,
      queryToken: true,
      limits: {
        messageBytesMax: 65_536,
        handshakeBytesMax: 16_384,
        commandsPerFrameMax: 64,
        jsonDepthMax: 32,
        objectKeysMax: 256,
        channelsMax: 256,
        commandsInFlightMax: 32,
        outboxBytesMax: 1_048_576,
        outboxTotalBytesMax: 268_435_456,
        errorsMax: 10,
        connectionsPerUserMax: 10,
        connectionsMax: 100_000,
        stateBytesMax: 16_384,
        presenceInfoBytesMax: 1_024,
        receiptsPerTenantMax: 100_000,
        handshakeTimeoutMs: 10_000,
        sessionWindowMs: 300_000,
        heartbeat: { intervalMs: 25_000, timeoutMs: 35_000 },
        presence: { graceMs: 15_000, coalesceMs: 250, sampleMax: 1_000 },
        subscription: {
          recovery: { messagesMax: 1_000, bytesMax: 524_288 },
          gate: { messagesMax: 1_000, bytesMax: 262_144 },
        },
      },
      drain: { delayMs: 0, windowMs: 5_000, ratePerSecondMax: 500, deadlineMs: 30_000 },
      operations: {
        conflateMs: 200,
        leaseMs: 30_000,
        childrenMax: 1_000,
        runningMs: 86_400_000,
        completedMs: 86_400_000,
        failedMs: 604_800_000,
      },
    })
  })

  it('let everything happen at once that an honest client does at once', () => {
    const { connection, recoveries } = resolve({ limits: { channelsMax: 1_000, messageBytesMax: 16_777_216 } }).limits
      .rates
    expect([connection.subscribes.burst, connection.reads.burst, connection.bytes.burst]).toEqual([
      2_000, 2_000, 33_554_432,
    ])
    expect(recoveries.burst).toBe(10_000)
  })

  it('take a pong for each ping of a heartbeat that is short', () => {
    const heartbeat = { intervalMs: 20, timeoutMs: 200 }
    expect(resolve({ heartbeat }).limits.rates.connection.controlFrames).toEqual({ perSecond: 200, burst: 400 })
    expect(resolve().limits.rates.connection.controlFrames).toEqual({ perSecond: 20, burst: 40 })
  })

  it('have two rules: operations belong to their owner, one by one and all of them', () => {
    const [rule, ...others] = resolve().rules
    expect(others).toMatchObject([
      { pattern: { source: 'operations:{user}' }, access: { subscribe: ['member'], publish: ['nobody'] } },
    ])
    expect(rule).toMatchObject({
      pattern: { source: 'operation:{id}' },
      access: { subscribe: ['owner'], publish: ['nobody'] },
      retention: { size: 100, ttlMs: 86_400_000 },
      slow: 'latest',
    })
  })

  it('give way to a rule for operations, in its place', () => {
    const { rules } = resolve({
      channels: { 'operation:{id}': { subscribe: ['owner', 'role:ops'], history: { size: 1, ttl: 1 } }, 'room:*': {} },
    })
    expect(rules.map(({ pattern }) => pattern.source)).toEqual(['operation:{id}', 'room:*', 'operations:{user}'])
    expect(rules[0]?.access.subscribe).toEqual(['owner', 'role:ops'])
  })

  it('recover and hold in proportion to the queue', () => {
    const { subscription } = resolve({ limits: { outboxBytesMax: 65_536 } }).limits
    expect([subscription.recovery.bytesMax, subscription.gate.bytesMax]).toEqual([32_768, 16_384])
  })
})

describe('a name that is no option', () => {
  it.each<[object, string]>([
    [{ chanels: {} }, 'options has no option "chanels"'],
    [{ limits: { messageBytes: 1 } }, 'limits has no option "messageBytes"'],
    [{ channels: { 'room:*': { publsh: 'member' } } }, 'channels.room:* has no option "publsh"'],
    [{ heartbeat: { interval: 1, timeout: 2 } }, 'heartbeat has no option "interval", "timeout"'],
  ])('in %j is named', (options, message) => expect(problemOf(options)).toBe(message))
})

describe('auth', () => {
  it.each<[unknown, string]>([
    [undefined, 'auth must be an object with secret (text)'],
    [{}, 'auth must be an object with secret (text)'],
    [{ secret: 42 }, 'auth.secret must be text, received number'],
    [{ secret: TEST_SECRET, secrets: [] }, 'auth has no option "secrets"'],
    [{ authenticate: true }, 'auth.authenticate must be a function, received boolean'],
    [{ secret: 'x'.repeat(31) }, 'auth.secret must be at least 32 bytes, received 31'],
    [{ secret: '' }, 'auth.secret must be at least 32 bytes, received 0'],
  ])('%j is refused', (auth, message) => expect(problemOf({ auth })).toContain(message))

  it('is not repeated in the error', () => {
    const short = 'my-short-password'
    expect(problemOf({ auth: { secret: short } })).not.toContain(short)
    expect(problemOf({ auth: { secret: [short] } })).not.toContain(short)
  })

  it('counts the bytes of a secret, not its characters', () =>
    expect(problemOf({ auth: { secret: 'é'.repeat(16) } })).toBe('nothing is wrong'))

  it.each([
    'x'.repeat(64),
    'your-256-bit-secret-goes-in-here-now',
    'changeme-changeme-changeme-changeme',
    'this-is-my-super-secret-key-for-jwt',
    'Password-Password-Password-Password',
    '12345678901234567890123456789012',
  ])('%j is known: good enough for development alone', (secret) => {
    expect(problemOf({ auth: { secret } })).toBe('nothing is wrong')
    for (const environment of ['staging', 'production'])
      expect(problemOf({ auth: { secret }, environment })).toBe(
        `auth.secret must not be a known or repeated word in ${environment}; make one with: openssl rand -base64 48`,
      )
  })

  it('reads ?token= outside production, unless it says otherwise', () => {
    const reads = (environment: string, queryToken?: boolean): boolean =>
      resolve({ environment, auth: { secret: TEST_SECRET, ...(queryToken !== undefined && { queryToken }) } })
        .queryToken
    expect([reads('development'), reads('staging'), reads('production')]).toEqual([true, true, false])
    expect([reads('production', true), reads('development', false)]).toEqual([true, false])
  })

  it('may be a function of the application', () =>
    expect(problemOf({ auth: { authenticate: () => undefined } })).toBe('nothing is wrong'))
})

describe('the heartbeat', () => {
  it('gives up later than it asks', () => {
    const message = 'heartbeat.timeoutMs must be more than intervalMs (25000), received 25000'
    expect(problemOf({ heartbeat: { timeoutMs: 25_000 } })).toBe(message)
    expect(problemOf({ heartbeat: { intervalMs: 60_000 } })).toContain(
      'must be more than intervalMs (60000), received 35000',
    )
    expect(problemOf({ heartbeat: { timeoutMs: 25_001 } })).toBe('nothing is wrong')
    expect(problemOf({ heartbeat: { intervalMs: 20 } })).toBe('nothing is wrong')
    expect(problemOf({ heartbeat: { intervalMs: 19 } })).toContain('heartbeat.intervalMs must be an integer from 20')
    expect(problemOf({ heartbeat: { intervalMs: 3_599_999, timeoutMs: 3_600_000 } })).toBe('nothing is wrong')
  })
})

describe('a duration', () => {
  const withTtl = (ttl: unknown): object => ({ channels: { 'room:*': { history: { size: 1, ttl } } } })

  it.each<[unknown, number]>([
    [0, 0],
    [1_500, 1_500],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%j is %d ms', (ttl, ms) => expect(resolve(withTtl(ttl)).rules[0]?.retention?.ttlMs).toBe(ms))

  it.each(['1 hour', '', 'h', -1, 1.5, '1.5h', null, undefined, Number.NaN])('is not %j', (ttl) =>
    expect(problemOf(withTtl(ttl))).toContain('channels.room:*.history'),
  )

  it.each(['runningTtl', 'completedTtl', 'failedTtl'])('of operations.%s is checked', (name) => {
    const message = `operations.${name} must be milliseconds or text such as 30s, 5m, 1h or 7d, received "soon"`
    expect(problemOf({ operations: { [name]: 'soon' } })).toBe(message)
    expect(problemOf({ operations: { [name]: '90s' } })).toBe('nothing is wrong')
  })
})

describe('a channel rule', () => {
  const withRule = (rule: unknown, pattern = 'room:*'): object => ({ channels: { [pattern]: rule } })
  const who = 'nobody, anyone, member, server, owner, grant, webhook, role:NAME, a function, or an array of these'

  it.each(['nobody', 'anyone', 'member', 'server', 'owner', 'grant', 'role:staff', ['member', 'role:x'], () => true])(
    'gives access to %j',
    (access) =>
      expect(problemOf(withRule({ subscribe: access, publish: access, signal: access }))).toBe('nothing is wrong'),
  )

  it.each([true, 'members', 'role:', 'Role:x', 7, ['member', 'everyone'], {}, null])(
    'gives no access to %j',
    (access) =>
      expect(problemOf(withRule({ publish: access }))).toContain(`channels.room:*.publish must be ${who}, received`),
  )

  it.each<[object, string]>([
    [{ presence: 'yes' }, 'channels.room:*.presence must be true, false or who may, received "yes"'],
    [{ history: true }, 'channels.room:*.history must be false, or { size, ttl }'],
    [{ history: { size: 0, ttl: 1 } }, 'channels.room:*.history'],
    [{ slow: 'drop' }, 'channels.room:*.slow must be resume, drop-oldest, latest or close, received "drop"'],
    [{ inbox: 'yes' }, 'channels.room:*.inbox must be true or false, received "yes"'],
    [{ identity: 'user' }, 'channels.room:*.identity must be a list of fields such as user or author.id'],
    [{ identity: [] }, 'channels["room:*"].identity must be 1 to 8 fields of data such as user or author.id'],
    [{ identity: ['a..b'] }, 'channels["room:*"].identity must be 1 to 8 fields of data such as user or author.id'],
    [{ publish: 'webhook' }, 'channels["room:*"].publish says webhook: webhooks.publish.url must be set'],
    [{ presence: ['webhook'] }, 'channels["room:*"].presence says webhook: webhooks.subscribe.url must be set'],
    [{ inbox: true }, 'channels["room:*"].inbox needs history and a pattern such as user:{user}'],
  ])('%j is refused', (rule, message) => expect(problemOf(withRule(rule))).toContain(message))

  it('names a pattern that is none', () =>
    expect(problemOf(withRule({}, 'Room:*'))).toContain('channels["Room:*"] must be a pattern such as'))
})

describe('the other options', () => {
  it.each<[object, string]>([
    [
      { engine: 'redis' },
      'engine must be "memory", { disk: a directory or options }, { redis: an address or options }, or an engine, received "redis"',
    ],
    [{ environment: 'not a name' }, 'environment must be development, staging, production, or a name of 1 to 32 of'],
    [{ path: 'ws' }, 'path must be a path such as /ws, received "ws"'],
    [{ path: '/ws/' }, 'path must be a path such as /ws, received "/ws/"'],
    [{ path: '/ws?x' }, 'path must be a path such as /ws'],
    [{ node: 'a b' }, 'node must be 1 to 64 of A-Z a-z 0-9 _ . -, received "a b"'],
    [{ log: console.log }, 'log must be a logger with debug, info, warn and error, received a function'],
    [{ clock: {} }, 'clock must be a clock, received an object'],
    [{ random: {} }, 'random must be a random, received an object'],
    [{ limits: 7 }, 'limits must be'],
  ])('%j is refused', (options, message) => expect(problemOf(options)).toContain(message))
})

describe('docs/reference/server.md', () => {
  const page = readFileSync(new URL('../../../docs/reference/server.md', import.meta.url), 'utf8')
  const rows = (page.match(/^\| `[a-zA-Z]+\.[a-zA-Z]+` \|.*$/gm) ?? []).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
  const bounded = rows.filter((cells) => cells.length === 6)

  it('lists every bounded number with its bounds, and no other', () => {
    const listed = bounded.map(([name, , , from, to]) => [name, Number(from), Number(to)])
    const known = NUMBERS.map(([group, name, min, max]) => [`${group}.${name}`, min, max])
    // The two of the heartbeat are tested together: their bounds depend on each other.
    const heartbeat = ['heartbeat.intervalMs', 'heartbeat.timeoutMs']
    const others = (all: unknown[][]): unknown[][] => all.filter(([name]) => !heartbeat.includes(String(name)))
    expect(others(listed)).toEqual(others(known))
    expect(listed.filter(([name]) => heartbeat.includes(String(name)))).toEqual(
      heartbeat.map((name) => [name, 20, 3_600_000]),
    )
  })

  it('lists the defaults in force', () => {
    const { limits, drain, operations, cluster } = resolve()
    const { heartbeat, presence, sessionWindowMs, spool, subscription } = limits
    const flat: Record<string, unknown> = {
      ...prefixed('limits', limits),
      ...prefixed('heartbeat', heartbeat),
      ...prefixed('presence', presence),
      ...prefixed('cluster', cluster),
      ...prefixed('drain', drain),
      'session.windowMs': sessionWindowMs,
      'operations.conflateMs': operations.conflateMs,
      'operations.leaseMs': operations.leaseMs,
      'operations.childrenMax': operations.childrenMax,
      'limits.recoveryMessagesMax': subscription.recovery.messagesMax,
      'limits.gateMessagesMax': subscription.gate.messagesMax,
      'limits.spoolMessagesMax': spool.messagesMax,
      'limits.spoolBytesMax': spool.bytesMax,
      ...prefixed('overload', limits.overload),
      ...Object.fromEntries(
        Object.entries(limits.rates.connection).map(([name, { perSecond }]) => [
          `limits.${name}PerSecondMax`,
          perSecond,
        ]),
      ),
      'limits.recoveriesPerSecondMax': limits.rates.recoveries.perSecond,
      'limits.handshakesPerSecondMax': limits.rates.handshakes.perSecond,
      'limits.failedAuthenticationsPerMinuteMax': limits.rates.failedAuthentications.burst,
      'limits.newcomersMax': limits.rates.newcomers.nodeMax,
      'limits.newcomersPerAddressMax': limits.rates.newcomers.addressMax,
    }
    const wrong = bounded
      .filter(([, , value = '']) => /^\d+$/.test(value))
      .filter(([name = '', , value]) => flat[name] !== Number(value))
    expect(wrong).toEqual([])
    expect(bounded.filter(([, , value = '']) => !/^\d+$/.test(value)).map(([name]) => name)).toEqual([
      'limits.connectionsPerTenantMax',
      'limits.connectionsPerAddressMax',
      'limits.recoveryBytesMax',
      'limits.gateBytesMax',
      'limits.publishesPerUserPerSecondMax',
    ])
  })
})

function prefixed(group: string, members: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [`${group}.${name}`, value]))
}
