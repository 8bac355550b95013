import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.js'

const TTL_MS = 600_000
const CODES_MAX = 100

/** Codes that sign somebody in once, within ten minutes. Only their digests are held, and only by this server. */
export class SignInCodes {
  readonly #clock: Clock
  readonly #codes = new Map<string, { readonly userId: string; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A new code for a user. */
  issue(userId: string): string {
    const code = randomBytes(24).toString('base64url')
    const [oldest] = this.#codes.keys()
    if (this.#codes.size >= CODES_MAX && oldest !== undefined) this.#codes.delete(oldest)
    this.#codes.set(digest(code), { userId, until: this.#clock.now() + TTL_MS })
    return code
  }

  /** Whose code it is; undefined: nobody's, or not any more. */
  redeem(code: string): string | undefined {
    const key = digest(code)
    const found = this.#codes.get(key)
    this.#codes.delete(key)
    return found && found.until > this.#clock.now() ? found.userId : undefined
  }
}

function digest(code: string): string {
  return createHash('sha256').update(code).digest('base64url')
}
