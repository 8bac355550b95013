import { type Kysely, sql } from 'kysely'
import type { StrategyName } from '../../planning/strategy-name.js'
import type {
  ListPage,
  ListQuery,
  PlanInput,
  Room,
  Run,
  RunStatus,
  RunTimes,
  Schedule,
  ScheduleStore,
  ScheduleSummary,
  StoredResult,
} from '../store.js'
import { type Database, transaction } from './database.js'
import { requireRoom } from './room.js'
import { newRun } from './runs.js'
import type { Tables } from './tables.js'
import { containing, errorOf, folded, fromJson, instant, present } from './values.js'

const SUMMARY = [
  'id',
  'userId',
  'name',
  'description',
  'strategy',
  'mode',
  'status',
  'errorCode',
  'errorMessage',
  'replans',
  'lots',
  'makespanHours',
  'utilisationPercent',
  'createdAt',
  'startedAt',
  'endedAt',
] as const satisfies readonly (keyof Tables['schedules'])[]

type SummaryRow = Pick<Tables['schedules'], (typeof SUMMARY)[number]>

/** Schedules in SQL. */
export class SqlScheduleStore implements ScheduleStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async create(schedule: Schedule, run: Omit<Run, 'attempt'>, room?: Room): Promise<void> {
    const { id, userId, name, strategy, mode, status, input, createdAt } = schedule
    await transaction(this.#database, async (db) => {
      if (room) await requireRoom(db, this.#database.kind, userId, room)
      await db
        .insertInto('schedules')
        .values({
          ...{ id, userId, name, strategy, mode, status },
          foldedName: folded(name),
          description: schedule.description ?? null,
          replans: schedule.replans ?? null,
          lots: input.lots.length,
          createdAt: instant(createdAt),
          input: JSON.stringify(input),
        })
        .execute()
      await db
        .insertInto('runs')
        .values(newRun(run, createdAt, 0))
        .execute()
    })
  }

  async get(userId: string, id: string): Promise<Schedule | undefined> {
    const row = await this.#of(userId)
      .leftJoin('scheduleResults', 'scheduleId', 'id')
      .select([...SUMMARY, 'input', 'result'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const { input, result, ...summary } = row
    const { lots: _lots, makespanHours: _hours, utilisationPercent: _percent, ...schedule } = summaryOf(summary)
    return {
      ...schedule,
      input: fromJson<PlanInput>(input),
      ...(result === null ? {} : { result: fromJson<StoredResult>(result) }),
    }
  }

  async status(userId: string, id: string): Promise<RunStatus | undefined> {
    return (await this.#of(userId).select('status').where('id', '=', id).executeTakeFirst())?.status
  }

  async list(userId: string, query: ListQuery): Promise<ListPage<ScheduleSummary>> {
    const { page, pageSize, status, strategy, search } = query
    const found = this.#of(userId)
      .$if(status !== undefined, (select) => select.where('status', '=', status ?? 'pending'))
      .$if(strategy !== undefined, (select) => select.where('strategy', '=', strategy ?? 'exact'))
      .$if(search !== undefined, (select) => select.where(nameContains(search ?? '')))
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

  async counts(userId: string): ReturnType<ScheduleStore['counts']> {
    const rows = await this.#of(userId)
      .select(['status', 'strategy', ({ fn }) => fn.countAll().as('number')])
      .groupBy(['status', 'strategy'])
      .execute()
    const counts: { status: Partial<Record<RunStatus, number>>; strategy: Partial<Record<StrategyName, number>> } = {
      status: {},
      strategy: {},
    }
    for (const { status, strategy, number } of rows) {
      counts.status[status] = (counts.status[status] ?? 0) + Number(number)
      counts.strategy[strategy] = (counts.strategy[strategy] ?? 0) + Number(number)
    }
    return counts
  }

  async times(userId: string): Promise<readonly RunTimes[]> {
    const rows = await this.#of(userId).select(['strategy', 'status', 'createdAt', 'startedAt', 'endedAt']).execute()
    return rows.map(({ startedAt, endedAt, ...row }) => ({ ...row, ...present({ startedAt, endedAt }) }))
  }

  async delete(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('schedules')
      .where('userId', '=', userId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }

  /** Every question begins here: nobody is shown what is another's. */
  #of(userId: string): ReturnType<typeof schedulesOf> {
    return schedulesOf(this.#database.db, userId)
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type of a query is its description once more
function schedulesOf(db: Kysely<Tables>, userId: string) {
  return db.selectFrom('schedules').where('userId', '=', userId)
}

/** Of schedules and comparisons: those whose name contains a text, in any case. */
export function nameContains(part: string): ReturnType<typeof sql<boolean>> {
  return sql<boolean>`folded_name like ${containing(folded(part))} escape '\\'`
}

function summaryOf(row: SummaryRow): ScheduleSummary {
  const {
    errorCode,
    errorMessage,
    description,
    replans,
    makespanHours,
    utilisationPercent,
    startedAt,
    endedAt,
    ...rest
  } = row
  return {
    ...rest,
    ...errorOf({ errorCode, errorMessage }),
    ...present({ description, replans, makespanHours, utilisationPercent, startedAt, endedAt }),
  }
}
