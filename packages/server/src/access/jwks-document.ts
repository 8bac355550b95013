import { type PublicAlgorithm, TOKEN_ALGORITHMS } from './token-algorithm.js'
import { KeyRing } from './token-key-ring.js'
import { type JsonWebKey, type TokenKey, publicKey, readKid } from './token-key.js'
import { type Members, own } from './token-text.js'

/** Sets with more keys are refused. */
const KEYS_MAX = 64

/** Members that make a key a private one (RFC 7518 6.2.2, 6.3.2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/**
 * The keys of a key set (RFC 7517 5) that verify tokens. Those for other purposes, of other algorithms or too weak are left out.
 *
 * @throws RangeError saying why the whole set is refused: it is none, it is too large, it holds a secret, one name stands twice, or no key is left.
 */
export function readKeySet(text: string, algorithms: readonly PublicAlgorithm[]): KeyRing {
  const keys = own(parse(text), 'keys')
  if (!Array.isArray(keys)) throw new RangeError('no key set: keys is no list')
  if (keys.length > KEYS_MAX) throw new RangeError(`more than ${KEYS_MAX} keys`)
  const read = keys.map((key: unknown) => readKey(key, algorithms))
  const usable = read.filter((key) => key !== undefined)
  if (usable.length === 0) throw new RangeError('no key that verifies tokens')
  return new KeyRing(usable)
}

function parse(text: string): Members {
  try {
    return requireObject(JSON.parse(text))
  } catch {
    throw new RangeError('no key set: no JSON object')
  }
}

function readKey(value: unknown, algorithms: readonly PublicAlgorithm[]): TokenKey | undefined {
  const key = requireObject(value)
  // Whoever publishes a secret has given it to everybody.
  if (own(key, 'kty') === 'oct' || PRIVATE_MEMBERS.some((name) => Object.hasOwn(key, name)))
    throw new RangeError('a key that is not public')
  const algorithm = isForTokens(key) ? algorithmOf(key, algorithms) : undefined
  if (algorithm === undefined) return undefined
  const kid = readKid(key)
  try {
    return publicKey(key, algorithm, kid)
  } catch {
    return undefined
  }
}

function isForTokens(key: Members): boolean {
  const [use, operations] = [own(key, 'use'), own(key, 'key_ops')]
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

/** The one algorithm that a key is for: the one it names, else the first that fits its type. A token never chooses. */
function algorithmOf(key: JsonWebKey, algorithms: readonly PublicAlgorithm[]): PublicAlgorithm | undefined {
  const named = own(key, 'alg')
  return algorithms.find((algorithm) => (named === undefined ? fitsType(key, algorithm) : named === algorithm))
}

function fitsType(key: JsonWebKey, algorithm: PublicAlgorithm): boolean {
  const [type, curve] = [own(key, 'kty'), own(key, 'crv')]
  const traits = TOKEN_ALGORITHMS[algorithm]
  if (traits.family === 'rsa') return type === 'RSA'
  if (traits.family === 'ec') return type === 'EC' && curve === traits.curve
  return type === 'OKP' && curve === 'Ed25519'
}

function requireObject(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RangeError('a key that is no object')
  return value as Members
}
