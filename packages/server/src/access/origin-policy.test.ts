import { describe, expect, it } from 'vitest'
import { resolveOrigins } from '../options/origin-options.js'
import { resolveTenancy } from '../options/tenant-options.js'
import { SimulatedClock } from '../simulated-clock.js'
import type { AuditEvent, AuditFields } from '../telemetry/audit.js'
import { OriginPolicy } from './origin-policy.js'

const ADDRESS = '203.0.113.7'
const APP = 'https://app.example.com'

interface Setting {
  readonly environment?: string
  readonly allow?: readonly string[]
  readonly allowMissing?: boolean
  readonly tenants?: Readonly<Record<string, { origins?: readonly string[] | { allow: string[]; allowMissing: true } }>>
}

function policyOf({ environment = 'production', allow = [APP], allowMissing = false, tenants = {} }: Setting = {}) {
  const clock = new SimulatedClock()
  const lines: [AuditEvent, AuditFields][] = []
  const { origins } = resolveOrigins({ origins: { allow, allowMissing } }, environment, resolveTenancy({ tenants }))
  const audit = { record: (event: AuditEvent, fields: AuditFields) => void lines.push([event, fields]) }
  const policy = new OriginPolicy(origins, { clock, audit })
  const ask = (origin: string | undefined, address = ADDRESS): boolean => policy.admits({ origin, address })
  const rulesOf = (event: AuditEvent): (string | undefined)[] =>
    lines.filter(([told]) => told === event).map(([, { rule }]) => rule)
  return { policy, clock, lines, ask, rulesOf }
}

describe('in development', () => {
  const open = policyOf({ environment: 'development', allow: ['*'] })

  it('every page may connect, and each is noted', () => {
    for (const origin of [APP, 'http://localhost:3000', 'https://evil.test', 'null', 'nonsense', undefined])
      expect(open.ask(origin)).toBe(true)
    expect(open.lines).toHaveLength(6)
    expect(open.lines[2]).toEqual([
      'origin.allowed',
      { origin: 'https://evil.test', address: ADDRESS, rule: 'development' },
    ])
    expect(open.policy.stats()).toMatchObject({ environment: 'development', allowed: 6, refused: 0, violations: 0 })
  })

  it('every page may read answers of HTTP routes, with credentials only if it is named', () => {
    expect(open.policy.match('https://evil.test')).toBe('open')
    expect(policyOf({ environment: 'development' }).policy.match(APP)).toBe('exact')
  })

  it('a page may connect for every tenant, whatever tenants have of their own', () => {
    const { policy } = policyOf({ environment: 'development', tenants: { acme: { origins: ['https://acme.test'] } } })
    expect(policy.admitsFor('acme', { origin: 'https://evil.test', address: ADDRESS })).toBe(true)
  })
})

describe.each(['staging', 'production', 'prod', 'Development', 'test'])('in %s', (environment) => {
  it('only the pages that are named may connect', () => {
    const { ask, rulesOf } = policyOf({ environment, allow: [APP, 'https://*.example.org'] })
    for (const origin of [APP, 'HTTPS://APP.example.com:443/', 'https://any.example.org'])
      expect(ask(origin)).toBe(true)
    for (const origin of ['https://evil.test', 'https://example.org', 'https://a.b.example.org', 'null', undefined])
      expect(ask(origin)).toBe(false)
    expect(rulesOf('origin.refused')).toEqual(['unlisted', 'unlisted', 'unlisted', 'unlisted', 'missing'])
  })

  it('clients that name no origin may connect where the options say so', () => {
    const { ask } = policyOf({ environment, allowMissing: true })
    expect([ask(undefined), ask(''), ask('null')]).toEqual([true, false, false])
  })

  it('an entry beats a suspicion, and without one the suspicion is the reason', () => {
    const allow = ['https://203.0.113.9', 'https://mine.ngrok.io', 'chrome-extension://mine', 'null']
    const { ask, rulesOf } = policyOf({ environment, allow })
    for (const origin of allow) expect(ask(origin)).toBe(true)
    for (const origin of ['https://203.0.113.8', 'https://other.ngrok.io', 'chrome-extension://other'])
      expect(ask(origin)).toBe(false)
    expect(rulesOf('origin.refused')).toEqual(['address', 'tunnel', 'extension'])
  })

  it('says why, without what may be secret', () => {
    const { ask, lines } = policyOf({ environment })
    ask('https://user:hunter2@app.example.com/?token=hunter2')
    ask(`https://${'a'.repeat(300)}`)
    expect(lines.map(([, { rule }]) => rule)).toEqual(['invalid', 'too_long'])
    expect(JSON.stringify(lines)).not.toContain('hunter2')
    expect(lines[0]?.[1]).toMatchObject({ origin: 'https://…@app.example.com/', address: ADDRESS, action: 'connect' })
  })
})

describe('production', () => {
  it('wants pages over TLS, which staging does not', () => {
    const plain = ['http://app.example.com']
    expect(policyOf({ environment: 'staging', allow: plain }).ask('http://app.example.com')).toBe(true)
    expect(() => policyOf({ allow: plain })).toThrow('origins.allow.0 must be https in production')
    const { ask, rulesOf } = policyOf()
    expect(ask('http://app.example.com')).toBe(false)
    expect(rulesOf('origin.refused')).toEqual(['insecure'])
  })
})

describe('violations', () => {
  it('block the pair at the fifth, and are written down', () => {
    const { ask, lines, policy } = policyOf()
    for (let count = 0; count < 6; count += 1) ask('https://evil.test')
    expect(lines.map(([event, { rule }]) => `${event} ${rule}`)).toEqual([
      ...Array.from({ length: 5 }, () => 'origin.refused unlisted'),
      'origin.blocked unlisted',
      'origin.refused blocked',
    ])
    expect(policy.stats()).toMatchObject({ refused: 6, violations: 5, pairsCounted: 0, pairsBlocked: 1 })
    expect(policy.stats().blocked).toEqual([
      { origin: 'https://evil.test', address: ADDRESS, tenant: undefined, until: expect.any(Number) as number },
    ])
  })

  it('of a blocked pair do not lengthen its block', () => {
    const { ask, clock, rulesOf } = policyOf()
    for (let count = 0; count < 5; count += 1) ask('https://evil.test')
    for (let minute = 0; minute < 9; minute += 1) {
      clock.advance(60_000)
      for (let count = 0; count < 20; count += 1) ask('https://evil.test')
    }
    clock.advance(60_000)
    ask('https://evil.test')
    expect(rulesOf('origin.refused').at(-1)).toBe('unlisted')
    expect(rulesOf('origin.blocked')).toHaveLength(1)
  })

  it('of one page block no other, and nobody at another address', () => {
    const { ask, policy } = policyOf()
    for (let count = 0; count < 5; count += 1) ask('https://evil.test')
    expect(ask(APP)).toBe(true)
    ask('https://evil.test', '203.0.113.8')
    expect(policy.stats()).toMatchObject({ pairsCounted: 1, pairsBlocked: 1 })
  })

  it('are counted for an origin however it is written', () => {
    const { ask, rulesOf } = policyOf()
    for (const written of ['https://evil.test', 'https://EVIL.test', 'https://evil.test/', 'https://evil.test:443'])
      ask(written)
    ask('HTTPS://evil.test')
    expect(rulesOf('origin.blocked')).toEqual(['unlisted'])
  })

  it('end with unblock, which is written down and says whether there was a block', () => {
    const { ask, policy, lines } = policyOf()
    for (let count = 0; count < 5; count += 1) ask('https://evil.test')
    expect(policy.unblock('https://evil.test', '203.0.113.8')).toBe(false)
    expect(policy.unblock('HTTPS://evil.test/')).toBe(true)
    expect(lines.at(-1)).toEqual(['origin.unblocked', { origin: 'HTTPS://evil.test/', address: undefined, count: 1 }])
    expect(policy.unblock('https://evil.test')).toBe(false)
    expect(policy.stats()).toMatchObject({ pairsCounted: 0, pairsBlocked: 0 })
    for (let count = 0; count < 5; count += 1) ask(undefined)
    expect(policy.stats().blocked).toMatchObject([{ origin: '(none)' }])
    expect(policy.unblock('(none)')).toBe(true)
  })
})

describe('a tenant', () => {
  const tenants = {
    acme: { origins: ['https://acme.test'] },
    globex: { origins: { allow: ['https://*.globex.test'], allowMissing: true as const } },
    plain: {},
  }
  const admittedTo = (tenant: string, origin: string | undefined): boolean => {
    const { policy } = policyOf({ tenants })
    const visitor = { origin, address: ADDRESS }
    return policy.admits(visitor) && policy.admitsFor(tenant, visitor)
  }

  it('has its own pages beside those of the node, and nobody else has them', () => {
    for (const tenant of ['acme', 'globex', 'plain', 'unknown']) expect(admittedTo(tenant, APP)).toBe(true)
    expect(admittedTo('acme', 'https://acme.test')).toBe(true)
    expect(admittedTo('globex', 'https://app.globex.test')).toBe(true)
    expect(admittedTo('globex', undefined)).toBe(true)
    for (const tenant of ['plain', 'unknown', 'globex']) expect(admittedTo(tenant, 'https://acme.test')).toBe(false)
    for (const tenant of ['plain', 'unknown', 'acme']) expect(admittedTo(tenant, undefined)).toBe(false)
    expect(admittedTo('acme', 'https://evil.test')).toBe(false)
  })

  it('blocks who comes with pages of another for itself alone, at the address where they are', () => {
    const { policy, lines } = policyOf({ tenants })
    const visitor = { origin: 'https://acme.test', address: ADDRESS }
    for (let count = 0; count < 5; count += 1) expect(policy.admitsFor('globex', visitor)).toBe(false)
    expect(lines.at(-1)).toEqual(['origin.blocked', { ...visitor, tenant: 'globex', rule: 'unlisted' }])
    expect(policy.admits(visitor) && policy.admitsFor('acme', visitor)).toBe(true)
  })
})

describe('the tables', () => {
  /** Milliseconds of the fastest of ten rounds: a machine that has other work to do makes some of them slow. */
  const fastestMs = (run: (count: number) => unknown, times: number): number => {
    const rounds = Array.from({ length: 10 }, (_, round) => {
      const began = performance.now()
      for (let count = 0; count < times; count += 1) run(round * times + count)
      return performance.now() - began
    })
    return Math.min(...rounds)
  }

  const full = (): ReturnType<typeof policyOf> => {
    const made = policyOf({ allow: [APP, 'https://*.example.org'] })
    for (let other = 0; other < 12_000; other += 1) made.ask(`https://${other}.test`)
    return made
  }

  it('stay within their bounds while pages without end come', () => {
    const { policy } = full()
    expect(policy.stats()).toMatchObject({ violations: 12_000, pairsCounted: 10_000, pairsBlocked: 0 })
    expect(policy.stats().counted).toHaveLength(100)
  })

  it('let five thousand checks pass in a second, and a hundred looks in a tenth, while they are full', () => {
    const { ask, policy } = full()
    const check = (count: number): unknown =>
      ask(count % 3 === 0 ? APP : count % 3 === 1 ? `https://${count}.example.org` : `https://${count}.evil.test`)
    expect(fastestMs(check, 500) * 10).toBeLessThan(1_000)
    expect(fastestMs(() => policy.stats(), 10) * 10).toBeLessThan(100)
  })
})
