import type { RunStatus, Store } from '../store/store.js'
import { ApiError } from './api-error.js'

/** Schedules and comparisons of one user that have not ended. */
const OPEN_MAX = 20
const OPEN: readonly RunStatus[] = ['pending', 'running']

/** Lets nobody fill the queue alone. */
export class OpenRuns {
  readonly #store: Store
  /** Of each user, what was admitted last and is not made yet: who asks for many at once does not get past the limit by it. */
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Makes one more for a user. @throws ApiError `limit_exceeded` when there are as many as are allowed. */
  async admit<T>(userId: string, make: () => Promise<T>): Promise<T> {
    const before = this.#last.get(userId)?.catch(() => undefined)
    const made = Promise.resolve(before).then(async () => {
      await this.#check(userId)
      return make()
    })
    this.#last.set(userId, made)
    try {
      return await made
    } finally {
      if (this.#last.get(userId) === made) this.#last.delete(userId)
    }
  }

  async #check(userId: string): Promise<void> {
    const { schedules, comparisons } = this.#store
    const { status } = await schedules.counts(userId)
    const pages = await Promise.all(
      OPEN.map((state) => comparisons.list(userId, { page: 1, pageSize: 1, status: state })),
    )
    const open =
      OPEN.reduce((sum, state) => sum + (status[state] ?? 0), 0) + pages.reduce((sum, { total }) => sum + total, 0)
    if (open < OPEN_MAX) return
    const message = `At most ${OPEN_MAX} schedules and comparisons may be open at a time; wait for one, or cancel one`
    throw new ApiError('limit_exceeded', message, { status: 422, details: { limit: 'open_runs', max: OPEN_MAX } })
  }
}
