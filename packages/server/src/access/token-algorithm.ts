/** A family of signatures: a shared secret, or a pair of keys of which only the public one is here. */
export type KeyFamily = 'secret' | 'rsa' | 'ec' | 'ed25519'

/** An algorithm whose key is a secret. */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512'

/** An algorithm whose key is a public one. */
export type PublicAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'

/** The name of an algorithm, as `alg` in the header of a token. */
export type TokenAlgorithm = SecretAlgorithm | PublicAlgorithm

/** What is to be known of an algorithm. */
export interface AlgorithmTraits {
  readonly family: KeyFamily
  /** Of a hash with a secret: its name, and the least length of the secret (RFC 7518 3.2: that of the hash). */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  readonly bytesMin?: number
  /** Of an elliptic curve: its name in a JWK and in OpenSSL. */
  readonly curve?: string
  readonly namedCurve?: string
}

/** The algorithms that a token may be signed with (RFC 7518 3.1, RFC 8037 3.1). `none` is not among them. */
export const TOKEN_ALGORITHMS: Readonly<Record<TokenAlgorithm, AlgorithmTraits>> = {
  HS256: { family: 'secret', hash: 'sha256', bytesMin: 32 },
  HS384: { family: 'secret', hash: 'sha384', bytesMin: 48 },
  HS512: { family: 'secret', hash: 'sha512', bytesMin: 64 },
  RS256: { family: 'rsa' },
  RS384: { family: 'rsa' },
  RS512: { family: 'rsa' },
  PS256: { family: 'rsa' },
  PS384: { family: 'rsa' },
  PS512: { family: 'rsa' },
  ES256: { family: 'ec', curve: 'P-256', namedCurve: 'prime256v1' },
  ES384: { family: 'ec', curve: 'P-384', namedCurve: 'secp384r1' },
  ES512: { family: 'ec', curve: 'P-521', namedCurve: 'secp521r1' },
  EdDSA: { family: 'ed25519' },
}

/** Every algorithm whose key is a public one: all that a key set may hold. */
export const PUBLIC_ALGORITHMS: readonly PublicAlgorithm[] = (Object.keys(TOKEN_ALGORITHMS) as TokenAlgorithm[]).filter(
  (algorithm): algorithm is PublicAlgorithm => !isSecretAlgorithm(algorithm),
)

/** Whether a text names an algorithm, in exactly this spelling. */
export function isTokenAlgorithm(name: unknown): name is TokenAlgorithm {
  return typeof name === 'string' && Object.hasOwn(TOKEN_ALGORITHMS, name)
}

/** Whether the key of an algorithm is a secret. */
export function isSecretAlgorithm(algorithm: TokenAlgorithm): algorithm is SecretAlgorithm {
  return TOKEN_ALGORITHMS[algorithm].family === 'secret'
}
