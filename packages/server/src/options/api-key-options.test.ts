import { describe, expect, it } from 'vitest'
import { createApiKey } from '../credentials.js'
import { createHoldfast } from '../holdfast.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { resolveApiKeys } from './api-key-options.js'

const { id, hash, key } = createApiKey()
const KEY = { id, hash, tenant: 'acme', grants: { 'room:*': ['publish'] }, permissions: ['publish'] }

describe('the API keys of the options', () => {
  it('are those of auth, whatever else it is', () => {
    expect(resolveApiKeys({ secret: TEST_SECRET })).toEqual([])
    expect(resolveApiKeys({ authenticate: () => undefined, apiKeys: [KEY] })).toEqual([KEY])
  })

  it.each<[string, unknown, string]>([
    ['a key in the place of the list', key, 'auth.apiKeys must be a list of keys'],
    ['a key in the place of its members', [key], 'auth.apiKeys[0].0 is no member of a key'],
    ['nothing', [null], 'auth.apiKeys[0].id must be 8 to 64 letters and digits'],
    ['a member that nobody knows', [{ ...KEY, name: 'x' }], 'auth.apiKeys[0].name is no member of a key'],
    ['a short id', [{ ...KEY, id: 'abc' }], 'auth.apiKeys[0].id must be'],
    ['the key in the place of its hash', [{ ...KEY, hash: key }], 'auth.apiKeys[0].hash must be sha256:'],
    ['a hash without its name', [{ ...KEY, hash: hash.slice(7) }], 'auth.apiKeys[0].hash must be sha256:'],
    ['no tenant', [{ ...KEY, tenant: '' }], 'auth.apiKeys[0].tenant must be'],
    ['grants that are none', [{ ...KEY, grants: { room: ['publish'] } }], 'auth.apiKeys[0].grants["room"] must be'],
    ['permissions that are none', [{ ...KEY, permissions: [7] }], 'auth.apiKeys[0].permissions must be'],
    ['the same id twice', [KEY, KEY], 'auth.apiKeys[1].id must be another one than those before it'],
  ])('are refused with %s, and nothing secret is shown', (_, apiKeys, message) => {
    const make = (): unknown => createHoldfast({ auth: { secret: TEST_SECRET, apiKeys: apiKeys as [] } })
    expect(make).toThrow(message)
    expect(make).not.toThrow(key.slice(-43))
  })
})

describe('the secret of channel tokens', () => {
  it('has 32 bytes or more', () => {
    const make = (secret: string): unknown =>
      createHoldfast({ auth: { secret: TEST_SECRET }, channelTokens: { secret } })
    expect(() => make('short')).toThrow('channelTokens.secret must be at least 32 bytes, received 5')
  })
})
