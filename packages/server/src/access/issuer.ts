import type { Authentication } from './authenticator.js'
import type { KeySet } from './jwks.js'
import { isTokenAlgorithm, type TokenAlgorithm } from './token-algorithm.js'
import { type ClaimRules, fail, judgeClaims } from './token-claims.js'
import type { KeyRing } from './token-key-ring.js'
import type { TokenKey } from './token-key.js'
import type { TokenText } from './token-text.js'

/** What one issuer is believed by. */
export interface IssuerSetup extends ClaimRules {
  /** The keys that the options name. */
  readonly ring: KeyRing
  /** The `typ` that the header must have; undefined: `JWT` or none. */
  readonly type: string | undefined
}

/** What came of a token and published keys: whether one has signed it, and whether there was one that could have. */
interface Judgement {
  readonly isSigned: boolean
  readonly isKnown: boolean
}

/** Somebody whose tokens are believed, by keys of its own and no others. */
export class Issuer {
  readonly setup: IssuerSetup
  readonly #keySet: KeySet | undefined

  /** `keySet`: the keys that it publishes. */
  constructor(setup: IssuerSetup, keySet?: KeySet) {
    this.setup = setup
    this.#keySet = keySet
  }

  start(): void {
    this.#keySet?.start()
  }

  stop(): void {
    this.#keySet?.stop()
  }

  /** Who a token is for, where it is one of this issuer's. */
  async authenticate(token: TokenText, now: () => number): Promise<Authentication> {
    const { algorithm } = token
    if (!this.#isOurType(token.type)) return fail('invalid', 'wrong type')
    if (!isTokenAlgorithm(algorithm)) return fail('invalid', 'wrong algorithm')
    const configured = this.setup.ring.find(algorithm, token.kid)
    if (await isSigned(token, configured)) return judgeClaims(token.claims, this.setup, now())
    if (configured.some((key) => isNamedBy(token, key))) return fail('invalid', 'wrong signature')
    const published = await this.#judgePublished(token, algorithm)
    if (published.isSigned) return judgeClaims(token.claims, this.setup, now())
    if (published.isKnown || (configured.length > 0 && this.#knowsSet(algorithm)))
      return fail('invalid', 'wrong signature')
    return this.#refuseUnknown(algorithm, token)
  }

  /** Media types are compared without regard to case, and `application/` may be left out (RFC 7515 4.1.9). */
  #isOurType(type: string | undefined): boolean {
    const wanted = this.setup.type
    if (type === undefined) return wanted === undefined
    return plainType(type) === plainType(wanted ?? 'JWT')
  }

  /**
   * By the keys that it publishes, beside those of the options. They are asked for again where the token names none of them and none has signed it: the key may be newer than the set.
   */
  async #judgePublished(token: TokenText, algorithm: TokenAlgorithm): Promise<Judgement> {
    const keySet = this.#keySetFor(algorithm)
    if (keySet === undefined) return { isSigned: false, isKnown: false }
    const before = keySet.ring
    const known = before?.find(algorithm, token.kid) ?? []
    if (await isSigned(token, known)) return { isSigned: true, isKnown: true }
    if (known.some((key) => isNamedBy(token, key))) return { isSigned: false, isKnown: true }
    await keySet.refresh()
    const renewed = keySet.ring === before ? [] : (keySet.ring?.find(algorithm, token.kid) ?? [])
    return { isSigned: await isSigned(token, renewed), isKnown: known.length + renewed.length > 0 }
  }

  /** After as long as a wrong signature takes, so that nobody learns by the clock which names of keys are known. */
  async #refuseUnknown(algorithm: TokenAlgorithm, { text }: TokenText): Promise<Authentication> {
    const keySet = this.#keySetFor(algorithm)
    const other = this.setup.ring.anyOf(algorithm) ?? keySet?.ring?.anyOf(algorithm)
    await other?.verifies(text)
    if (keySet !== undefined && keySet.ring === undefined)
      return fail('unavailable', 'the key set of the issuer was never loaded')
    return fail('invalid', 'unknown key')
  }

  /** Whether all keys are known that there may be for an algorithm: a set that was never loaded may hold the one that is meant. */
  #knowsSet(algorithm: TokenAlgorithm): boolean {
    const keySet = this.#keySetFor(algorithm)
    return keySet === undefined || keySet.ring !== undefined
  }

  #keySetFor(algorithm: TokenAlgorithm): KeySet | undefined {
    return this.#keySet?.mayHold(algorithm) === true ? this.#keySet : undefined
  }
}

function isNamedBy({ kid }: TokenText, key: TokenKey): boolean {
  return kid !== undefined && key.kid === kid
}

async function isSigned({ text }: TokenText, keys: readonly TokenKey[]): Promise<boolean> {
  for (const key of keys) if (await key.verifies(text)) return true
  return false
}

function plainType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '')
}
