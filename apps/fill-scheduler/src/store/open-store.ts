import { sql } from 'kysely'
import { SqlComparisonStore } from './sql/comparisons.js'
import type { Database } from './sql/database.js'
import { openLibsql } from './sql/libsql.js'
import { migrate } from './sql/migrate.js'
import { openPostgres } from './sql/postgres.js'
import { SqlRunStore } from './sql/runs.js'
import { SqlScheduleStore } from './sql/schedules.js'
import { SqlTemplateStore } from './sql/templates.js'
import { SqlUserStore } from './sql/users.js'
import type { Store } from './store.js'

/** Where a store is: PostgreSQL by its address (`postgres://user:password@host/name`), or an embedded file. */
export type StorePlace = { readonly url: string } | { readonly file: string }

/** Opens the store. `migrate` comes before everything else. @throws Error when the address is none of PostgreSQL's, or the file cannot be opened. */
export async function openStore(place: StorePlace): Promise<Store> {
  const database = 'url' in place ? openPostgres(checked(place.url)) : openLibsql(place.file)
  return storeOf(database)
}

/** The address may hold a password: only its beginning is told. */
function checked(url: string): string {
  if (/^postgres(?:ql)?:\/\//.test(url)) return url
  const received = /^[\w+.-]{1,32}:/.exec(url)?.[0] ?? 'something else'
  throw new Error(`DATABASE_URL must begin with postgres:// or postgresql://, received ${received}`)
}

function storeOf(database: Database): Store {
  return {
    users: new SqlUserStore(database),
    schedules: new SqlScheduleStore(database),
    comparisons: new SqlComparisonStore(database),
    templates: new SqlTemplateStore(database),
    runs: new SqlRunStore(database),
    migrate: () => migrate(database),
    ping: async () => void (await sql`select 1`.execute(database.db)),
    close: () => database.db.destroy(),
  }
}
