import { describe, expect, it } from 'vitest'
import { type HoldfastOptions, resolveOptions } from '../options.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { QUOTAS, QUOTA_BOUNDS, quotasOf, tenantOf } from './tenant-options.js'

const resolve = (options: object): ReturnType<typeof resolveOptions> =>
  resolveOptions({ auth: { secret: TEST_SECRET }, ...options } as HoldfastOptions)

function problemOf(options: object): string {
  try {
    resolve(options)
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing is wrong'
}

const PLANS = { free: { connections: 10, channels: 5 }, wide: { connections: 1_000 }, endless: {} }

describe('the plan of a tenant', () => {
  const resolved = resolve({
    plans: PLANS,
    defaultPlan: 'free',
    tenants: {
      acme: { plan: 'wide' },
      globex: { quotas: { connections: 20, channels: 'unlimited', operations: 0 } },
      hooli: { plan: 'endless' },
    },
  })

  it('is the one that it names, and else the default', () => {
    expect(tenantOf(resolved, 'acme')).toMatchObject({
      plan: 'wide',
      quotas: { connections: 1_000, channels: undefined },
    })
    expect(tenantOf(resolved, 'anybody')).toMatchObject({ plan: 'free', quotas: { connections: 10, channels: 5 } })
    expect(tenantOf(resolved, '__proto__')).toMatchObject({ plan: 'free' })
  })

  it('gives way to single quotas, and to none where one is unlimited', () => {
    const { quotas } = tenantOf(resolved, 'globex')
    expect(quotas).toMatchObject({ connections: 20, channels: undefined, operations: 0, historyBytes: undefined })
  })

  it('does not give way to what is not said', () => {
    const left = resolve({ plans: PLANS, tenants: { acme: { plan: 'free', quotas: { connections: undefined } } } })
    expect(tenantOf(left, 'acme').quotas).toMatchObject({ connections: 10, channels: 5 })
  })

  it('costs nothing where it bounds nothing', () => {
    expect(quotasOf(resolved, 'hooli')).toBeUndefined()
    expect(quotasOf(resolved, 'acme')).toMatchObject({ connections: 1_000 })
    expect(quotasOf(resolve({}), 'acme')).toBeUndefined()
  })

  it('has to be there', () => {
    expect(problemOf({ plans: PLANS, defaultPlan: 'gold' })).toBe(
      'defaultPlan must be the name of a plan, received "gold"',
    )
    expect(problemOf({ plans: PLANS, tenants: { acme: { plan: 'toString' } } })).toBe(
      'tenants.acme.plan must be the name of a plan, received "toString"',
    )
  })
})

describe('a quota', () => {
  it.each(QUOTAS)('%s is taken within its bounds and not beyond', (name) => {
    const [min, max] = QUOTA_BOUNDS[name]
    const inPlan = (value: unknown): string => problemOf({ plans: { free: { [name]: value } } })
    const ofTenant = (value: unknown): string => problemOf({ tenants: { acme: { quotas: { [name]: value } } } })
    for (const value of [min, max, 'unlimited'])
      expect([inPlan(value), ofTenant(value)]).toEqual(Array(2).fill('nothing is wrong'))
    for (const value of [min - 1, max + 1, min + 0.5, '10', null, Number.NaN, Infinity]) {
      expect(inPlan(value)).toContain(`plans.free.${name} must be an integer from ${min} to ${max}, or unlimited`)
      expect(ofTenant(value)).toContain(`tenants.acme.quotas.${name} must be`)
    }
  })

  it('that nobody knows is refused by name', () => {
    expect(problemOf({ plans: { free: { conections: 1 } } })).toBe('plans.free has no option "conections"')
    expect(problemOf({ tenants: { acme: { quota: {} } } })).toBe('tenants.acme has no option "quota"')
  })
})

describe('a tenant', () => {
  it('has a name that can be one', () => {
    expect(problemOf({ tenants: { 'a\nb': {} } })).toBe('tenants must be named by 1 to 128 printable characters')
    expect(problemOf({ tenants: { ['x'.repeat(129)]: {} } })).toMatch(/^tenants must be named by/)
  })

  it('is set up without being shown', () => {
    expect(problemOf({ tenants: { acme: { auth: 'do-not-tell' } } })).not.toContain('do-not-tell')
  })
})
