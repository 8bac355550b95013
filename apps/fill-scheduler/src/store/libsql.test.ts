import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from './open-store.js'
import { describeStore } from './testing/conformance.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fill-scheduler-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describeStore('embedded libSQL', async () => {
  const again = () => openStore({ file: join(folder, 'plans.db') })
  return { store: await again(), again, end: () => Promise.resolve() }
})

describe('the embedded store', () => {
  it('makes its folder and its files for nobody but its user', async () => {
    const file = join(folder, 'new', 'plans.db')
    const store = await openStore({ file })
    await store.migrate()
    const modes = ['', '/plans.db', '/plans.db-wal'].map((path) => statSync(join(folder, 'new') + path).mode & 0o777)
    expect(modes).toEqual([0o700, 0o600, 0o600])
    await store.close()
  })

  it('refuses a file that a newer version has changed, and says which', async () => {
    const file = join(folder, 'plans.db')
    const store = await openStore({ file })
    await store.migrate()
    const other = new Libsql(file)
    other.exec("insert into fill_scheduler_migration values ('0004-of-next-year', '2027-01-01T00:00:00.000Z')")
    other.close()
    await expect(store.migrate()).rejects.toThrow(
      'the database was changed by a newer version of the fill scheduler (0004-of-next-year), this one knows 0003-tokens; start the newer version',
    )
    await store.close()
  })

  it('names a file that is no database', async () => {
    const file = join(folder, 'plans.db')
    writeFileSync(file, 'this is something else, and longer than a page header of a database would be')
    await expect(openStore({ file })).rejects.toThrow(`${file}: file is not a database`)
  })

  it('fails with what is wrong where there is no database but something else', async () => {
    const file = join(folder, 'plans.db')
    const other = new Libsql(file)
    other.exec('create table users (name text)')
    other.close()
    const store = await openStore({ file })
    await expect(store.migrate()).rejects.toThrow('table "users" already exists')
    // Nothing of the migration that failed is left.
    await expect(store.migrate()).rejects.toThrow('table "users" already exists')
    await store.close()
  })
})

describe('openStore', () => {
  it.each([
    ['mysql://root:secret@host/name', 'DATABASE_URL must begin with postgres:// or postgresql://, received mysql:'],
    ['secret', 'DATABASE_URL must begin with postgres:// or postgresql://, received something else'],
  ])('refuses %s without repeating what may be a password', async (url, message) => {
    await expect(openStore({ url })).rejects.toThrow(new Error(message))
  })
})
