import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.js'

/** A database, whichever it is. */
export interface Database {
  readonly db: Kysely<Tables>
  /** `libsql` has one writer at a time: a transaction has the whole file from its beginning. `postgres` locks rows. */
  readonly kind: 'libsql' | 'postgres'
  /** Whether an error means that a transaction was undone because of another one, and may be tried again. */
  readonly isConflict: (error: unknown) => boolean
}

/** How often something is tried that another transaction was in the way of. */
const TRIES = 5

/** Statements that take effect together or not at all. `work` may be called again when another transaction was in its way. */
export function transaction<T>(database: Database, work: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
  return undisturbed(database.isConflict, () => database.db.transaction().execute(work))
}

/** Does it again when it was undone because of another transaction: a whole transaction, or a statement that is one by itself. */
export async function undisturbed<T>(isConflict: Database['isConflict'], work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (tries === TRIES || !isConflict(error)) throw error
    }
  }
}
