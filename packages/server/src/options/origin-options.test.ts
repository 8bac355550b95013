import { describe, expect, it } from 'vitest'
import { resolveOptions } from '../options.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { OptionsError } from './options-error.js'

function problemOf(options: object, environment = 'production'): string {
  try {
    resolveOptions({ auth: { secret: TEST_SECRET }, environment, ...options })
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError)
    return (error as Error).message
  }
  return 'nothing is wrong'
}

describe('origins', () => {
  it.each<[unknown, string]>([
    ['https://app.example.com', 'origins must be a list of origins, or { allow: a list of origins, allowMissing'],
    [[5], 'origins'],
    [{ allow: ['https://app.example.com'], missing: true }, 'origins'],
    [['*'], 'origins.0 must name the pages that may connect, outside development, received "*"'],
    [['https://app.example.com', 'https://*.com'], 'origins.1 must have a host that somebody owns right of the *'],
    [['http://app.example.com'], 'origins.0 must be https in production, received "http://app.example.com"'],
    [{ allow: ['https://a*.example.com'] }, 'origins.allow.0 must be an origin such as https://app.example.com'],
  ])('%j is refused', (origins, message) => expect(problemOf({ origins })).toContain(message))

  it('are as strict in an environment that nobody knows as in production, and less so in the others', () => {
    const plain = { origins: ['http://app.example.com'] }
    expect(['production', 'prod', 'Staging', 'test'].map((name) => problemOf(plain, name).slice(0, 23))).toEqual(
      Array.from({ length: 4 }, () => 'origins.0 must be https'),
    )
    for (const name of ['staging', 'development']) expect(problemOf(plain, name)).toBe('nothing is wrong')
    expect(problemOf({ origins: ['*'] }, 'staging')).toContain('must name the pages')
    expect(problemOf({ origins: ['*'] }, 'development')).toBe('nothing is wrong')
    expect(problemOf({ origins: ['nonsense'] }, 'development')).toContain('must be an origin')
  })

  it('of a tenant are checked as those of the node', () => {
    expect(problemOf({ tenants: { acme: { origins: ['http://acme.test'] } } })).toBe(
      'tenants.acme.origins.0 must be https in production, received "http://acme.test"',
    )
    expect(problemOf({ tenants: { acme: { origins: { allow: ['https://*.acme.test'] } } } })).toBe('nothing is wrong')
  })
})

describe('hosts', () => {
  it.each(['app.example.com:8000', 'http://app.example.com', '*.example.com', 'app.example.com.', '', '::1', 'a b'])(
    '%j is refused',
    (host) =>
      expect(problemOf({ hosts: [host] })).toBe(
        `hosts.0 must be a name or address without a port, such as app.example.com or [::1], received ${JSON.stringify(host)}`,
      ),
  )

  it('are names and addresses', () =>
    expect(problemOf({ hosts: ['App.example.com', 'localhost', '203.0.113.7', '[::1]'] })).toBe('nothing is wrong'))
})

describe('trustedProxies', () => {
  it.each(['proxy.example.com', '10.0.0.0/64', 'everybody'])('%j is refused', (entry) =>
    expect(problemOf({ trustedProxies: ['loopback', entry] })).toBe(
      `trustedProxies.1 must be an address, a network such as 10.0.0.0/8, loopback, private or unix, received "${entry}"`,
    ),
  )

  it('are addresses, networks and the words for them', () =>
    expect(problemOf({ trustedProxies: ['loopback', 'private', '10.0.0.1', '2001:db8::/32'] })).toBe(
      'nothing is wrong',
    ))
})
