import { describe, expect, it } from 'vitest'
import { Issuer, type IssuerSetup } from './issuer.js'
import { Issuers } from './issuers.js'
import { KeyRing } from './token-key-ring.js'

const issuer = (setup: Partial<IssuerSetup> = {}): Issuer =>
  new Issuer({
    ring: new KeyRing([]),
    type: undefined,
    claims: {},
    lifetimeMsMax: 1,
    toleranceMs: 0,
    ...setup,
  })

const of = (issuers: Issuers, claims: object): Issuer | undefined =>
  issuers.of({ text: '', algorithm: 'HS256', kid: undefined, type: undefined, claims: { ...claims } })

describe('the issuer of a token', () => {
  const named = issuer({ issuer: 'https://a.test' })
  const red = issuer({ tenants: ['red'] })
  const others = issuer({ tenants: ['blue', 'green'], claims: { tenant: 'org' } })
  const rest = issuer()
  const all = new Issuers([named, red, others, rest])

  it.each<[string, object, Issuer]>([
    ['that it names', { iss: 'https://a.test', tenant: 'red' }, named],
    ['that speaks for its tenant', { tenant: 'red' }, red],
    ['that speaks for its tenant by the second name', { org_id: 'red' }, red],
    ['that speaks for its tenant by a name of its own', { org: 'green' }, others],
    ['without name and tenant', { tenant: 'yellow' }, rest],
    ['without name and tenant, where a tenant stands under the wrong name', { tenant: 'blue' }, rest],
    ['without name and tenant, where it names one that nobody knows', { iss: 'https://b.test' }, rest],
    ['without name and tenant, where it names a list', { iss: ['https://a.test'] }, rest],
    ['without name and tenant, where it names what every object has', { iss: 'constructor' }, rest],
    ['without name and tenant, where it says nothing', {}, rest],
  ])('is the one %s', (_, claims, expected) => expect(of(all, claims)).toBe(expected))

  it('is the only one without a name, for whichever tenant', () => {
    const issuers = new Issuers([named, red])
    expect(of(issuers, {})).toBe(red)
    expect(of(issuers, { tenant: 'blue' })).toBe(red)
  })

  it('is nobody where several could be meant', () => {
    expect(of(new Issuers([red, others]), {})).toBeUndefined()
    expect(of(new Issuers([named]), { iss: 'https://a.test/' })).toBeUndefined()
    expect(of(new Issuers([]), {})).toBeUndefined()
  })

  it('is found among ten thousand in no time', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => issuer({ tenants: [`tenant-${at}`] }))
    const issuers = new Issuers(many)
    const before = process.cpuUsage()
    for (let at = 0; at < 10_000; at += 1) expect(of(issuers, { tenant: `tenant-${at}` })).toBe(many[at])
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000)
  })

  it('is never one of two', () => {
    expect(() => new Issuers([named, issuer({ issuer: 'https://a.test' })])).toThrow('twice')
    expect(() => new Issuers([red, issuer({ tenants: ['blue', 'red'] })])).toThrow('for the tenant "red"')
    expect(() => new Issuers([rest, issuer()])).toThrow('two issuers without a name')
  })
})
