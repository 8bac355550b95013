import type { StrategyName } from '../../planning/strategy-name.js'
import type {
  Comparison,
  ComparisonResult,
  ComparisonStore,
  ComparisonSummary,
  ListPage,
  ListQuery,
  PlanInput,
  Room,
  Run,
  RunStatus,
  StoredResult,
} from '../store.js'
import { type Database, transaction } from './database.js'
import { requireRoom } from './room.js'
import { newRun } from './runs.js'
import { nameContains } from './schedules.js'
import type { Tables } from './tables.js'
import { errorOf, folded, fromJson, instant, present } from './values.js'

const SUMMARY = [
  'id',
  'userId',
  'name',
  'mode',
  'status',
  'strategies',
  'lots',
  'bestStrategy',
  'bestMakespanHours',
  'createdAt',
  'endedAt',
] as const satisfies readonly (keyof Tables['comparisons'])[]

type SummaryRow = Pick<Tables['comparisons'], (typeof SUMMARY)[number]>

/** Comparisons in SQL. Their results are in the order of the runs that they were made with. */
export class SqlComparisonStore implements ComparisonStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async create(
    comparison: Omit<Comparison, 'results'>,
    runs: readonly Omit<Run, 'attempt'>[],
    room?: Room,
  ): Promise<void> {
    const { id, userId, name, mode, status, strategies, input, createdAt } = comparison
    await transaction(this.#database, async (db) => {
      if (room) await requireRoom(db, this.#database.kind, userId, room)
      await db
        .insertInto('comparisons')
        .values({
          ...{ id, userId, name, mode, status },
          foldedName: folded(name),
          strategies: JSON.stringify(strategies),
          lots: input.lots.length,
          createdAt: instant(createdAt),
          input: JSON.stringify(input),
        })
        .execute()
      if (runs.length === 0) return
      const results = runs.map(({ strategy }, position) => {
        return { comparisonId: id, strategy, position, status: 'pending' as const }
      })
      await db.insertInto('comparisonResults').values(results).execute()
      await db
        .insertInto('runs')
        .values(runs.map((run, position) => newRun(run, createdAt, position)))
        .execute()
    })
  }

  async get(userId: string, id: string): Promise<Comparison | undefined> {
    const { db } = this.#database
    const row = await db
      .selectFrom('comparisons')
      .select([...SUMMARY, 'input'])
      .where('userId', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const results = await db
      .selectFrom('comparisonResults')
      .select(['strategy', 'status', 'errorCode', 'errorMessage', 'result'])
      .where('comparisonId', '=', id)
      .orderBy('position')
      .execute()
    const { lots: _lots, bestStrategy: _best, bestMakespanHours: _hours, ...comparison } = summaryOf(row)
    return { ...comparison, input: fromJson<PlanInput>(row.input), results: results.map(resultOf) }
  }

  async status(...[userId, id, strategy]: Parameters<ComparisonStore['status']>): Promise<RunStatus | undefined> {
    const { db } = this.#database
    const found = db.selectFrom('comparisons').where('userId', '=', userId).where('comparisons.id', '=', id)
    if (strategy === undefined) return (await found.select('comparisons.status').executeTakeFirst())?.status
    const result = await found
      .innerJoin('comparisonResults', 'comparisonId', 'comparisons.id')
      .where('strategy', '=', strategy)
      .select('comparisonResults.status')
      .executeTakeFirst()
    return result?.status
  }

  async list(userId: string, query: ListQuery): Promise<ListPage<ComparisonSummary>> {
    const { page, pageSize, status, strategy, search } = query
    const found = this.#database.db
      .selectFrom('comparisons')
      .where('userId', '=', userId)
      .$if(status !== undefined, (select) => select.where('status', '=', status ?? 'pending'))
      .$if(search !== undefined, (select) => select.where(nameContains(search ?? '')))
      .$if(strategy !== undefined, (select) =>
        select.where(({ exists, selectFrom }) =>
          exists(
            selectFrom('comparisonResults')
              .select('strategy')
              .whereRef('comparisonId', '=', 'comparisons.id')
              .where('strategy', '=', strategy ?? 'exact'),
          ),
        ),
      )
    const rows = await found
      .select(SUMMARY)
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(pageSize)
      .offset((page - 1) * pageSize)
      .execute()
    const { total } = await found.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow()
    return { items: rows.map(summaryOf), total: Number(total) }
  }

  async delete(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('comparisons')
      .where('userId', '=', userId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }
}

function summaryOf(row: SummaryRow): ComparisonSummary {
  const { id, userId, name, mode, status, lots, createdAt, bestStrategy, bestMakespanHours, endedAt } = row
  return {
    ...{ id, userId, name, mode, status, lots, createdAt },
    strategies: fromJson<StrategyName[]>(row.strategies),
    ...present({ bestStrategy, bestMakespanHours, endedAt }),
  }
}

type ResultRow = Pick<Tables['comparisonResults'], 'strategy' | 'status' | 'errorCode' | 'errorMessage' | 'result'>

function resultOf(row: ResultRow): ComparisonResult {
  const { strategy, status, result } = row
  return { strategy, status, ...errorOf(row), ...(result === null ? {} : { result: fromJson<StoredResult>(result) }) }
}
