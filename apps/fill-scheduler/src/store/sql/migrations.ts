import { type Kysely, type Migration, sql } from 'kysely'
import type { Database } from './database.js'

/** Every change of the schema, in the order of their names. One that was released is never changed. */
export function migrationsFor(kind: Database['kind']): Record<string, Migration> {
  // Compared by byte, whatever the language of the database: for times that is their order, and it is the same everywhere.
  const key = kind === 'postgres' ? sql`text collate "C"` : sql`text`
  return {
    '0001-first-tables': { up: (db) => firstTables(db, key) },
    '0002-turns': { up: (db) => turns(db, key) },
    '0003-tokens': { up: tokens },
  }
}

type Type = ReturnType<typeof sql>

async function firstTables(db: Kysely<unknown>, key: Type): Promise<void> {
  await accounts(db, key)
  await schedules(db, key)
  await comparisons(db, key)
  await templates(db, key)
  await runs(db, key)
}

async function accounts(db: Kysely<unknown>, key: Type): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', key, (column) => column.primaryKey().notNull())
    .addColumn('email', key, (column) => column.notNull().unique())
    .addColumn('passwordHash', 'text', (column) => column.notNull())
    .addColumn('isActive', 'integer', (column) => column.notNull())
    .addColumn('createdAt', key, (column) => column.notNull())
    .execute()
}

async function schedules(db: Kysely<unknown>, key: Type): Promise<void> {
  await db.schema
    .createTable('schedules')
    .addColumn('id', key, (column) => column.primaryKey().notNull())
    .addColumn('userId', key, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('foldedName', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('strategy', key, (column) => column.notNull())
    .addColumn('mode', key, (column) => column.notNull())
    .addColumn('status', key, (column) => column.notNull())
    .addColumn('errorCode', 'text')
    .addColumn('errorMessage', 'text')
    .addColumn('replans', key, (column) => column.references('schedules.id').onDelete('set null'))
    .addColumn('lots', 'integer', (column) => column.notNull())
    .addColumn('makespanHours', 'double precision')
    .addColumn('utilisationPercent', 'double precision')
    .addColumn('createdAt', key, (column) => column.notNull())
    .addColumn('startedAt', key)
    .addColumn('endedAt', key)
    // Last, so that what comes before it is read without it.
    .addColumn('input', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('schedulesNewest').on('schedules').columns(['userId', 'createdAt', 'id']).execute()
  await db.schema.createIndex('schedulesReplans').on('schedules').column('replans').execute()
  await db.schema
    .createTable('scheduleResults')
    .addColumn('scheduleId', key, (column) =>
      column.primaryKey().notNull().references('schedules.id').onDelete('cascade'),
    )
    .addColumn('result', 'text', (column) => column.notNull())
    .execute()
}

async function comparisons(db: Kysely<unknown>, key: Type): Promise<void> {
  await db.schema
    .createTable('comparisons')
    .addColumn('id', key, (column) => column.primaryKey().notNull())
    .addColumn('userId', key, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('foldedName', 'text', (column) => column.notNull())
    .addColumn('mode', key, (column) => column.notNull())
    .addColumn('status', key, (column) => column.notNull())
    .addColumn('strategies', 'text', (column) => column.notNull())
    .addColumn('lots', 'integer', (column) => column.notNull())
    .addColumn('bestStrategy', key)
    .addColumn('bestMakespanHours', 'double precision')
    .addColumn('createdAt', key, (column) => column.notNull())
    .addColumn('endedAt', key)
    .addColumn('input', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('comparisonsNewest').on('comparisons').columns(['userId', 'createdAt', 'id']).execute()
  await db.schema
    .createTable('comparisonResults')
    .addColumn('comparisonId', key, (column) => column.notNull().references('comparisons.id').onDelete('cascade'))
    .addColumn('strategy', key, (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('status', key, (column) => column.notNull())
    .addColumn('errorCode', 'text')
    .addColumn('errorMessage', 'text')
    .addColumn('makespanHours', 'double precision')
    .addColumn('utilisationPercent', 'double precision')
    .addColumn('changeovers', 'integer')
    .addColumn('result', 'text')
    .addPrimaryKeyConstraint('comparisonResultsKey', ['comparisonId', 'strategy'] as never[])
    .execute()
}

async function templates(db: Kysely<unknown>, key: Type): Promise<void> {
  await db.schema
    .createTable('templates')
    .addColumn('id', key, (column) => column.primaryKey().notNull())
    .addColumn('userId', key, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('isPublic', 'integer', (column) => column.notNull())
    .addColumn('isDefault', 'integer', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('createdAt', key, (column) => column.notNull())
    .addColumn('updatedAt', key, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('templatesNewest').on('templates').columns(['userId', 'createdAt', 'id']).execute()
  await sql`create index templates_public on templates (created_at, id) where is_public = 1`.execute(db)
  await sql`create unique index templates_default on templates (user_id) where is_default = 1`.execute(db)
}

async function runs(db: Kysely<unknown>, key: Type): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('id', key, (column) => column.primaryKey().notNull())
    .addColumn('userId', key, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('scheduleId', key, (column) => column.references('schedules.id').onDelete('cascade'))
    .addColumn('comparisonId', key, (column) => column.references('comparisons.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('strategy', key, (column) => column.notNull())
    .addColumn('mode', key, (column) => column.notNull())
    .addColumn('status', key, (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('runner', key)
    .addColumn('leaseUntil', key)
    .addColumn('createdAt', key, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('runsUser').on('runs').column('userId').execute()
  await db.schema.createIndex('runsSchedule').on('runs').column('scheduleId').execute()
  await db.schema.createIndex('runsComparison').on('runs').column('comparisonId').execute()
  await sql`create index runs_open on runs (created_at, position, id) where status in ('pending', 'running')`.execute(
    db,
  )
}

async function turns(db: Kysely<unknown>, key: Type): Promise<void> {
  await db.schema
    .createTable('turns')
    .addColumn('userId', key, (column) => column.primaryKey().notNull().references('users.id').onDelete('cascade'))
    .addColumn('servedAt', key, (column) => column.notNull())
    .execute()
}

async function tokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('users')
    .addColumn('tokensUntil', 'double precision', (column) => column.notNull().defaultTo(0))
    .execute()
}
