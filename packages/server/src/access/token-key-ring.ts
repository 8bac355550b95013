import type { TokenAlgorithm } from './token-algorithm.js'
import type { TokenKey } from './token-key.js'

/** How many keys one token is tried with: each costs time, and who sends tokens chooses how often. */
const CANDIDATES_MAX = 4

/** The keys of one issuer. A token is verified with the key that it names, or with those few of its algorithm that have no name or need none. */
export class KeyRing {
  readonly #named = new Map<string, TokenKey>()
  readonly #byAlgorithm = new Map<TokenAlgorithm, TokenKey[]>()

  /** @throws RangeError when two keys have one name. */
  constructor(keys: readonly TokenKey[]) {
    for (const key of keys) {
      if (key.kid !== undefined) this.#name(key.kid, key)
      this.#byAlgorithm.set(key.algorithm, [...(this.#byAlgorithm.get(key.algorithm) ?? []), key])
    }
  }

  #name(kid: string, key: TokenKey): void {
    if (this.#named.has(kid)) throw new RangeError('must not have one kid twice')
    this.#named.set(kid, key)
  }

  get size(): number {
    return [...this.#byAlgorithm.values()].reduce((sum, keys) => sum + keys.length, 0)
  }

  /** The keys that a token with this header may be signed with: each is for exactly this algorithm. */
  find(algorithm: TokenAlgorithm, kid: string | undefined): readonly TokenKey[] {
    const fitting = this.#byAlgorithm.get(algorithm) ?? []
    if (kid === undefined) return fitting.slice(0, CANDIDATES_MAX)
    const named = this.#named.get(kid)
    if (named !== undefined) return named.algorithm === algorithm ? [named] : []
    return fitting.filter((key) => key.kid === undefined).slice(0, CANDIDATES_MAX)
  }

  /** Any key for this algorithm: verifying with it takes as long as with the right one. */
  anyOf(algorithm: TokenAlgorithm): TokenKey | undefined {
    return this.#byAlgorithm.get(algorithm)?.[0]
  }
}
