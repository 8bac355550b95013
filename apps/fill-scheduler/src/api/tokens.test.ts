import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, HoldfastError, type Tenant, createHoldfast } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Accounts } from '../accounts/accounts.js'
import { Passwords } from '../accounts/password.js'
import { systemClock } from '../clock.js'
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
    await holdfast.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Those of an engine that goes away after so many withdrawals. */
  const tokens = (withdrawals: number): Tokens => {
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
    return new Tokens({ accounts, tenant: { user, revokeToken }, clock: systemClock, secret: SECRET, log })
  }

  const changed = async (): Promise<User> =>
    (await accounts.setPassword(ada, await accounts.prepared('another one'))) ?? ada

  it('is granted where the change was made, also when the engine is away from then on', async () => {
    const { access_token: token } = await tokens(1).renew(ada.id, changed)
    const request = new Request('http://localhost/', { headers: { authorization: `Bearer ${token}` } })
    const visitor = { address: '127.0.0.1', origin: undefined, isSecure: false }
    expect(await holdfast.identify(request, visitor)).toMatchObject({ identity: { user: ada.id } })
    expect(await accounts.login({ email: 'ada@example.com', password: 'another one' })).toMatchObject({ id: ada.id })
    expect(warned).toMatchObject([{ event: 'tokens.kept', user: ada.id }])
  })

  it('is not granted, and nothing is changed, where the engine is away before', async () => {
    await expect(tokens(0).renew(ada.id, changed)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await accounts.isUnchanged(ada)).toBe(true)
  })
})
