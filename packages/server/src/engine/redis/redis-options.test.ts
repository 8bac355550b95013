import { describe, expect, it } from 'vitest'
import { type RedisEngineOptions, redisOptions, resolveRedisOptions } from './redis-options.js'

describe('the address of redis', () => {
  it.each<[string, RedisEngineOptions]>([
    ['redis://localhost', { mode: 'single', servers: [{ host: 'localhost', port: 6_379 }] }],
    [
      'redis://ada:s%40cret@10.0.0.1:7000/3',
      {
        mode: 'single',
        servers: [{ host: '10.0.0.1', port: 7_000 }],
        username: 'ada',
        password: 's@cret',
        database: 3,
      },
    ],
    ['rediss://:p@[::1]:1', { mode: 'single', servers: [{ host: '::1', port: 1 }], password: 'p', tls: true }],
    ['redis://h/', { mode: 'single', servers: [{ host: 'h', port: 6_379 }] }],
    [
      'redis+sentinel://:p@h1:1,h2/mymaster/2',
      {
        mode: 'sentinel',
        servers: [
          { host: 'h1', port: 1 },
          { host: 'h2', port: 26_379 },
        ],
        password: 'p',
        master: 'mymaster',
        database: 2,
      },
    ],
    [
      'rediss+cluster://u:p@h1,h2:2',
      {
        mode: 'cluster',
        servers: [
          { host: 'h1', port: 6_379 },
          { host: 'h2', port: 2 },
        ],
        username: 'u',
        password: 'p',
        tls: true,
      },
    ],
  ])('%s is understood', (text, options) => {
    expect(redisOptions(text)).toEqual(options)
    expect(() => resolveRedisOptions(options)).not.toThrow()
  })

  it.each([
    ['http://h', /is not of such a form/],
    ['', /is not of such a form/],
    ['redis://h?x=1', /is not of such a form/],
    ['redis://h1,h2', /names several servers/],
    ['redis://:secret@h:0', /names a port that there is not/],
    ['redis://:secret@h:99999', /names a port that there is not/],
    ['redis://:secret@h:p', /is not host:port/],
    ['redis://:sec%ret@h', /has a % that encodes nothing/],
    ['redis://:secret@h/one', /names a database that is no number/],
    ['redis+sentinel://:secret@h', /names no master/],
    ['redis+sentinel://:secret@h/m/1/2', /has more behind/],
    ['redis+cluster://:secret@h/1', /has more behind/],
  ])('T-099 %j is refused with the forms expected, and without the password', (text, reason) => {
    expect(() => redisOptions(text)).toThrow(reason)
    expect(() => redisOptions(text)).toThrow('redis+sentinel://:password@host:26379,host:26379/master')
    expect(() => redisOptions(text)).not.toThrow(/secret/)
  })
})

describe('the options of redis', () => {
  const servers = [{ host: 'h', port: 1 }]

  it('have defaults', () => {
    expect(resolveRedisOptions({ servers })).toMatchObject({
      mode: 'single',
      prefix: 'hf',
      clusterId: 'default',
      connectTimeoutMs: 1_000,
      commandTimeoutMs: 4_000,
      commandsInFlightMax: 10_000,
      probeMs: 10_000,
      musterMs: 3_000,
    })
  })

  it.each<[string, Partial<RedisEngineOptions>]>([
    ['servers must be at least one address, received []', { servers: [] }],
    ['servers must be hosts with ports from 1 to 65535', { servers: [{ host: '', port: 1 }] }],
    ['master must be the name of the set, with mode sentinel only, received ""', { mode: 'sentinel' }],
    ['master must be the name of the set, with mode sentinel only, received "m"', { master: 'm' }],
    ['database must be 0 to 1024, in a cluster 0, received 1', { mode: 'cluster', database: 1 }],
    ['prefix must be 1 to 64 of A-Z a-z 0-9 _ . -, received "a:b"', { prefix: 'a:b' }],
    ['clusterId must be 1 to 64 of A-Z a-z 0-9 _ . -, received ""', { clusterId: '' }],
    ['commandTimeoutMs must be an integer from 50 to 60000, received 1', { commandTimeoutMs: 1 }],
    ['commandsInFlightMax must be an integer from 1 to 1000000, received 0', { commandsInFlightMax: 0 }],
  ])('are refused: engine.redis.%s', (message, wrong) => {
    expect(() => resolveRedisOptions({ servers, ...wrong })).toThrow(`engine.redis.${message}`)
  })
})
