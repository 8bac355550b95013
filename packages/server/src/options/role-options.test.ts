import { describe, expect, it } from 'vitest'
import type { Identity } from '../access/identity.js'
import { resolveOptions } from '../options.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { OptionsError } from './options-error.js'

const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

const resolve = (options: object): ReturnType<typeof resolveOptions>['roles'] =>
  resolveOptions({ auth: { secret: TEST_SECRET }, ...options }).roles

function problemOf(options: object): string {
  try {
    resolve(options)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError)
    return (error as Error).message
  }
  return 'nothing is wrong'
}

describe('roles', () => {
  it('are none when the options name none', () => {
    const { roles, tenants } = resolve({})
    expect([roles.size, tenants.size]).toEqual([0, 0])
  })

  it('bring what the options say, and those of a tenant to that tenant alone', () => {
    const { roles, tenants } = resolve({
      roles: { host: { 'room:*': ['publish', 'presence'] }, nothing: {} },
      tenants: { acme: { roles: { host: { 'hall:{user}': ['history'] } } }, globex: {} },
    })
    expect(roles.get('host')?.allows(ADA, 'publish', 'room:1')).toBe(true)
    expect(roles.get('host')?.allows(ADA, 'history', 'room:1')).toBe(false)
    expect(roles.get('nothing')?.allows(ADA, 'publish', 'room:1')).toBe(false)
    expect([...tenants.keys()]).toEqual(['acme'])
    expect(tenants.get('acme')?.get('host')?.allows(ADA, 'history', 'hall:ada')).toBe(true)
    expect(tenants.get('acme')?.get('host')?.allows(ADA, 'publish', 'room:1')).toBe(false)
  })

  it.each<[object, string]>([
    [{ roles: ['host'] }, 'roles must be a mapping of roles to what they grant, received an array'],
    [{ roles: { host: ['room:*'] } }, 'roles.host must be a mapping of channel patterns to verbs, received an array'],
    [
      { roles: { host: { 'room:*': ['write'] } } },
      'roles.host.room:* must be one or more of subscribe, publish, signal, presence, history, received an array',
    ],
    [{ roles: { host: { 'room:*': 'publish' } } }, 'roles.host.room:* must be one or more of subscribe'],
    [{ roles: { host: { 'room:*': [] } } }, 'roles.host.room:* must be one or more of subscribe'],
    [{ roles: { host: { '**': ['publish'] } } }, 'roles.host["**"] must be a pattern such as room:*'],
    [{ roles: { host: { 'Room:1': ['publish'] } } }, 'roles.host["Room:1"] must be a pattern such as room:*'],
    [
      { tenants: { acme: { roles: { host: { 'room:**:x': ['publish'] } } } } },
      'tenants.acme.roles.host["room:**:x"] must be a pattern such as room:*',
    ],
    [
      { tenants: { acme: { roles: { host: { 'room:*': ['write'] } } } } },
      'tenants.acme.roles.host["room:*"] must be one or more of subscribe',
    ],
    [
      { roles: { host: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`room:${n}`, ['publish']])) } },
      'roles.host must have at most 256 patterns, received 257',
    ],
  ])('%j are refused by name', (options, message) => expect(problemOf(options)).toContain(message))
})
