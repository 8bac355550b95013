import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  CamelCasePlugin,
  type DatabaseIntrospector,
  type Dialect,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import Libsql from 'libsql'
import type { Database } from './database.js'
import { LibsqlDriver, TURN_MS } from './libsql-driver.js'
import type { Tables } from './tables.js'

/** How long it waits for other processes when it is opened, in milliseconds. */
const OPENING_TIMEOUT_MS = 5_000

/** Opens an embedded database; makes file and folder where there are none, for nobody but this user. What was acknowledged is on the disk. */
export function openLibsql(file: string): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // The file beside it, of what was written last, gets the same permissions.
  closeSync(openSync(file, 'a', 0o600))
  const libsql = connected(file)
  return {
    db: new Kysely<Tables>({ dialect: new LibsqlDialect(libsql), plugins: [new CamelCasePlugin()] }),
    kind: 'libsql',
    // A transaction has the file for itself from its beginning.
    isConflict: () => false,
  }
}

/** @throws Error that names the file when it is no database. */
function connected(file: string): Libsql.Database {
  const libsql = new Libsql(file)
  try {
    libsql.pragma(`busy_timeout = ${OPENING_TIMEOUT_MS}`)
    libsql.pragma('journal_mode = wal')
    libsql.pragma('synchronous = full')
    libsql.pragma('foreign_keys = on')
    libsql.pragma(`busy_timeout = ${TURN_MS}`)
    return libsql
  } catch (error) {
    libsql.close()
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

class LibsqlDialect implements Dialect {
  readonly #libsql: Libsql.Database

  constructor(libsql: Libsql.Database) {
    this.#libsql = libsql
  }

  createDriver(): LibsqlDriver {
    return new LibsqlDriver(this.#libsql)
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

/** Migrations run in one transaction: it keeps other processes out meanwhile, and one that fails leaves nothing behind. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
