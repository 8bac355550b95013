import type { Authentication, Authenticator } from './authenticator.js'
import { type Identity, isTenantName, isUserName } from './identity.js'

/** The last moment that can be written as a date (ECMA-262 21.4.1.1). */
const TIME_MAX = 8_640_000_000_000_000

/** An authenticator of the application's own, its answers checked: what is no identity must not become one. */
export class CheckedAuthenticator implements Authenticator {
  readonly #asked: Authenticator

  constructor(asked: Authenticator) {
    this.#asked = asked
  }

  /** @throws TypeError naming what is wrong with the answer. */
  async authenticate(credential: string): Promise<Authentication> {
    const answer: unknown = await this.#asked.authenticate(credential)
    if (typeof answer !== 'object' || answer === null)
      throw new TypeError('authenticate must answer an identity or a failure')
    if (!('identity' in answer)) return answer as Authentication
    const wrong = findWrong(answer.identity as Partial<Record<keyof Identity, unknown>>)
    if (wrong !== undefined) throw new TypeError(`authenticate must answer an identity: ${wrong}`)
    return answer as Authentication
  }
}

function findWrong(identity: Partial<Record<keyof Identity, unknown>> | undefined): string | undefined {
  if (!isTenantName(identity?.tenant)) return 'tenant must be 1 to 128 printable characters'
  if (!isUserName(identity.user)) return 'user must be 1 to 128 printable characters'
  if (!isTexts(identity.roles)) return 'roles must be a list of texts'
  if (!isGrants(identity.grants)) return 'grants must be lists of verbs by channel'
  if (!isTime(identity.expiresAt)) return 'expiresAt must be milliseconds since 1970, or undefined'
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
