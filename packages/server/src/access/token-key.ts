import { type KeyObject, createPublicKey, createSecretKey, webcrypto } from 'node:crypto'
import { type CryptoKey, compactVerify } from 'jose'
import { type TokenAlgorithm, TOKEN_ALGORITHMS, isSecretAlgorithm } from './token-algorithm.js'

/** A key as a JSON Web Key (RFC 7517). */
export type JsonWebKey = Readonly<Record<string, unknown>>

/** RSA keys below are refused (RFC 7518 3.3). */
const RSA_BITS_MIN = 2048

/** Verifying with keys above would take milliseconds. */
const RSA_BITS_MAX = 8192

/** The members of a public key by its type. Others, private ones included, are not read. */
const PUBLIC_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
}

/** A key that verifies tokens, with the one algorithm that it was given for. */
export class TokenKey {
  readonly algorithm: TokenAlgorithm
  /** Its name; undefined: it has none, and fits tokens with any. */
  readonly kid: string | undefined
  readonly #key: KeyObject
  /** Imported at first use, once: that takes longer than verifying does. */
  #imported: CryptoKey | KeyObject | undefined

  /** Use `secretKey` or `publicKey`, which check the key. */
  constructor(key: KeyObject, algorithm: TokenAlgorithm, kid?: string) {
    this.#key = key
    this.algorithm = algorithm
    this.kid = kid
  }

  /** Whether a compact token is signed with this key and its algorithm; never rejects. The comparison of a hash with a secret takes the same time for every wrong one. */
  async verifies(token: string): Promise<boolean> {
    try {
      await compactVerify(token, this.#imported ?? (await this.#import()), { algorithms: [this.algorithm] })
      return true
    } catch {
      return false
    }
  }

  async #import(): Promise<CryptoKey | KeyObject> {
    const { hash } = TOKEN_ALGORITHMS[this.algorithm]
    // Public keys are imported, and remembered, by the library itself.
    this.#imported =
      hash === undefined
        ? this.#key
        : await webcrypto.subtle.importKey(
            'raw',
            this.#key.export(),
            { name: 'HMAC', hash: hash.replace('sha', 'SHA-') },
            false,
            ['verify'],
          )
    return this.#imported
  }
}

/** A key of a secret. @throws RangeError when it is too short, or the text of a public key. */
export function secretKey(secret: string | Buffer, algorithm: TokenAlgorithm, kid?: string): TokenKey {
  const bytes = Buffer.from(secret as string)
  const { bytesMin = 0 } = TOKEN_ALGORITHMS[algorithm]
  if (bytes.length < bytesMin)
    throw new RangeError(`must be at least ${bytesMin} bytes for ${algorithm}, received ${bytes.length}`)
  // Everybody knows a public key, so that everybody could sign with it.
  if (bytes.includes('-----BEGIN')) throw new RangeError(`must be a secret for ${algorithm}, received a key in PEM`)
  return new TokenKey(createSecretKey(bytes), algorithm, kid)
}

/**
 * A key of a text in PEM (a public key or a certificate) or of a JWK.
 *
 * @throws RangeError when it is none, a private one, weak, or does not fit the algorithm. The message completes "key" and never shows it.
 */
export function publicKey(source: string | JsonWebKey, algorithm: TokenAlgorithm, kid?: string): TokenKey {
  const key = readPublicKey(source)
  const problem = problemOf(key, algorithm)
  if (problem !== undefined) throw new RangeError(problem)
  return new TokenKey(key, algorithm, kid)
}

/** A key as the options give it: whichever kind the algorithm asks for. @throws RangeError as `secretKey` and `publicKey`. */
export function configuredKey(source: string | JsonWebKey, algorithm: TokenAlgorithm, kid?: string): TokenKey {
  const name = kid ?? (typeof source === 'string' ? undefined : readKid(source))
  if (!isSecretAlgorithm(algorithm)) return publicKey(source, algorithm, name)
  if (typeof source === 'string') return secretKey(source, algorithm, name)
  if (own(source, 'kty') !== 'oct') throw new RangeError(`must be a secret (kty oct) for ${algorithm}`)
  const secret = own(source, 'k')
  if (typeof secret !== 'string') throw new RangeError('must have its secret in k')
  return secretKey(Buffer.from(secret, 'base64url'), algorithm, name)
}

/** The name that a JWK has. @throws RangeError when it is no text. */
export function readKid(key: JsonWebKey): string | undefined {
  const kid = own(key, 'kid')
  if (kid === undefined || (typeof kid === 'string' && kid.length > 0 && kid.length <= 256)) return kid
  throw new RangeError('must have a kid of 1 to 256 characters, or none')
}

function readPublicKey(source: string | JsonWebKey): KeyObject {
  if (typeof source === 'string') {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(source))
      throw new RangeError('must be a public key, received a private one')
    return attempt(() => createPublicKey(source), 'must be a public key in PEM, or a JWK')
  }
  const kty = own(source, 'kty')
  const members = typeof kty === 'string' && Object.hasOwn(PUBLIC_MEMBERS, kty) ? PUBLIC_MEMBERS[kty] : undefined
  if (members === undefined) throw new RangeError('must have a kty of RSA, EC or OKP')
  if (['d', 'p', 'q', 'priv'].some((name) => Object.hasOwn(source, name)))
    throw new RangeError('must be a public key, received a private one')
  const key = Object.fromEntries(members.map((name) => [name, own(source, name)]))
  return attempt(() => createPublicKey({ key, format: 'jwk' }), `must be a valid ${String(kty)} key`)
}

function problemOf(key: KeyObject, algorithm: TokenAlgorithm): string | undefined {
  const { family, curve, namedCurve } = TOKEN_ALGORITHMS[algorithm]
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type !== family) return `must be a key for ${algorithm}, received one of type ${type}`
  if (family === 'rsa') return problemOfRsa(details.modulusLength ?? 0, details.publicExponent ?? 0n)
  if (details.namedCurve !== namedCurve) return `must be on the curve ${curve} for ${algorithm}`
  return undefined
}

function problemOfRsa(bits: number, exponent: bigint): string | undefined {
  if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
    return `must have ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits, received ${bits}`
  // With 1 every number is its own signature.
  if (exponent < 3n || exponent % 2n === 0n) return 'must have an odd exponent of at least 3'
  return undefined
}

function attempt<T>(work: () => T, expected: string): T {
  try {
    return work()
  } catch {
    throw new RangeError(expected)
  }
}

function own(key: JsonWebKey, name: string): unknown {
  return Object.hasOwn(key, name) ? key[name] : undefined
}
