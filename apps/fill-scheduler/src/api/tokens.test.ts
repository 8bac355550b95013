import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, HoldfastError, type Tenant, createHoldfast } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Accounts } from '../accounts/accounts.js'
import { Passwords } from '../accounts/password.js'
import { type Clock, systemClock } from '../clock.js'
import { openStore } from '../store/open-store.js'
import type { Store, User } from '../store/store.js'
import { TENANT } from './api-environment.js'
import { Tokens } from './tokens.js'

const SECRET = 'nobody comes here, it is only asked'.repeat(2)
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

describe('a token that goes on behind a change', () => {
  let folder: string
  let store: Store
  let holdfast: Holdfast
  let accounts: Accounts
  let ada: User
  const warned: unknown[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fill-tokens-'))
    store = await openStore({ file: join(folder, 'store.db') })
    await store.migrate()
    holdfast = createHoldfast({ auth: { secret: SECRET }, environment: 'development', log: SILENT })
    accounts = new Accounts({ users: store.users, passwords: new Passwords({ logN: 4, r: 8, p: 1 }) })
    ada = await accounts.register({ email: 'ada@example.com', password: 'a good password' })
    warned.length = 0
  })

  afterEach(async () => {
    vi.useRealTimers()
    await holdfast.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Those of an engine that goes away after so many withdrawals. */
  const tokens = (withdrawals: number, clock = systemClock): Tokens => {
    const tenant = holdfast.tenant(TENANT)
    let left = withdrawals
    const user = (id: string): Pick<ReturnType<Tenant['user']>, 'revoke'> => ({
      revoke: async (about) => {
        if (left === 0) throw new HoldfastError('engine_unavailable', 'away')
        left -= 1
        await tenant.user(id).revoke(about)
      },
    })
    const log = { ...SILENT, warn: (about: unknown) => void warned.push(about) }
    const revokeToken: typeof tenant.revokeToken = (...asked) => tenant.revokeToken(...asked)
    return new Tokens({ accounts, holdfast, tenant: { user, revokeToken }, clock, secret: SECRET, log })
  }

  /** Whose token it is, where it is good. */
  const userOf = async (token: string): Promise<string | undefined> => {
    const request = new Request('http://localhost/', { headers: { authorization: `Bearer ${token}` } })
    const identified = await holdfast.identify(request, { address: '127.0.0.1', origin: undefined, isSecure: false })
    return 'identity' in identified ? identified.identity.user : undefined
  }

  const changed = async (): Promise<User> =>
    (await accounts.setPassword(ada, await accounts.prepared('another one'))) ?? ada

  it('is granted where the change was made, also when the engine is away from then on', async () => {
    const { access_token: token } = await tokens(1).renew(ada.id, changed)
    expect(await userOf(token)).toBe(ada.id)
    expect(await accounts.login({ email: 'ada@example.com', password: 'another one' })).toMatchObject({ id: ada.id })
    expect(warned).toMatchObject([{ event: 'tokens.kept', user: ada.id }])
  })

  it('is not granted, and nothing is changed, where the engine is away before', async () => {
    await expect(tokens(0).renew(ada.id, changed)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await accounts.noteToken(ada, 1)).toBe(true)
  })

  it('is as good for who signs in by the new password in the same moment, before the change is answered', async () => {
    let signedIn: Promise<{ readonly access_token: string }> | undefined
    const changedAndUsed = async (): Promise<User> => {
      const user = await changed()
      signedIn = tokens(0).grant(user)
      return user
    }
    const { access_token: renewed } = await tokens(2).renew(ada.id, changedAndUsed)
    const early = await signedIn
    expect([await userOf(renewed), await userOf(early?.access_token ?? '')]).toEqual([ada.id, ada.id])
  })

  it('does not let one live that was granted by a server whose clock is ahead, and is good from the moment it is granted', async () => {
    const ahead = Date.now() + 4_000
    vi.useFakeTimers({ toFake: ['Date'], now: ahead })
    const { access_token: early } = await tokens(0).grant(ada)
    vi.setSystemTime(ahead - 4_000)
    expect(await userOf(early)).toBe(ada.id)
    // Whoever waits lets the time go by.
    const after: Clock['after'] = (ms, work) => {
      vi.setSystemTime(Date.now() + ms)
      return systemClock.after(0, work)
    }
    const { access_token: renewed } = await tokens(2, { ...systemClock, after }).renew(ada.id, changed)
    expect(Math.floor(Date.now() / 1_000)).toBe(Math.floor(ahead / 1_000) + 1)
    expect([await userOf(early), await userOf(renewed)]).toEqual([undefined, ada.id])
    expect(warned).toEqual([])
  })
})
