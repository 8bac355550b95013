import type { Transaction } from 'kysely'
import { NoRoomError, NoUserError, type Room } from '../store.js'
import type { Database } from './database.js'
import type { Tables } from './tables.js'

/** Sees to it that a user may have one schedule or comparison more, which the same transaction makes. @throws NoRoomError, NoUserError */
export async function requireRoom(
  db: Transaction<Tables>,
  kind: Database['kind'],
  userId: string,
  { openMax, plansMax }: Room,
): Promise<void> {
  await inTurn(db, kind, userId)
  const counts = [await countsOf(db, 'schedules', userId), await countsOf(db, 'comparisons', userId)]
  const sum = (which: 'open' | 'all'): number => counts.reduce((total, each) => total + each[which], 0)
  if (sum('open') >= openMax) throw new NoRoomError('open_runs', openMax)
  if (sum('all') >= plansMax) throw new NoRoomError('plans', plansMax)
}

/** The same of templates. @throws NoRoomError, NoUserError */
export async function requireTemplateRoom(
  db: Transaction<Tables>,
  kind: Database['kind'],
  userId: string,
  max: number,
): Promise<void> {
  await inTurn(db, kind, userId)
  const { all } = await countsOf(db, 'templates', userId)
  if (all >= max) throw new NoRoomError('templates', max)
}

/** Whoever makes something else of the same user meanwhile waits until this transaction has ended, on whichever server. An embedded file has one writer anyway. */
async function inTurn(db: Transaction<Tables>, kind: Database['kind'], userId: string): Promise<void> {
  const user = db.selectFrom('users').select('id').where('id', '=', userId)
  const found = await (kind === 'postgres' ? user.forNoKeyUpdate() : user).executeTakeFirst()
  if (found === undefined) throw new NoUserError()
}

async function countsOf(
  db: Transaction<Tables>,
  table: 'schedules' | 'comparisons' | 'templates',
  userId: string,
): Promise<{ readonly open: number; readonly all: number }> {
  const found = db.selectFrom(table).where('userId', '=', userId)
  const { all } = await found.select(({ fn }) => fn.countAll().as('all')).executeTakeFirstOrThrow()
  if (table === 'templates') return { open: 0, all: Number(all) }
  const { open } = await db
    .selectFrom(table)
    .where('userId', '=', userId)
    .where('status', 'in', ['pending', 'running'])
    .select(({ fn }) => fn.countAll().as('open'))
    .executeTakeFirstOrThrow()
  return { open: Number(open), all: Number(all) }
}
