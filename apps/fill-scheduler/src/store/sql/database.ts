import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.js'

/** A database, whichever it is. */
export interface Database {
  readonly db: Kysely<Tables>
  /** `libsql` has one writer at a time: a transaction has the whole file from its beginning. `postgres` locks rows. */
  readonly kind: 'libsql' | 'postgres'
  /** Whether an error means that a transaction was undone because of another one, and may be tried again. */
  isConflict(error: unknown): boolean
}

/** Transactions between which another came in the way are tried this often. */
const TRIES = 5

/** Statements that take effect together or not at all. `work` may be called again when another transaction was in its way. */
export async function transaction<T>(database: Database, work: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await database.db.transaction().execute(work)
    } catch (error) {
      if (tries === TRIES || !database.isConflict(error)) throw error
    }
  }
}
