import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { userKey } from '../access/identity.js'
import { signTokenAt } from '../access/token.js'
import { streamKey } from '../engine/engine.js'
import { SimulatedCluster } from '../testing/simulated-cluster.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { sessionRecordKey } from './sessions/session-record.js'
import { withdrawalKey } from './rights/withdrawal.js'

/** Names out of few characters, those that keys are put together with among them, so that they meet if they can. */
const name = fc.string({
  unit: fc.constantFrom('a', '1', '2', ':', '=', '~', '{', '}', ' ', '\n', 'é', '😀'),
  maxLength: 6,
})

describe('the names under which things are kept', () => {
  it('T-075 of streams are different for different tenants and channels', () => {
    fc.assert(
      fc.property(name, name, name, name, (tenant, channel, tenant2, channel2) => {
        const isSame = tenant === tenant2 && channel === channel2
        expect(streamKey({ tenant, channel }) === streamKey({ tenant: tenant2, channel: channel2 })).toBe(isSame)
      }),
      { numRuns: 20_000 },
    )
    expect(streamKey({ tenant: 'a', channel: 'b:c' })).not.toBe(streamKey({ tenant: 'a:b', channel: 'c' }))
  })

  it('T-075 of users are different for different tenants and users', () => {
    fc.assert(
      fc.property(name, name, name, name, (tenant, user, tenant2, user2) => {
        const isSame = tenant === tenant2 && user === user2
        expect(userKey({ tenant, user }) === userKey({ tenant: tenant2, user: user2 })).toBe(isSame)
      }),
      { numRuns: 20_000 },
    )
  })

  it('T-075 of records are different for different things, sessions and withdrawals alike', () => {
    const thing = fc.oneof(
      fc.tuple(fc.constant('session'), name, name, name),
      fc.tuple(fc.constantFrom('token', 'user'), name, name),
      fc.tuple(fc.constant('tenant'), name),
    )
    const keyOf = ([kind, tenant = '', user = '', id = '']: readonly string[]): string => {
      if (kind === 'session') return sessionRecordKey({ tenant, user }, id)
      if (kind === 'token') return withdrawalKey({ tenant, tokenId: user })
      return withdrawalKey(kind === 'user' ? { tenant, user } : { tenant })
    }
    fc.assert(
      fc.property(thing, thing, (one, other) => {
        expect(keyOf(one) === keyOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
      { numRuns: 20_000 },
    )
  })

  it('T-075 of counters are different for users, tenants and addresses, whatever they are called', async () => {
    const cluster = new SimulatedCluster()
    const { counters } = cluster.engine
    const add = counters.add.bind(counters)
    let counted: string[] = []
    counters.add = (counter, ...rest) => {
      counted.push(counter)
      return add(counter, ...rest)
    }
    const node = await cluster.start('n1', { limits: { connectionsPerTenantMax: 9, connectionsPerAddressMax: 999 } })
    const tenants = ['a', 'a:b', ':', '1:a', '11', '4:user', 'user', 'tenant', '192.0.2.1', 'é']
    const users = ['a', 'b', 'a:b', ':a', 'tenant', '192.0.2.1']
    const meanings = new Map<string, Set<string>>()
    for (const [tenant, user] of tenants.flatMap((one) => users.map((two) => [one, two] as const))) {
      counted = []
      const token = signTokenAt({ secret: TEST_SECRET, tenant, user, ttlSeconds: 60 }, cluster.clock.now())
      const peer = await node.join(user, { token })
      expect(peer.got('welcome')).toMatchObject([{ tenant, user }])
      for (const counter of counted) {
        const known = meanings.get(counter) ?? new Set()
        meanings.set(counter, known.add(JSON.stringify([tenant, user])))
      }
    }
    await cluster.close()
    const sizes = [...meanings.values()].map(({ size }) => size).toSorted((one, other) => one - other)
    // One counter for each user, one for each tenant with all its users, one for the address with all of them.
    const all = tenants.length * users.length
    expect(sizes).toEqual([...Array.from({ length: all }, () => 1), ...tenants.map(() => users.length), all])
  })
})
