import type { Cancel, Clock } from '../clock.js'
import { CircuitBreaker, CircuitOpenError } from '../outbound/circuit-breaker.js'
import type { Authentication, Authenticator } from './authenticator.js'
import { type Identity, isTenantName, isUserName } from './identity.js'

/** The last moment that can be written as a date (ECMA-262 21.4.1.1). */
const TIME_MAX = 8_640_000_000_000_000

const KINDS: readonly unknown[] = [undefined, 'user', 'server', 'anonymous']

/** How long an answer is waited for. */
const ANSWER_MS_MAX = 5_000

/** After so many questions in a row without an answer nobody asks, and nobody waits, for a while. */
const UNANSWERED_MAX = 10
const SPARED_MS = 5_000

/** What came of a question in time. */
type Outcome = { readonly answer: unknown } | { readonly error: unknown }

/** An authenticator of the application's own, its answers checked: what is no identity must not become one, and who is not answered for is not admitted. */
export class CheckedAuthenticator implements Authenticator {
  readonly #asked: Authenticator
  readonly #clock: Clock
  readonly #circuit: CircuitBreaker

  constructor(asked: Authenticator, clock: Clock) {
    this.#asked = asked
    this.#clock = clock
    this.#circuit = new CircuitBreaker({ clock, failuresMax: UNANSWERED_MAX, openMs: SPARED_MS })
  }

  /**
   * Rejects with a TypeError naming what is wrong with the answer; with an Error when there is none within five seconds. Where there was none again and again, `unavailable` for
   * five seconds, without asking.
   */
  authenticate(credential: string): Promise<Authentication> {
    return this.#check(() => this.#asked.authenticate(credential))
  }

  /** As `authenticate`; `missing` where the application lets nobody in without a credential. */
  async anonymous(): Promise<Authentication> {
    if (this.#asked.anonymous === undefined) return { failure: 'missing', detail: 'no credential' }
    return this.#check(() => this.#asked.anonymous?.())
  }

  start(): void {
    this.#asked.start?.()
  }

  stop(): void {
    try {
      this.#asked.stop?.()
    } catch {
      // The node ends all the same.
    }
  }

  async #check(ask: () => unknown): Promise<Authentication> {
    const answer = await this.#ask(ask).catch(orUnavailable)
    if (typeof answer !== 'object' || answer === null)
      throw new TypeError('authenticate must answer an identity or a failure')
    if (!('identity' in answer)) return answer as Authentication
    const wrong = findWrong(answer.identity as Partial<Record<keyof Identity, unknown>>)
    if (wrong !== undefined) throw new TypeError(`authenticate must answer an identity: ${wrong}`)
    return { identity: copyOf(answer.identity as Identity) }
  }

  /** What is thrown is an answer, too: a client with an odd credential must not silence the authenticator for everybody. */
  async #ask(ask: () => unknown): Promise<unknown> {
    const outcome = await this.#circuit.run(() => this.#inTime(ask))
    if ('error' in outcome) throw outcome.error
    return outcome.answer
  }

  async #inTime(ask: () => unknown): Promise<Outcome> {
    let cancel: Cancel = () => undefined
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`authenticate gave no answer within ${ANSWER_MS_MAX} ms`)
      cancel = this.#clock.after(ANSWER_MS_MAX, () => reject(error))
    })
    try {
      return await Promise.race([outcomeOf(ask), late])
    } finally {
      cancel()
    }
  }
}

async function outcomeOf(ask: () => unknown): Promise<Outcome> {
  try {
    return { answer: await ask() }
  } catch (error) {
    return { error }
  }
}

function orUnavailable(error: unknown): Authentication {
  if (error instanceof CircuitOpenError) return { failure: 'unavailable', detail: 'the authenticator does not answer' }
  throw error
}

/** What was checked must not change afterwards, and what is known of an identity is kept by the object. */
function copyOf(identity: Identity): Identity {
  const { tenant, user, roles, grants, expiresAt, tokenId, issuedAt, kind, isMadeUp, permissions } = identity
  const verbs = Object.entries(grants).map(([channel, named]) => [channel, [...named]] as const)
  const copied = { tenant, user, roles: [...roles], grants: Object.fromEntries(verbs), expiresAt, tokenId, issuedAt }
  const named = { ...(kind && { kind }), ...(isMadeUp && { isMadeUp }) }
  return { ...copied, ...named, ...(permissions && { permissions: [...permissions] }) }
}

function findWrong(identity: Partial<Record<keyof Identity, unknown>> | undefined): string | undefined {
  if (!isTenantName(identity?.tenant)) return 'tenant must be 1 to 128 printable characters'
  if (!isUserName(identity.user)) return 'user must be 1 to 128 printable characters'
  if (!isTexts(identity.roles)) return 'roles must be a list of texts'
  if (!isGrants(identity.grants)) return 'grants must be lists of verbs by channel'
  if (!isTime(identity.expiresAt)) return 'expiresAt must be milliseconds since 1970, or undefined'
  // What a withdrawal is judged by.
  if (!isTime(identity.issuedAt)) return 'issuedAt must be milliseconds since 1970, or undefined'
  if (identity.tokenId !== undefined && typeof identity.tokenId !== 'string')
    return 'tokenId must be text, or undefined'
  if (identity.permissions !== undefined && !isTexts(identity.permissions))
    return 'permissions must be a list of texts, or undefined'
  if (!(identity.isMadeUp === undefined || typeof identity.isMadeUp === 'boolean'))
    return 'isMadeUp must be true, false or undefined'
  if (!KINDS.includes(identity.kind)) return 'kind must be user, server, anonymous or undefined'
  return undefined
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isGrants(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isTexts)
}

function isTime(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value >= 0 && value <= TIME_MAX)
}
