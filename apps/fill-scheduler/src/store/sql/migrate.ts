import { Migrator, sql } from 'kysely'
import type { Database } from './database.js'
import { migrationsFor } from './migrations.js'

/** Named after the program: a database may be shared with others that keep such tables. */
const TABLE = 'fill_scheduler_migration'

/** Brings the schema to the newest version. Processes that do it at the same time wait for each other. @throws Error when a newer program has been here. */
export async function migrate(database: Database): Promise<void> {
  const migrations = migrationsFor(database.kind)
  const schema = await currentSchema(database)
  const migrator = new Migrator({
    db: database.db,
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  // Whatever it says then, this is why.
  await refuseNewer(database, Object.keys(migrations))
  throw new Error(`the schema of the database cannot be made: ${messageOf(error)}`, { cause: error })
}

/** Of PostgreSQL, the schema in which tables are made: another of the same database may have a store of its own. */
async function currentSchema({ db, kind }: Database): Promise<string | undefined> {
  if (kind === 'libsql') return undefined
  const { rows } = await sql<{ schema: string | null }>`select current_schema() as schema`.execute(db)
  const schema = rows[0]?.schema
  if (typeof schema !== 'string') throw new Error('the search path of the database names no schema to make tables in')
  return schema
}

async function refuseNewer(database: Database, known: readonly string[]): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(database.db)
  const newer = rows.map(({ name }) => name).filter((name) => !known.includes(name))
  if (newer.length === 0) return
  throw new Error(
    `the database was changed by a newer version of the fill scheduler (${newer.join(', ')}), this one knows ${known.at(-1)}; start the newer version`,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error)
}
