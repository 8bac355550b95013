import { describe, expect, it } from 'vitest'
import { TEST_SECRET } from '../testing/test-node.js'
import { type AuthGroup, type ResolvedAuth, resolveAuth } from './auth-options.js'
import { OptionsError } from './options-error.js'

const OTHER_SECRET = 'zP4mW8qLc2Vn6Xk9Rb3Ty7Hd1Gs5Jf0AeUoIiQwErTy'
const url = 'https://keys.test/set'

const resolve = (auth: object, environment = 'development', tenants?: object): ResolvedAuth =>
  resolveAuth({ auth, ...(tenants && { tenants }) } as AuthGroup, environment)

/** The message of the error that these options are refused with. */
function problemOf(auth: object, environment?: string, tenants?: object): string {
  try {
    resolve(auth, environment, tenants)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError)
    return (error as Error).message
  }
  return 'nothing is wrong'
}

describe('an issuer', () => {
  it('has defaults', () => {
    const [issuer] = resolve({ secret: TEST_SECRET, jwks: { url } }, 'production').issuers
    expect(issuer).toMatchObject({
      setup: { toleranceMs: 5_000, lifetimeMsMax: 86_400_000, tenants: undefined, type: undefined },
      keySet: { url: new URL(url), refreshMs: 600_000, allowPrivate: false },
      namesTenant: false,
    })
  })

  it.each<[object, string]>([
    [{ maxLifetime: '1s' }, 'nothing is wrong'],
    [{ maxLifetime: '366d' }, 'nothing is wrong'],
    [{ maxLifetime: 999 }, 'auth.maxLifetime must be from 1s to 366d, received 999'],
    [{ maxLifetime: '367d' }, 'auth.maxLifetime must be from 1s to 366d, received "367d"'],
    [{ maxLifetime: 'long' }, 'auth.maxLifetime must be milliseconds or text such as 30s, 5m, 1h or 7d'],
    [{ clockToleranceMs: 0 }, 'nothing is wrong'],
    [{ clockToleranceMs: 60_000 }, 'nothing is wrong'],
    [{ clockToleranceMs: -1 }, 'auth.clockToleranceMs must be an integer from 0 to 60000'],
    [{ jwks: { url, refresh: '30s' } }, 'nothing is wrong'],
    [{ jwks: { url, refresh: '1d' } }, 'nothing is wrong'],
    [{ jwks: { url, refresh: '29s' } }, 'auth.jwks.refresh must be from 30s to 1d, received "29s"'],
    [{ jwks: { url, refresh: '25h' } }, 'auth.jwks.refresh must be from 30s to 1d'],
    [{ jwks: { url: 'nowhere' } }, 'auth.jwks.url must be an address with https'],
    [{ jwks: {} }, 'auth.jwks.url must be text'],
    [{ tenant: [] }, 'auth.tenant must be a tenant, a list of tenants, or "*"'],
    [{ tenant: 'a\n' }, 'auth.tenant must be a tenant'],
    [{ audience: [] }, 'auth.audience must be text, or a list of texts'],
    [{ issuer: '' }, 'auth.issuer must be text that is not empty'],
    [{ claims: { name: 'x' } }, 'auth.claims has no option "name"'],
    [{ keys: [{ key: 'x' }] }, 'auth.keys.0.algorithm must be one of HS256'],
    [{ issuers: [{ issuer: 'i' }] }, 'auth.issuers.0 must be an object with secret (text), keys or jwks'],
    [{ issuers: [{ secret: TEST_SECRET, anonymous: {} }] }, 'auth.issuers.0 has no option "anonymous"'],
    [{ anonymous: { tenant: 'a' } }, 'auth.anonymous.grants must be a mapping of channels to verbs'],
    [{ anonymous: { tenant: 'a', grants: { 'a:b': ['fly'] } } }, 'auth.anonymous.grants.a:b must be a list of verbs'],
  ])('with %j: %s', (options, message) => expect(problemOf({ secret: TEST_SECRET, ...options })).toContain(message))

  it('has no secret that everybody knows in production, in whichever form', () => {
    const known = 'your-256-bit-secret-your-256-bit'
    const jwk = { kty: 'oct', k: Buffer.from(known).toString('base64url') }
    for (const key of [known, jwk]) {
      expect(problemOf({ keys: [{ algorithm: 'HS256', key }] })).toBe('nothing is wrong')
      const problem = problemOf({ keys: [{ algorithm: 'HS256', key }] }, 'production')
      expect(problem).toContain('auth.keys.0.key must not be a known or repeated word in production')
    }
    const random = { kty: 'oct', k: Buffer.from(OTHER_SECRET, 'base64').toString('base64url') }
    expect(problemOf({ keys: [{ algorithm: 'HS256', key: random }] }, 'production')).toBe('nothing is wrong')
  })

  it('may publish its keys over http in development alone', () => {
    const local = { jwks: { url: 'http://127.0.0.1:8080/keys' } }
    expect(resolve(local).issuers[0]?.keySet).toMatchObject({ allowPrivate: true })
    expect(problemOf(local, 'staging')).toContain('must be an address with https')
  })

  it('need not be there where something else lets people in', () => {
    expect(resolve({ anonymous: { tenant: 'a', grants: {} } }).issuers).toEqual([])
    expect(resolve({ issuers: [{ issuer: 'i', secret: TEST_SECRET }] }).issuers).toHaveLength(1)
    expect(resolve({}, 'production', { acme: { auth: { secret: TEST_SECRET } } }).issuers).toHaveLength(1)
    expect(problemOf({ keys: [] })).toContain('received none of them')
  })

  it('that is not there has no rules', () =>
    expect(problemOf({ audience: 'a', issuers: [{ issuer: 'i', secret: TEST_SECRET }] })).toBe(
      'auth.audience must stand beside secret, keys or jwks',
    ))

  it('says for whom it speaks where production has several', () => {
    const issuers = [{ issuer: 'i', secret: OTHER_SECRET, tenant: 'acme' }]
    expect(problemOf({ secret: TEST_SECRET, issuers })).toBe('nothing is wrong')
    expect(problemOf({ secret: TEST_SECRET, issuers }, 'production')).toContain('auth.tenant must say in production')
    expect(problemOf({ secret: TEST_SECRET, tenant: '*', issuers }, 'production')).toBe('nothing is wrong')
    const tenants = { acme: { auth: { secret: OTHER_SECRET } } }
    expect(problemOf({ secret: TEST_SECRET }, 'production', tenants)).toContain('auth.tenant must say in production')
  })
})

describe('the keys of a tenant', () => {
  it('speak for it alone', () => {
    const { issuers } = resolve({ secret: TEST_SECRET }, 'development', { acme: { auth: { secret: OTHER_SECRET } } })
    expect(issuers.map(({ setup }) => setup.tenants)).toEqual([undefined, ['acme']])
  })

  it('speak for it alone where it is called as any is', () => {
    const { issuers } = resolve({ secret: TEST_SECRET }, 'development', { '*': { auth: { secret: OTHER_SECRET } } })
    expect(issuers.map(({ setup }) => setup.tenants)).toEqual([undefined, ['*']])
  })

  it('cannot be there beside an authenticator, which decides alone', () => {
    const auth = { authenticate: () => undefined }
    expect(problemOf(auth, 'development', { acme: { auth: { secret: OTHER_SECRET } } })).toContain(
      'tenants must have no auth',
    )
    expect(problemOf(auth)).toBe('nothing is wrong')
  })

  it('are checked as those of the node are', () =>
    expect(problemOf({ secret: TEST_SECRET }, 'development', { 'a.b': { auth: { secret: 7 } } })).toContain(
      'auth.secret must be text',
    ))
})
