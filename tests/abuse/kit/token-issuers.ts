import type { HoldfastOptions } from '@holdfast/server'
import { SECRET } from './attacked-node.js'
import {
  type KeyPair,
  type Signer,
  encodePart,
  forge,
  goodClaims,
  jwkOf,
  keyPair,
  keySigner,
  pemOf,
  secretSigner,
} from './forge.js'

/** Names of the issuers that have one. */
export const ISSUERS = {
  rsa: 'https://rsa.test',
  curves: 'https://curves.test',
  secrets: 'https://secrets.test',
  strict: 'https://strict.test',
  published: 'https://published.test',
} as const

const secretOf = (letter: string, bytes: number): string => `${letter}9vR2x${'kQ7mZ4wT1bN8'.repeat(8)}`.slice(0, bytes)

/** Secrets of issuers. */
export const SECRETS = {
  hs384: secretOf('a', 48),
  hs512: secretOf('b', 64),
  old: secretOf('c', 40),
  strict: secretOf('d', 32),
  red: secretOf('e', 32),
  blue: secretOf('f', 32),
} as const

/** Every issuer of a node that believes many: what it signs with, and the options that make it believed. */
export class TokenIssuers {
  readonly rs256: KeyPair = keyPair('RS256')
  readonly ps256: KeyPair = keyPair('PS256')
  readonly es256: KeyPair = keyPair('ES256')
  readonly es384: KeyPair = keyPair('ES384')
  readonly es512: KeyPair = keyPair('ES512')
  readonly eddsa: KeyPair = keyPair('EdDSA')
  readonly published: KeyPair = keyPair('RS256')
  /** Of an attacker. */
  readonly foreign: KeyPair = keyPair('RS256')
  readonly foreignCurve: KeyPair = keyPair('ES256')

  /** The options of a node that believes them all; `keySetUrl` is where the last of them publishes its keys. */
  options(keySetUrl: string): Partial<HoldfastOptions> {
    return {
      auth: { secret: SECRET, tenant: '*', issuers: this.#issuers(keySetUrl) },
      tenants: { red: { auth: { secret: SECRETS.red } }, blue: { auth: { secret: SECRETS.blue } } },
      limits: { failedAuthenticationsPerMinuteMax: 1_000_000, connectionsPerUserMax: 1_000 },
    }
  }

  #issuers(keySetUrl: string): NonNullable<Extract<HoldfastOptions['auth'], { issuers?: unknown }>['issuers']> {
    return [
      {
        issuer: ISSUERS.rsa,
        audience: 'holdfast',
        tenant: 'acme',
        keys: [
          { algorithm: 'RS256', key: pemOf(this.rs256), kid: 'r1' },
          { algorithm: 'PS256', key: pemOf(this.ps256), kid: 'p1' },
        ],
      },
      {
        issuer: ISSUERS.curves,
        tenant: ['acme', 'green'],
        keys: [
          { algorithm: 'ES256', key: jwkOf(this.es256, { kid: 'e256' }) },
          { algorithm: 'ES384', key: jwkOf(this.es384, { kid: 'e384' }) },
          { algorithm: 'ES512', key: jwkOf(this.es512), kid: 'e512' },
          { algorithm: 'EdDSA', key: pemOf(this.eddsa) },
        ],
      },
      {
        issuer: ISSUERS.secrets,
        tenant: '*',
        keys: [
          { algorithm: 'HS384', key: SECRETS.hs384, kid: 'h384' },
          { algorithm: 'HS512', key: { kty: 'oct', k: encodePart(SECRETS.hs512) }, kid: 'h512' },
          { algorithm: 'HS256', key: SECRETS.old, kid: 'old' },
          { algorithm: 'HS256', key: `${SECRETS.old}2`, kid: 'new' },
        ],
      },
      {
        issuer: ISSUERS.strict,
        audience: ['holdfast', 'holdfast-eu'],
        tenant: 'acme',
        secret: SECRETS.strict,
        type: 'at+jwt',
        claims: { tenant: 'https://strict.test/org', user: 'uid', roles: 'groups', grants: 'access' },
        maxLifetime: '10m',
        clockToleranceMs: 0,
      },
      { issuer: ISSUERS.published, tenant: 'acme', jwks: { url: keySetUrl } },
    ]
  }

  /** The set that the last issuer publishes. */
  keySet(): { keys: object[] } {
    return { keys: [jwkOf(this.published, { kid: 'k1', alg: 'RS256', use: 'sig' })] }
  }

  /** A token of the node's own secret. */
  plain(claims: object = {}, header: object = {}): string {
    return forge({ alg: 'HS256', typ: 'JWT', ...header }, goodClaims(claims), secretSigner(SECRET))
  }

  /** A token of the issuer with RSA keys. */
  rsa(claims: object = {}, header: object = {}, signer: Signer = keySigner('RS256', this.rs256.privateKey)): string {
    const all = goodClaims({ iss: ISSUERS.rsa, aud: 'holdfast', ...claims })
    return forge({ alg: 'RS256', kid: 'r1', ...header }, all, signer)
  }

  /** A token of the issuer with keys on curves. */
  curve(algorithm: string, key: KeyPair, header: object = {}, claims: object = {}): string {
    const all = goodClaims({ iss: ISSUERS.curves, ...claims })
    return forge({ alg: algorithm, ...header }, all, keySigner(algorithm, key.privateKey))
  }

  /** A token of the issuer with several secrets. */
  secret(header: object, signer: Signer, claims: object = {}): string {
    return forge({ alg: 'HS256', ...header }, goodClaims({ iss: ISSUERS.secrets, ...claims }), signer)
  }

  /** A token of the issuer that asks for the most. */
  strict(claims: object = {}, header: object = {}): string {
    const names = { uid: 'mallory', 'https://strict.test/org': 'acme', groups: ['staff'], access: {} }
    const all = { iss: ISSUERS.strict, aud: 'holdfast', exp: Math.floor(Date.now() / 1_000) + 60, ...names, ...claims }
    return forge({ alg: 'HS256', typ: 'at+jwt', ...header }, all, secretSigner(SECRETS.strict))
  }

  /** A token of the issuer that publishes its keys. */
  fromKeySet(header: object = {}, claims: object = {}, key: KeyPair = this.published): string {
    const all = goodClaims({ iss: ISSUERS.published, ...claims })
    return forge({ alg: 'RS256', kid: 'k1', ...header }, all, keySigner('RS256', key.privateKey))
  }
}
