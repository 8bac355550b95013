import { type Insertable, type Kysely, type Transaction, sql } from 'kysely'
import type { PlanInput, Run, RunEnd, RunStore } from '../store.js'
import { endComparisonRun, beginComparisonRuns } from './comparison-runs.js'
import { type Database, transaction } from './database.js'
import type { Tables } from './tables.js'
import { fromJson, instant, present } from './values.js'

type Claim = Parameters<RunStore['claim']>[0]

/** Background work in SQL. What changes a run takes the row of its schedule or comparison first, so that two of them wait for each other instead of forever. */
export class SqlRunStore implements RunStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async claim(query: Claim): Promise<readonly Run[]> {
    return transaction(this.#database, async (db) => {
      const ids = await this.#free(db, query)
      if (ids.length === 0) return []
      await db
        .updateTable('runs')
        .set({
          status: 'running',
          runner: query.runner,
          leaseUntil: instant(query.leaseUntil),
          attempt: sql`case when runner = ${query.runner} then attempt else attempt + 1 end`,
        })
        .where('id', 'in', ids)
        .execute()
      const runs = await readRuns(db, ids)
      await beginSchedules(db, runs, instant(query.now))
      await beginComparisonRuns(db, runs)
      await serve(db, runs, instant(query.now))
      return runs
    })
  }

  /** Runs that nobody has: of those who were served longest ago the oldest first. In PostgreSQL those that another is just taking are passed over. */
  async #free(db: Transaction<Tables>, { now, limit }: Claim): Promise<readonly string[]> {
    const rows = await db
      .selectFrom('runs')
      .leftJoin('turns', 'turns.userId', 'runs.userId')
      .select('id')
      .where('status', 'in', ['pending', 'running'])
      .where(({ or, eb }) => or([eb('status', '=', 'pending'), eb('leaseUntil', '<', instant(now))]))
      .orderBy(({ fn, val }) => fn.coalesce('servedAt', val('')))
      .orderBy('createdAt')
      .orderBy('position')
      .orderBy('id')
      .limit(limit)
      .$if(this.#database.kind === 'postgres', (select) => select.forUpdate('runs').skipLocked())
      .execute()
    return rows.map(({ id }) => id)
  }

  async inherit(runner: string, at: string): Promise<void> {
    await this.#database.db
      .updateTable('runs')
      .set({ leaseUntil: instant(at) })
      .where('status', '=', 'running')
      .where(({ or, eb }) => or([eb('runner', '!=', runner), eb('runner', 'is', null)]))
      .execute()
  }

  async renew(id: string, runner: string, leaseUntil: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('runs')
      .set({ leaseUntil: instant(leaseUntil) })
      .where('id', '=', id)
      .where('runner', '=', runner)
      .where('status', '=', 'running')
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async release(id: string, runner: string, at: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('runs')
      .set({ runner: null, leaseUntil: instant(at), attempt: sql`attempt - 1` })
      .where('id', '=', id)
      .where('runner', '=', runner)
      .where('status', '=', 'running')
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async finish(id: string, runner: string | undefined, end: RunEnd): Promise<boolean> {
    return transaction(this.#database, async (db) => {
      const run = await this.#withOwner(db, id)
      if (run === undefined || !(await endRun(db, id, runner, end))) return false
      if (run.scheduleId !== null) await endSchedule(db, run.scheduleId, end)
      if (run.comparisonId !== null) await endComparisonRun(db, run.comparisonId, run.strategy, end)
      return true
    })
  }

  /** A run whose schedule or comparison is locked for this transaction. */
  async #withOwner(
    db: Transaction<Tables>,
    id: string,
  ): Promise<Pick<Tables['runs'], 'scheduleId' | 'comparisonId' | 'strategy'> | undefined> {
    const run = await db
      .selectFrom('runs')
      .select(['scheduleId', 'comparisonId', 'strategy'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (run === undefined || this.#database.kind === 'libsql') return run
    const table = run.scheduleId === null ? 'comparisons' : 'schedules'
    const owner = run.scheduleId ?? run.comparisonId ?? ''
    await db.selectFrom(table).select('id').where('id', '=', owner).forUpdate().execute()
    return run
  }

  async open(owner: Parameters<RunStore['open']>[0]): Promise<readonly Run[]> {
    const { db } = this.#database
    const rows = await db
      .selectFrom('runs')
      .select('id')
      .where('status', 'in', ['pending', 'running'])
      .$if('scheduleId' in owner, (select) =>
        select.where('scheduleId', '=', 'scheduleId' in owner ? owner.scheduleId : ''),
      )
      .$if('comparisonId' in owner, (select) =>
        select.where('comparisonId', '=', 'comparisonId' in owner ? owner.comparisonId : ''),
      )
      .execute()
    return readRuns(
      db,
      rows.map(({ id }) => id),
    )
  }
}

/** A run that has not begun, as a row. Its input is that of what it belongs to, which is kept once. */
export function newRun(run: Omit<Run, 'attempt'>, createdAt: string, position: number): Insertable<Tables['runs']> {
  return {
    id: run.id,
    userId: run.userId,
    scheduleId: run.scheduleId ?? null,
    comparisonId: run.comparisonId ?? null,
    position,
    strategy: run.strategy,
    mode: run.mode,
    status: 'pending',
    attempt: 0,
    runner: null,
    leaseUntil: null,
    createdAt: instant(createdAt),
  }
}

/** Their users have had a turn. */
async function serve(db: Transaction<Tables>, runs: readonly Run[], servedAt: string): Promise<void> {
  // In one order: two who write the same turns wait for each other instead of forever.
  for (const userId of [...new Set(runs.map((run) => run.userId))].toSorted())
    await db
      .insertInto('turns')
      .values({ userId, servedAt })
      .onConflict((conflict) => conflict.column('userId').doUpdateSet({ servedAt }))
      .execute()
}

async function readRuns(db: Kysely<Tables>, ids: readonly string[]): Promise<readonly Run[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('runs')
    .leftJoin('schedules', 'schedules.id', 'runs.scheduleId')
    .leftJoin('comparisons', 'comparisons.id', 'runs.comparisonId')
    .select(['runs.id', 'runs.userId', 'scheduleId', 'comparisonId', 'runs.strategy', 'runs.mode', 'attempt'])
    .select(({ fn }) => fn.coalesce('schedules.input', 'comparisons.input').as('input'))
    .where('runs.id', 'in', ids)
    .orderBy('runs.createdAt')
    .orderBy('runs.position')
    .orderBy('runs.id')
    .execute()
  return rows.map(({ scheduleId, comparisonId, input, ...row }) => ({
    ...row,
    ...present({ scheduleId, comparisonId }),
    input: fromJson<PlanInput>(input ?? ''),
  }))
}

async function endRun(
  db: Transaction<Tables>,
  id: string,
  runner: string | undefined,
  { status }: RunEnd,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('runs')
    .set({ status, runner: null, leaseUntil: null })
    .where('id', '=', id)
    .where('status', 'in', ['pending', 'running'])
    .$if(runner !== undefined, (update) => update.where('runner', '=', runner ?? ''))
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

async function beginSchedules(db: Transaction<Tables>, runs: readonly Run[], at: string): Promise<void> {
  const ids = runs.flatMap(({ scheduleId }) => scheduleId ?? [])
  if (ids.length === 0) return
  await db
    .updateTable('schedules')
    .set(({ fn, val }) => ({ status: 'running', startedAt: fn.coalesce('startedAt', val(at)) }))
    .where('id', 'in', ids)
    .execute()
}

async function endSchedule(db: Transaction<Tables>, id: string, end: RunEnd): Promise<void> {
  const statistics = end.status === 'completed' ? end.result.statistics : undefined
  const error = end.status === 'failed' ? end.error : undefined
  await db
    .updateTable('schedules')
    .set({
      status: end.status,
      endedAt: instant(end.at),
      errorCode: error?.code ?? null,
      errorMessage: error?.message ?? null,
      makespanHours: statistics?.makespanHours ?? null,
      utilisationPercent: statistics?.utilisationPercent ?? null,
    })
    .where('id', '=', id)
    .execute()
  if (end.status !== 'completed') return
  await db
    .insertInto('scheduleResults')
    .values({ scheduleId: id, result: JSON.stringify(end.result) })
    .execute()
}
