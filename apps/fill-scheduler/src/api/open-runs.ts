import type { RunStatus, Store } from '../store/store.js'
import { ApiError } from './api-error.js'

/** Schedules and comparisons of one user that have not ended. */
const OPEN_MAX = 20
const OPEN: readonly RunStatus[] = ['pending', 'running']

/** Nobody may fill the queue alone. @throws ApiError `limit_exceeded` when the user has as many open runs as are allowed. */
export async function checkRoom(store: Store, userId: string): Promise<void> {
  const { status } = await store.schedules.counts(userId)
  const comparisons = await Promise.all(
    OPEN.map((state) => store.comparisons.list(userId, { page: 1, pageSize: 1, status: state })),
  )
  const open =
    OPEN.reduce((sum, state) => sum + (status[state] ?? 0), 0) + comparisons.reduce((sum, { total }) => sum + total, 0)
  if (open < OPEN_MAX) return
  const message = `At most ${OPEN_MAX} schedules and comparisons may be open at a time; wait for one, or cancel one`
  throw new ApiError('limit_exceeded', message, { status: 422, details: { limit: 'open_runs', max: OPEN_MAX } })
}
