import { type KeyObject, constants, createHmac, generateKeyPairSync, sign } from 'node:crypto'

/** Signs the first two parts of a token. */
export type Signer = (content: string) => Buffer

/** A pair of keys of which the public one is known. */
export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** The claims of a token that is good for a minute. */
export function goodClaims(changes: object = {}): Record<string, unknown> {
  return { sub: 'mallory', tenant: 'acme', exp: seconds(60), ...changes }
}

/** So many seconds from now, as a token writes it. */
export function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1_000) + fromNow
}

/** A part of a token: text is taken as it is, anything else as JSON. */
export function encodePart(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** A token of this header and these claims, signed. */
export function forge(header: unknown, claims: unknown, signer: Signer): string {
  const content = `${encodePart(header)}.${encodePart(claims)}`
  return `${content}.${signer(content).toString('base64url')}`
}

/** The same token with another signature. */
export function resign(token: string, signer: Signer): string {
  const content = token.slice(0, token.lastIndexOf('.'))
  return `${content}.${signer(content).toString('base64url')}`
}

/** Signs with a secret: HS256, HS384 and HS512. */
export function secretSigner(secret: string | Buffer, bits: 256 | 384 | 512 = 256): Signer {
  return (content) => createHmac(`sha${bits}`, secret).update(content).digest()
}

/** Signs with a private key as an algorithm says. */
export function keySigner(algorithm: string, key: KeyObject): Signer {
  const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`
  const padding = algorithm.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  return (content) => sign(hash, Buffer.from(content), { key, dsaEncoding: 'ieee-p1363', ...padding })
}

/** A pair for an algorithm with public keys. */
export function keyPair(algorithm: string, modulusLength: number = 2_048): KeyPair {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (!algorithm.startsWith('ES')) return generateKeyPairSync('rsa', { modulusLength })
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm] ?? algorithm
  return generateKeyPairSync('ec', { namedCurve })
}

/** The public half in PEM. */
export function pemOf({ publicKey }: KeyPair): string {
  return publicKey.export({ type: 'spki', format: 'pem' }) as string
}

/** The public half as a JWK with these members besides. */
export function jwkOf({ publicKey }: KeyPair, members: object = {}): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), ...members }
}

/** The same bytes, spelled with other unused bits in the last character. */
export function respell(part: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return part.slice(0, -1) + letters[letters.indexOf(part.at(-1) ?? '') ^ 1]
}
