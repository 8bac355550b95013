import { type Identity, userKey } from '../access/identity.js'
import { HoldfastError } from '../core/errors.js'

/** Requests of one user that wait at a time, and of all. */
const PER_USER_MAX = 32
const WAITING_MAX = 10_000

const RETRY_AFTER_MS = 1_000

/** Counts the requests that wait on this node: each holds a socket, and asks for nothing while it does. */
export class WaitingRoom {
  readonly #byUser = new Map<string, number>()
  #size = 0

  /** Requests that wait now. */
  get size(): number {
    return this.#size
  }

  /**
   * Holds a place while `work` goes on.
   *
   * @throws HoldfastError `rate_limited` when there is none for this user (32), or at all (10,000).
   */
  async hold<T>({ identity }: { readonly identity: Identity }, work: () => Promise<T>): Promise<T> {
    const user = userKey(identity)
    const held = this.#byUser.get(user) ?? 0
    if (held >= PER_USER_MAX || this.#size >= WAITING_MAX)
      throw new HoldfastError('rate_limited', 'too many requests wait', { retryAfter: RETRY_AFTER_MS })
    this.#byUser.set(user, held + 1)
    this.#size += 1
    try {
      return await work()
    } finally {
      this.#leave(user)
    }
  }

  #leave(user: string): void {
    this.#size -= 1
    const left = (this.#byUser.get(user) ?? 1) - 1
    if (left > 0) this.#byUser.set(user, left)
    else this.#byUser.delete(user)
  }
}
