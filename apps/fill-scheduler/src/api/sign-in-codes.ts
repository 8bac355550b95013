import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.js'

const TTL_MS = 600_000
const CODES_MAX = 100
/** For so long whoever has redeemed a code may do so again. */
const AGAIN_MS = 60_000

interface Issued {
  readonly userId: string
  readonly until: number
  /** The digest of the secret by which it was redeemed. */
  readonly by?: string
}

/** Codes that sign somebody in once, within ten minutes. Only their digests are held, and only by this server. */
export class SignInCodes {
  readonly #clock: Clock
  readonly #codes = new Map<string, Issued>()

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

  /**
   * Whose code it is; undefined: nobody's, or not any more. Whoever redeems it `by` a secret of their own may do so again for a minute, by the same one: the answer may
   * have been lost.
   */
  redeem(code: string, by?: string): string | undefined {
    const key = digest(code)
    const found = this.#codes.get(key)
    const now = this.#clock.now()
    if (found === undefined || found.until <= now) return undefined
    const secret = by === undefined ? undefined : digest(by)
    if (found.by !== undefined) return found.by === secret ? found.userId : undefined
    if (secret === undefined) this.#codes.delete(key)
    else this.#codes.set(key, { ...found, by: secret, until: Math.min(found.until, now + AGAIN_MS) })
    return found.userId
  }
}

function digest(code: string): string {
  return createHash('sha256').update(code).digest('base64url')
}
