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
    const isNamed = configured.some(({ kid }) => kid !== undefined && kid === token.kid)
    const published = isNamed ? [] : await this.#publishedFor(algorithm, token.kid)
    if (await isSigned(token, published)) return judgeClaims(token.claims, this.setup, now())
    if (configured.length + published.length === 0) return this.#refuseUnknown(algorithm, token)
    return fail('invalid', 'wrong signature')
  }

  /** Media types are compared without regard to case, and `application/` may be left out (RFC 7515 4.1.9). */
  #isOurType(type: string | undefined): boolean {
    const wanted = this.setup.type
    if (type === undefined) return wanted === undefined
    return plainType(type) === plainType(wanted ?? 'JWT')
  }

  /** Those that it publishes, beside those of the options: asked for again where a token names one that is not known yet. */
  async #publishedFor(algorithm: TokenAlgorithm, kid: string | undefined): Promise<readonly TokenKey[]> {
    const keySet = this.#keySetFor(algorithm)
    if (keySet === undefined) return []
    const known = keySet.ring?.find(algorithm, kid) ?? []
    if (known.length > 0 || (keySet.ring !== undefined && kid === undefined)) return known
    await keySet.refresh()
    return keySet.ring?.find(algorithm, kid) ?? []
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

  #keySetFor(algorithm: TokenAlgorithm): KeySet | undefined {
    return this.#keySet?.mayHold(algorithm) === true ? this.#keySet : undefined
  }
}

async function isSigned({ text }: TokenText, keys: readonly TokenKey[]): Promise<boolean> {
  for (const key of keys) if (await key.verifies(text)) return true
  return false
}

function plainType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '')
}
