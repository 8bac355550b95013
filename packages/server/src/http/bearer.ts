import type { Authentication, AuthenticationFailure } from '../access/authenticator.js'
import type { Identity } from '../access/identity.js'
import type { Visitor } from '../access/perimeter.js'
import { pause } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { Asker } from '../core/rights/authorisation.js'
import type { Services } from '../core/services.js'
import { ApiRefusal } from './api-error.js'
import type { Permission } from './route.js'

/** How long the answer to a bad credential takes once there were too many from its address. */
const GUESS_MS = 1_000

/** Bytes of the random part of the id of a request. */
const ID_BYTES = 9

/** What is said of each failure. All causes but these look the same from outside. */
const FAILURES: Readonly<Record<AuthenticationFailure, { readonly message: string; readonly error?: string }>> = {
  missing: { message: 'Send a token or an API key as Authorization: Bearer' },
  invalid: { message: 'The token or API key is not valid', error: 'invalid_token' },
  expired: { message: 'The token has expired', error: 'invalid_token' },
  revoked: { message: 'The token was withdrawn', error: 'invalid_token' },
  forbidden: { message: 'The bearer is not to come in' },
  unavailable: { message: 'Nobody can say whether this token is good for the time being' },
}

/** After how long to try again while nobody can say whether a token is good. */
const RETRY_AFTER_MS = 1_000

/** Who asks over HTTP, for as long as the request takes. The rules see in it what they see in a connection. */
export class Bearer implements Asker {
  /** Of the request; stands where a connection has its own. */
  readonly id: string
  readonly address: string
  readonly identity: Identity
  readonly #services: Pick<Services, 'clock' | 'revocations'>

  /** Use `authenticate`. */
  constructor(who: Pick<Bearer, 'id' | 'address' | 'identity'>, services: Pick<Services, 'clock' | 'revocations'>) {
    this.id = who.id
    this.address = who.address
    this.identity = who.identity
    this.#services = services
  }

  /** Whether the credential is still good: what takes long has to ask again. */
  get isOpen(): boolean {
    const { clock, revocations } = this.#services
    const { expiresAt = Infinity } = this.identity
    return clock.now() < expiresAt && !revocations.isWithdrawn(this.identity)
  }

  identityFor(): Identity {
    return this.identity
  }

  /** Whether it has one of these permissions. */
  has(...permissions: readonly Permission[]): boolean {
    const held = this.identity.permissions ?? []
    return permissions.some((permission) => held.includes(permission))
  }
}

/**
 * Who asks, by `Authorization: Bearer`, or whoever comes without a credential where the options name what that one may.
 *
 * @throws HoldfastError `unauthenticated`, `permission_denied`, `rate_limited` after too many bad credentials, `engine_unavailable`.
 */
export async function authenticate(request: Request, visitor: Visitor, services: Services): Promise<Bearer> {
  const { origins, revocations } = services
  const id = `http_${services.random.id(ID_BYTES)}`
  const { address, origin } = visitor
  const result = await judge(request, { id, address }, services)
  if ('failure' in result) throw await refuse(result, { id, address }, services)
  const { identity } = result
  // Programs name no origin, and neither do pages that ask where they came from.
  if (origin !== undefined && !origins.admitsFor(identity.tenant, visitor))
    throw new HoldfastError('permission_denied', 'This origin is not allowed')
  // Withdrawn while the rest was asked for.
  if (revocations.isWithdrawn(identity)) throw unauthenticated('revoked')
  return new Bearer({ id, address, identity }, services)
}

type Arrival = Pick<Bearer, 'id' | 'address'>

async function judge(request: Request, arrival: Arrival, services: Services): Promise<Authentication> {
  const { authenticator, decideArrival } = services
  const credential = credentialOf(request)
  const result =
    credential === undefined
      ? await (authenticator.anonymous?.() ?? { failure: 'missing' as const, detail: 'no credential' })
      : await authenticator.authenticate(credential)
  return decideArrival(result, arrival)
}

/** Whatever stands there is the credential: one that is broken must not make its owner somebody without any. */
function credentialOf({ headers }: Request): string | undefined {
  const header = headers.get('authorization')
  return header === null ? undefined : (/^Bearer +([^\s,]+)$/i.exec(header)?.[1] ?? '')
}

async function refuse(
  { failure, detail }: Extract<Authentication, { failure: unknown }>,
  { id, address }: Arrival,
  { safeguards, audit, clock }: Services,
): Promise<Error> {
  // Expired tokens are no guesses: after a night, everybody behind an address may come with one.
  const waitMs = failure === 'invalid' ? await safeguards.failedAuthentication(id, address) : 0
  if (waitMs > 0) {
    await pause(clock, GUESS_MS)
    return new HoldfastError('rate_limited', undefined, { retryAfter: waitMs })
  }
  audit.record('auth.failed', { connection: id, address, rule: failure, reason: detail, action: 'http' })
  if (failure === 'unavailable')
    return new HoldfastError('engine_unavailable', FAILURES.unavailable.message, { retryAfter: RETRY_AFTER_MS })
  return failure === 'forbidden'
    ? new HoldfastError('permission_denied', FAILURES.forbidden.message)
    : unauthenticated(failure)
}

/** RFC 6750, 3.1: only who sent a credential is told what is wrong with it. */
function unauthenticated(failure: AuthenticationFailure): ApiRefusal {
  const { message, error } = FAILURES[failure]
  const challenge = error === undefined ? 'Bearer' : `Bearer error="${error}", error_description="${message}"`
  return new ApiRefusal('unauthenticated', message, { headers: { 'www-authenticate': challenge } })
}
