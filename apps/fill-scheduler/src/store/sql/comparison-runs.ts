import type { Transaction } from 'kysely'
import { bestOf } from '../../planning/compare.js'
import type { Run, RunEnd, RunStatus } from '../store.js'
import type { Tables } from './tables.js'
import { instant } from './values.js'

/** Says of comparisons that their runs have begun. */
export async function beginComparisonRuns(db: Transaction<Tables>, runs: readonly Run[]): Promise<void> {
  for (const { comparisonId, strategy } of runs) {
    if (comparisonId === undefined) continue
    await db
      .updateTable('comparisonResults')
      .set({ status: 'running' })
      .where('comparisonId', '=', comparisonId)
      .where('strategy', '=', strategy)
      .execute()
    await db.updateTable('comparisons').set({ status: 'running' }).where('id', '=', comparisonId).execute()
  }
}

/** Writes down what one strategy came to, and what the comparison as a whole has come to by that. */
export async function endComparisonRun(
  db: Transaction<Tables>,
  comparisonId: string,
  strategy: Run['strategy'],
  end: RunEnd,
): Promise<void> {
  const statistics = end.status === 'completed' ? end.result.statistics : undefined
  const error = end.status === 'failed' ? end.error : undefined
  await db
    .updateTable('comparisonResults')
    .set({
      status: end.status,
      errorCode: error?.code ?? null,
      errorMessage: error?.message ?? null,
      makespanHours: statistics?.makespanHours ?? null,
      utilisationPercent: statistics?.utilisationPercent ?? null,
      changeovers: statistics?.changeovers ?? null,
      result: end.status === 'completed' ? JSON.stringify(end.result) : null,
    })
    .where('comparisonId', '=', comparisonId)
    .where('strategy', '=', strategy)
    .execute()
  await settle(db, comparisonId, instant(end.at))
}

async function settle(db: Transaction<Tables>, comparisonId: string, at: string): Promise<void> {
  const results = await db
    .selectFrom('comparisonResults')
    .select(['strategy', 'status', 'makespanHours', 'utilisationPercent', 'changeovers'])
    .where('comparisonId', '=', comparisonId)
    .orderBy('position')
    .execute()
  const status = statusOf(results.map((result) => result.status))
  const winner = best(results)
  await db
    .updateTable('comparisons')
    .set({
      status,
      endedAt: status === 'running' ? null : at,
      bestStrategy: winner?.strategy ?? null,
      bestMakespanHours: winner?.makespanHours ?? null,
    })
    .where('id', '=', comparisonId)
    .execute()
}

/** What a comparison is when one of its runs has ended. */
function statusOf(runs: readonly RunStatus[]): RunStatus {
  if (runs.some((status) => status === 'pending' || status === 'running')) return 'running'
  if (runs.includes('completed')) return 'completed'
  return runs.includes('cancelled') ? 'cancelled' : 'failed'
}

type Figures = Pick<Tables['comparisonResults'], 'strategy' | 'makespanHours' | 'utilisationPercent' | 'changeovers'>

function best(results: readonly Figures[]): Figures | undefined {
  const strategy = bestOf(
    results.map(({ makespanHours, utilisationPercent, changeovers, ...run }) =>
      makespanHours === null || utilisationPercent === null || changeovers === null
        ? run
        : { ...run, result: { statistics: { makespanHours, utilisationPercent, changeovers } } },
    ),
  )
  return results.find((result) => result.strategy === strategy)
}
