import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import type { Authenticator } from './authenticator.js'
import { CheckedAuthenticator } from './checked-authenticator.js'

const LOBBY = {
  tenant: 'lobby',
  user: 'somebody',
  roles: [],
  grants: {},
  expiresAt: undefined,
  tokenId: undefined,
  kind: 'anonymous',
} as const

const checked = (asked: Partial<Authenticator>): CheckedAuthenticator =>
  new CheckedAuthenticator({ authenticate: () => ({ identity: LOBBY }), ...asked }, new SimulatedClock())

describe('an authenticator of the application', () => {
  it('says who comes without a credential, and nobody does where it says nothing', async () => {
    expect(await checked({}).anonymous()).toMatchObject({ failure: 'missing' })
    expect(await checked({ anonymous: () => ({ identity: LOBBY }) }).anonymous()).toEqual({ identity: LOBBY })
  })

  it('cannot make somebody of what is no identity, with a credential or without', async () => {
    const nobody = { identity: { ...LOBBY, tenant: '' } }
    await expect(checked({ anonymous: () => nobody }).anonymous()).rejects.toThrow('tenant must be')
    await expect(checked({ authenticate: () => nobody }).authenticate('a')).rejects.toThrow('tenant must be')
  })

  it('says what its identities may, as a list of texts', async () => {
    const able = { identity: { ...LOBBY, permissions: ['stats'] } }
    expect(await checked({ authenticate: () => able }).authenticate('a')).toEqual(able)
    const odd = { identity: { ...LOBBY, permissions: 'stats' } } as unknown as typeof able
    await expect(checked({ authenticate: () => odd }).authenticate('a')).rejects.toThrow('permissions must be a list')
  })

  it('says whose name was made up for one connection', async () => {
    const madeUp = { identity: { ...LOBBY, isMadeUp: true } }
    expect(await checked({ anonymous: () => madeUp }).anonymous()).toEqual(madeUp)
    const odd = { identity: { ...LOBBY, isMadeUp: 'yes' } } as unknown as typeof madeUp
    await expect(checked({ anonymous: () => odd }).anonymous()).rejects.toThrow('isMadeUp must be true')
  })

  it('begins and ends its own work with the node, which ends whatever that throws', () => {
    const calls: string[] = []
    const stop = (): void => {
      calls.push('stop')
      throw new Error('a mistake')
    }
    const authenticator = checked({ start: () => void calls.push('start'), stop })
    authenticator.start()
    authenticator.stop()
    expect(calls).toEqual(['start', 'stop'])
  })
})
