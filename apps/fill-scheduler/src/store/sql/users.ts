import { type Selectable, sql } from 'kysely'
import type { User, UserStore } from '../store.js'
import type { Database } from './database.js'
import type { Tables } from './tables.js'
import { instant } from './values.js'

/** Accounts in SQL. */
export class SqlUserStore implements UserStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async create(user: User): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#database.db
      .insertInto('users')
      .values({
        ...user,
        email: user.email.toLowerCase(),
        isActive: Number(user.isActive),
        createdAt: instant(user.createdAt),
        tokensUntil: 0,
      })
      .onConflict((conflict) => conflict.column('email').doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }

  byEmail(email: string): Promise<User | undefined> {
    return this.#find('email', email.toLowerCase())
  }

  byId(id: string): Promise<User | undefined> {
    return this.#find('id', id)
  }

  async #find(column: 'id' | 'email', value: string): Promise<User | undefined> {
    const row = await this.#database.db.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
    return row && userOf(row)
  }

  async changePassword(id: string, { from, to }: Parameters<UserStore['changePassword']>[1]): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('users')
      .set({ passwordHash: to })
      .where('id', '=', id)
      .where('passwordHash', '=', from)
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async noteToken(id: string, { passwordHash, second }: Parameters<UserStore['noteToken']>[1]): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('users')
      .set({ tokensUntil: sql`case when tokens_until < ${second} then ${second} else tokens_until end` })
      .where('id', '=', id)
      .where('passwordHash', '=', passwordHash)
      .where('isActive', '=', 1)
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async tokensUntil(id: string): Promise<number> {
    const found = this.#database.db.selectFrom('users').select('tokensUntil').where('id', '=', id)
    return (await found.executeTakeFirst())?.tokensUntil ?? 0
  }

  async delete(id: string): Promise<number | undefined> {
    const removed = this.#database.db.deleteFrom('users').where('id', '=', id).returning('tokensUntil')
    return (await removed.executeTakeFirst())?.tokensUntil
  }
}

function userOf({ isActive, tokensUntil: _until, ...row }: Selectable<Tables['users']>): User {
  return { ...row, isActive: isActive === 1 }
}
