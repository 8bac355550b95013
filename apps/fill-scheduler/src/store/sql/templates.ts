import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely'
import type { SettingsInput } from '../../planning/settings.js'
import type { ListPage, Template, TemplateStore } from '../store.js'
import { type Database, transaction } from './database.js'
import { requireTemplateRoom } from './room.js'
import type { Tables } from './tables.js'
import { fromJson, instant, present } from './values.js'

/** Templates in SQL. */
export class SqlTemplateStore implements TemplateStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async create(template: Template, max?: number): Promise<void> {
    const { isDefault, userId, id } = template
    await transaction(this.#database, async (db) => {
      if (max !== undefined) await requireTemplateRoom(db, this.#database.kind, userId, max)
      if (isDefault) await db.updateTable('templates').set({ isDefault: 0 }).where('userId', '=', userId).execute()
      await db
        .insertInto('templates')
        .values({
          ...{ id, userId, name: template.name },
          description: template.description ?? null,
          isPublic: Number(template.isPublic),
          isDefault: Number(isDefault),
          settings: JSON.stringify(template.settings),
          createdAt: instant(template.createdAt),
          updatedAt: instant(template.updatedAt),
        })
        .execute()
    })
  }

  async get(userId: string, id: string): Promise<Template | undefined> {
    const row = await this.#database.db
      .selectFrom('templates')
      .selectAll()
      .where('id', '=', id)
      .where(isReadable(userId))
      .executeTakeFirst()
    return row && templateOf(row, userId)
  }

  async list(userId: string, query: Parameters<TemplateStore['list']>[1]): Promise<ListPage<Template>> {
    const { page, pageSize, publicOnly = false } = query
    const found = this.#database.db
      .selectFrom('templates')
      .where(isReadable(userId))
      .$if(publicOnly, (select) => select.where('isPublic', '=', 1))
    const rows = await found
      .selectAll()
      .orderBy(sql`case when user_id = ${userId} then 0 else 1 end`)
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(pageSize)
      .offset((page - 1) * pageSize)
      .execute()
    const { total } = await found.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow()
    return { items: rows.map((row) => templateOf(row, userId)), total: Number(total) }
  }

  async update(
    userId: string,
    id: string,
    change: Parameters<TemplateStore['update']>[2],
    at: string,
  ): Promise<boolean> {
    // What no id can be is none.
    if (id.includes('\0')) return false
    const { isPublic, settings, ...texts } = change
    const { numUpdatedRows } = await this.#database.db
      .updateTable('templates')
      .set({
        ...texts,
        ...(isPublic === undefined ? {} : { isPublic: Number(isPublic) }),
        ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
        updatedAt: instant(at),
      })
      .where('userId', '=', userId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async delete(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('templates')
      .where('userId', '=', userId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }

  async setDefault(userId: string, id: string | undefined): Promise<boolean> {
    return transaction(this.#database, async (db) => {
      // All of the user's, in one order: two who choose at the same time wait for each other.
      const own = await db
        .selectFrom('templates')
        .select('id')
        .where('userId', '=', userId)
        .orderBy('id')
        .$if(this.#database.kind === 'postgres', (select) => select.forUpdate())
        .execute()
      if (id !== undefined && !own.some((template) => template.id === id)) return false
      await db.updateTable('templates').set({ isDefault: 0 }).where('userId', '=', userId).execute()
      if (id !== undefined) await db.updateTable('templates').set({ isDefault: 1 }).where('id', '=', id).execute()
      return true
    })
  }

  async default(userId: string): Promise<Template | undefined> {
    const row = await this.#database.db
      .selectFrom('templates')
      .selectAll()
      .where('userId', '=', userId)
      .where('isDefault', '=', 1)
      .executeTakeFirst()
    return row && templateOf(row, userId)
  }
}

function isReadable(
  userId: string,
): (build: ExpressionBuilder<Tables, 'templates'>) => ExpressionWrapper<Tables, 'templates', SqlBool> {
  return (build) => build.or([build('userId', '=', userId), build('isPublic', '=', 1)])
}

/** As a user sees it: what is the default of somebody else is nobody's business. */
function templateOf(row: Tables['templates'], userId: string): Template {
  const { description, isPublic, isDefault, settings, ...rest } = row
  return {
    ...rest,
    ...present({ description }),
    isPublic: isPublic === 1,
    isDefault: isDefault === 1 && row.userId === userId,
    settings: fromJson<SettingsInput>(settings),
  }
}
