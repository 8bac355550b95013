import { z } from '@hono/zod-openapi'
import { type Holdfast, type Tenant, signToken } from '@holdfast/server'
import type { User } from '../store/store.js'
import { json, refusal } from './answers.js'
import { type ApiParts, TENANT } from './api-environment.js'
import { ApiError } from './api-error.js'
import { newId } from './ids.js'

/** How long a token is good: a working day and the night before it. */
const TOKEN_SECONDS = 86_400
/** By how much the clocks of servers may differ: whoever is further ahead signs tokens that the others refuse. */
const CLOCKS_DIFFER_MS = 10_000
/** How long a withdrawal is kept: no token is believed for longer, by no clock. */
const KEPT_MS = TOKEN_SECONDS * 1_000 + 2 * CLOCKS_DIFFER_MS
/** For so long a token is signed anew that a change of the account has withdrawn beforehand: by a clock that is ahead it ends later than by ours. */
const SIGNED_AGAIN_MS = 15_000
/** Whoever asks whether a token is good that has not been given to anybody. */
const OURSELVES = { address: '127.0.0.1', origin: undefined, isSecure: false } as const

const tokenSchema = z
  .object({ access_token: z.string(), token_type: z.literal('bearer'), expires_in: z.int() })
  .openapi('Token', { example: { access_token: 'eyJ…', token_type: 'bearer', expires_in: TOKEN_SECONDS } })

/** What a route answers that grants a token. */
export const granted = {
  200: { description: 'A token for 24 hours', content: json(tokenSchema) },
  default: refusal,
} as const

type Granted = z.infer<typeof tokenSchema>

/** What tokens work with. */
interface TokenParts extends Pick<ApiParts, 'accounts' | 'clock' | 'secret' | 'log'> {
  readonly holdfast: Pick<Holdfast, 'identify'>
  readonly tenant: Pick<Tenant, 'revokeToken'> & { user(id: string): Pick<ReturnType<Tenant['user']>, 'revoke'> }
}

/** The tokens that accounts are entered with. */
export class Tokens {
  readonly #parts: TokenParts

  constructor(parts: TokenParts) {
    this.#parts = parts
  }

  /**
   * A token for an account that is still as it was when it was looked at; where the account has been changed in this second, one of the next. @throws ApiError
   * `unauthenticated` when it is not.
   */
  async grant(user: User): Promise<Granted> {
    const { accounts, clock, secret } = this.#parts
    for (const until = clock.now() + SIGNED_AGAIN_MS; ;) {
      const token = signToken({ secret, tenant: TENANT, user: user.id, ttlSeconds: TOKEN_SECONDS, tokenId: newId() })
      const second = secondOf(token)
      // Noted after it was signed: whoever changes the account later withdraws what was signed before.
      if (!(await accounts.noteToken(user, second)) || clock.now() > until)
        throw new ApiError('unauthenticated', 'The account has just been changed; sign in again', { status: 401 })
      if (!(await this.#isWithdrawn(token)))
        return { access_token: token, token_type: 'bearer', expires_in: TOKEN_SECONDS }
      await this.#reached((second + 1) * 1_000)
    }
  }

  /** One token is good no more, on every server. @throws ApiError `unavailable` when that cannot be kept now. */
  async withdraw(tokenId: string): Promise<void> {
    await this.#parts.tenant.revokeToken(tokenId, { ttl: KEPT_MS }).catch(unavailable)
  }

  /**
   * All tokens of a user that were signed until now, by whichever server, and in the rest of this second, are good no more, and live connections with them end.
   * @throws ApiError `unavailable` when that cannot be kept now.
   */
  async withdrawAll(userId: string): Promise<void> {
    const issuedBefore = this.#goodAgain(await this.#parts.accounts.tokensUntil(userId))
    await this.#revoke(userId, issuedBefore).catch(unavailable)
  }

  /**
   * The same behind a change of the account, for what somebody got who came in meanwhile: the last one of them until the second `until`. What is changed stays so: where it cannot be kept now, the
   * log says so, and nobody is told to try again. Resolves to when those are good that are signed then.
   */
  async withdrawLate(userId: string, until: number): Promise<number> {
    const issuedBefore = this.#goodAgain(until)
    await this.#revoke(userId, issuedBefore).catch((error: unknown) => {
      this.#parts.log.warn(
        { event: 'tokens.kept', user: userId, reason: String(error) },
        'tokens that were got while an account was changed were not withdrawn',
      )
    })
    return issuedBefore
  }

  /** Withdraws all tokens of a user around a change of the account, and grants one to who made the change. Nothing is changed where tokens cannot be withdrawn. */
  async renew(userId: string, change: () => Promise<User>): Promise<Granted> {
    await this.withdrawAll(userId)
    const user = await change()
    await this.#reached(await this.withdrawLate(userId, await this.#parts.accounts.tokensUntil(userId)))
    return this.grant(user)
  }

  /** Only what is known to be so counts: while the engine is away nobody can say. */
  async #isWithdrawn(token: string): Promise<boolean> {
    const asked = new Request('http://localhost/', { headers: { authorization: `Bearer ${token}` } })
    const identified = await this.#parts.holdfast.identify(asked, OURSELVES)
    return 'refusal' in identified && identified.refusal.status === 401
  }

  async #revoke(userId: string, issuedBefore: number): Promise<void> {
    await this.#parts.tenant.user(userId).revoke({ issuedBefore, ttl: KEPT_MS })
  }

  /** Tokens carry the second of their signature. */
  #goodAgain(until: number): number {
    const now = this.#parts.clock.now()
    const seconds = Math.max(Math.floor(now / 1_000), Math.min(until, Math.floor((now + CLOCKS_DIFFER_MS) / 1_000)))
    return (seconds + 1) * 1_000
  }

  /** A timer may come early. */
  async #reached(at: number): Promise<void> {
    const { clock } = this.#parts
    for (let now = clock.now(); now < at; now = clock.now())
      await new Promise<void>((resolve) => void clock.after(at - now, resolve))
  }
}

/** When a token says that it was signed, in seconds since 1970. */
function secondOf(token: string): number {
  const [, payload = ''] = token.split('.')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly iat: number }).iat
}

function unavailable(error: unknown): never {
  const { code } = error as { readonly code?: unknown }
  if (code !== 'engine_unavailable') throw error
  const message = 'Tokens cannot be withdrawn now; try again in a moment'
  throw new ApiError('unavailable', message, { status: 503, retryAfterMs: 5_000 })
}
