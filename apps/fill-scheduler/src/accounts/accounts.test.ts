import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../store/open-store.js'
import type { Store, User } from '../store/store.js'
import { AccountError, Accounts } from './accounts.js'
import { Passwords } from './password.js'

const CHEAP = { logN: 4, r: 8, p: 1 }
const ADA = { email: 'Ada@Example.com', password: 'correct horse' }

let folder: string
let store: Store
let accounts: Accounts

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fill-scheduler-'))
  store = await openStore({ file: join(folder, 'accounts.db') })
  await store.migrate()
  accounts = new Accounts({ users: store.users, passwords: new Passwords(CHEAP) })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const codeOf = (refused: Promise<unknown>): Promise<unknown> =>
  refused.then(
    () => undefined,
    (error: unknown) => (error instanceof AccountError ? error.code : error),
  )

describe('an account', () => {
  it('is made with an address in lower case, and its password in no readable form', async () => {
    const user = await accounts.register(ADA)
    expect(user).toMatchObject({ email: 'ada@example.com', isActive: true })
    expect(await store.users.byId(user.id)).toEqual(user)
    expect(JSON.stringify(user)).not.toContain(ADA.password)
  })

  it('is entered with address and password, in any case of the address', async () => {
    const { id } = await accounts.register(ADA)
    expect(await accounts.login(ADA)).toMatchObject({ id })
    expect(await accounts.login({ ...ADA, email: ' ADA@example.COM ' })).toMatchObject({ id })
  })

  it('has an address of its own', async () => {
    await accounts.register(ADA)
    const again = accounts.register({ ...ADA, email: 'ADA@EXAMPLE.COM' })
    await expect(again).rejects.toThrow('Email already registered')
    expect(await codeOf(again)).toBe('email_taken')
  })

  it.each([
    '',
    'ada',
    'ada@',
    '@example.com',
    'a da@example.com',
    'ada@example.com\0',
    `${'a'.repeat(250)}@example.com`,
  ])('is not made for the address %o', async (email) => {
    expect(await codeOf(accounts.register({ ...ADA, email }))).toBe('invalid_email')
    expect(await accounts.login({ ...ADA, email })).toBeUndefined()
  })

  it('has a password of 8 to 256 characters, whatever they are', async () => {
    const refused = accounts.register({ ...ADA, password: '🧪'.repeat(7) })
    await expect(refused).rejects.toThrow('password must have 8 to 256 characters, received 7')
    expect(await codeOf(accounts.register({ ...ADA, password: 'x'.repeat(257) }))).toBe('invalid_password')
    const longest = { ...ADA, password: '🧪'.repeat(256) }
    await accounts.register(longest)
    expect(await accounts.login(longest)).toBeDefined()
    expect(await accounts.login({ ...ADA, password: '🧪'.repeat(257) })).toBeUndefined()
  })

  it('gives one answer to unknown addresses, wrong passwords and closed accounts', async () => {
    const { id } = await accounts.register(ADA)
    expect(await accounts.login({ ...ADA, password: 'wrong horse' })).toBeUndefined()
    expect(await accounts.login({ ...ADA, email: 'eve@example.com' })).toBeUndefined()
    expect(await accounts.active(id)).toMatchObject({ id })
    const { passwordHash, createdAt } = (await store.users.byId(id)) as User
    const locked = { id: 'locked', email: 'bob@example.com', passwordHash, isActive: false, createdAt }
    await store.users.create(locked)
    expect(await accounts.login({ ...ADA, email: locked.email })).toBeUndefined()
    expect(await accounts.active(locked.id)).toBeUndefined()
    expect(await accounts.noteToken(locked, 1)).toBe(false)
  })

  it('gets another password once from what it was, and is not as it was then', async () => {
    const user = await accounts.register(ADA)
    expect(await accounts.isPassword(user, 'wrong horse')).toBe(false)
    expect(await accounts.isPassword(user, ADA.password)).toBe(true)
    expect(await codeOf(accounts.prepared('short'))).toBe('invalid_password')
    expect(await accounts.noteToken(user, 1)).toBe(true)
    const [one, other] = [await accounts.prepared('other horse'), await accounts.prepared('third horse')]
    const changed = (await accounts.setPassword(user, one)) as User
    expect(await accounts.setPassword(user, other)).toBeUndefined()
    expect([await accounts.noteToken(user, 3), await accounts.noteToken(changed, 2)]).toEqual([false, true])
    expect(await accounts.tokensUntil(user.id)).toBe(2)
    expect(await accounts.login(ADA)).toBeUndefined()
    expect(await accounts.login({ ...ADA, password: 'other horse' })).toEqual(changed)
  })

  it('is gone once it is removed, and its address is free', async () => {
    const user = await accounts.register(ADA)
    expect([await accounts.remove(user.id), await accounts.remove(user.id)]).toEqual([0, undefined])
    expect(await accounts.noteToken(user, 1)).toBe(false)
    expect((await accounts.register(ADA)).id).not.toBe(user.id)
  })

  it('gets a password of today’s cost at the next login', async () => {
    const { id, passwordHash } = await accounts.register(ADA)
    const dearer = new Accounts({ users: store.users, passwords: new Passwords({ ...CHEAP, logN: 5 }) })
    expect(await dearer.login(ADA)).toBeDefined()
    const kept = (await store.users.byId(id)) as User
    expect(kept.passwordHash).not.toBe(passwordHash)
    expect(kept.passwordHash).toContain('ln=5')
    expect(await dearer.login(ADA)).toEqual(kept)
  })

  it('is entered by several at once whose password gets today’s cost', async () => {
    const { id } = await accounts.register(ADA)
    const dearer = new Accounts({ users: store.users, passwords: new Passwords({ ...CHEAP, logN: 5 }) })
    const entered = await Promise.all([1, 2, 3].map(() => dearer.login(ADA)))
    const kept = await store.users.byId(id)
    expect(entered).toEqual([kept, kept, kept])
  })
})
