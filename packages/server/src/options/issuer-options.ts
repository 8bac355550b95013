import * as z from 'zod'
import type { IssuerSetup } from '../access/issuer.js'
import type { KeySetSetup } from '../access/jwks.js'
import { isTenantName } from '../access/identity.js'
import {
  PUBLIC_ALGORITHMS,
  type PublicAlgorithm,
  type SecretAlgorithm,
  TOKEN_ALGORITHMS,
  type TokenAlgorithm,
  isTokenAlgorithm,
} from '../access/token-algorithm.js'
import type { ClaimNames } from '../access/token-claims.js'
import { type JsonWebKey, type TokenKey, configuredKey, secretKey } from '../access/token-key.js'
import { KeyRing } from '../access/token-key-ring.js'
import { type Environment, strictnessOf } from './environment.js'
import { checkSecret } from './secret.js'
import { duration, requireDuration, whole } from './leaves.js'
import { OptionsError } from './options-error.js'

/** A key that verifies tokens. */
export interface KeyOptions {
  /** The one algorithm that it is for. */
  readonly algorithm: TokenAlgorithm
  /** A public key or certificate in PEM, or a JWK; for HS256, HS384 and HS512 a secret, as text or as a JWK. */
  readonly key: string | JsonWebKey
  /** Its name, by which tokens ask for it (default: that of the JWK, else none). */
  readonly kid?: string
}

/** Where an issuer publishes its keys. */
export interface KeySetOptions {
  /** An https address without credentials; in development also http on this machine. */
  readonly url: string
  /** What its keys may be for (default: every algorithm with a public key). */
  readonly algorithms?: readonly PublicAlgorithm[]
  /** Between refreshes, 30s to 1d (default `10m`). A key that is not known yet is asked for at once, though not more than once in 30 s. */
  readonly refresh?: number | string
  /** Whether the address may lie in a network of your own (default: in development). */
  readonly allowPrivate?: boolean
}

/** Somebody whose tokens are believed: by `secret`, `keys`, `jwks`, or several of them. */
export interface IssuerOptions {
  /** A secret that tokens are signed with, as long as its hash: at least 32, 48 or 64 bytes. */
  readonly secret?: string
  /** What tokens are signed with `secret` by (default `HS256`). */
  readonly algorithm?: SecretAlgorithm
  readonly keys?: readonly KeyOptions[]
  readonly jwks?: KeySetOptions
  /** When given, `iss` must be this. */
  readonly issuer?: string
  /** When given, `aud` must be or contain this, or one of these. */
  readonly audience?: string | readonly string[]
  /** The `typ` that the header must have, such as `at+jwt` (default: `JWT` or none). */
  readonly type?: string
  readonly claims?: ClaimNames
  /** The tenants that its tokens may be for: one (which a token may then leave out), several, or `'*'` for any. */
  readonly tenant?: string | readonly string[]
  /** How long a token may be good for, from `iat`, or from now where it has none: 1s to 366d (default `24h`). */
  readonly maxLifetime?: number | string
  /** By how much clocks may differ, 0 to 60,000 (default 5,000). */
  readonly clockToleranceMs?: number
}

/** An issuer with its defaults filled in and its keys read. */
export interface ResolvedIssuer {
  readonly setup: IssuerSetup
  readonly keySet: KeySetSetup | undefined
  /** Whether it says for which tenants it speaks, be it for any. */
  readonly namesTenant: boolean
}

const KEYS_MAX = 64
const REFRESH_MS: readonly [min: number, max: number] = [30_000, 86_400_000]
const LIFETIME_MS: readonly [min: number, max: number] = [1_000, 366 * 86_400_000]

const text = z.string('text')
const name = z.string('text').min(1, 'text that is not empty')
const algorithm = z.custom<TokenAlgorithm>(isTokenAlgorithm, `one of ${Object.keys(TOKEN_ALGORITHMS).join(', ')}`)
const isPublic = (value: unknown): boolean => PUBLIC_ALGORITHMS.includes(value as PublicAlgorithm)

const keySchema = z.strictObject(
  {
    algorithm,
    key: z.union([text, z.record(z.string(), z.unknown())], 'text in PEM, or a JWK'),
    kid: name.optional(),
  },
  'an object with algorithm and key',
)

const keySetSchema = z.strictObject(
  {
    url: text,
    algorithms: z
      .array(z.custom<PublicAlgorithm>(isPublic, `one of ${PUBLIC_ALGORITHMS.join(', ')}`), 'a list of algorithms')
      .min(1, 'a list of algorithms')
      .optional(),
    refresh: duration.optional(),
    allowPrivate: z.boolean('true or false').optional(),
  },
  'an object with url',
)

const claimsSchema = z.strictObject(
  {
    tenant: name.optional(),
    user: name.optional(),
    roles: name.optional(),
    grants: name.optional(),
    permissions: name.optional(),
  },
  'an object with tenant, user, roles, grants or permissions',
)

/** The schema of the members of an issuer. */
export const issuerShape: z.ZodRawShape = {
  secret: text.optional(),
  algorithm: z.enum(['HS256', 'HS384', 'HS512'], 'HS256, HS384 or HS512').optional(),
  keys: z.array(keySchema, 'a list of keys').max(KEYS_MAX, `a list of at most ${KEYS_MAX} keys`).optional(),
  jwks: keySetSchema.optional(),
  issuer: name.optional(),
  audience: z.union([name, z.array(name).min(1, 'text, or a list of texts')], 'text, or a list of texts').optional(),
  type: name.optional(),
  claims: claimsSchema.optional(),
  tenant: z
    .union(
      [
        z.custom<string>(isTenantName),
        z.array(z.custom<string>(isTenantName, 'a tenant')).min(1, 'a tenant, a list of tenants, or "*"'),
      ],
      'a tenant, a list of tenants, or "*"',
    )
    .optional(),
  maxLifetime: duration.optional(),
  clockToleranceMs: whole(0, 60_000),
}

/** The schema of an issuer. */
export const issuerSchema: z.ZodType = z.strictObject(issuerShape, 'an object with secret (text), keys or jwks')

/** Whether there is anything that a token could be verified with. */
export function hasKeys({ secret, keys = [], jwks }: IssuerOptions): boolean {
  return secret !== undefined || keys.length > 0 || jwks !== undefined
}

/**
 * Reads the keys of an issuer and fills in the defaults.
 *
 * @throws OptionsError naming what is wrong, and never a key.
 */
export function resolveIssuer(option: string, options: IssuerOptions, environment: Environment): ResolvedIssuer {
  if (!hasKeys(options)) throw new OptionsError(`${option} must be an object with secret (text), keys or jwks`)
  const { issuer, audience, type, claims = {}, clockToleranceMs = 5_000, maxLifetime = '24h', jwks } = options
  return {
    setup: {
      issuer,
      type,
      claims,
      audiences: audience === undefined ? undefined : [audience].flat(),
      tenants: tenantsOf(options.tenant),
      lifetimeMsMax: boundedDuration(`${option}.maxLifetime`, maxLifetime, LIFETIME_MS, '1s to 366d'),
      toleranceMs: clockToleranceMs,
      ring: readRing(option, options, environment),
    },
    keySet: jwks && resolveKeySet(`${option}.jwks`, jwks, environment),
    namesTenant: options.tenant !== undefined,
  }
}

function tenantsOf(tenant: IssuerOptions['tenant']): readonly string[] | undefined {
  return tenant === undefined || tenant === '*' ? undefined : [tenant].flat()
}

function readRing(option: string, options: IssuerOptions, environment: Environment): KeyRing {
  const { secret, algorithm: secretAlgorithm = 'HS256', keys = [] } = options
  const read = keys.map((key, at) => readKey(`${option}.keys.${at}`, key, environment))
  if (secret !== undefined) {
    checkSecret(`${option}.secret`, secret, environment, TOKEN_ALGORITHMS[secretAlgorithm].bytesMin)
    read.push(named(`${option}.secret`, () => secretKey(secret, secretAlgorithm)))
  }
  return named(`${option}.keys`, () => new KeyRing(read))
}

function readKey(option: string, { algorithm: wanted, key, kid }: KeyOptions, environment: Environment): TokenKey {
  const { family, bytesMin } = TOKEN_ALGORITHMS[wanted]
  if (family === 'secret' && typeof key === 'string') checkSecret(`${option}.key`, key, environment, bytesMin)
  const read = named(`${option}.key`, () => configuredKey(key, wanted, kid))
  // Its length was looked at; letter by letter it may still be a word.
  if (family === 'secret' && typeof key === 'object')
    checkSecret(`${option}.key`, Buffer.from(String(key['k']), 'base64url').toString('latin1'), environment, 0)
  return read
}

function resolveKeySet(option: string, options: KeySetOptions, environment: Environment): KeySetSetup {
  const { url, algorithms = PUBLIC_ALGORITHMS, refresh = '10m' } = options
  const isDevelopment = strictnessOf(environment) === 'development'
  return {
    url: readKeySetUrl(`${option}.url`, url, isDevelopment),
    algorithms,
    refreshMs: boundedDuration(`${option}.refresh`, refresh, REFRESH_MS, '30s to 1d'),
    allowPrivate: options.allowPrivate ?? isDevelopment,
  }
}

function readKeySetUrl(option: string, text: string, isDevelopment: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isAllowed = url?.protocol === 'https:' || (isDevelopment && url?.protocol === 'http:')
  if (url === undefined || !isAllowed || url.username !== '' || url.password !== '')
    throw new OptionsError(
      `${option} must be an address with https and without credentials, received ${url === undefined ? 'no address' : `one with ${url.protocol.slice(0, 16)}//`}`,
    )
  return url
}

function boundedDuration(
  option: string,
  value: number | string,
  [min, max]: readonly [number, number],
  bounds: string,
): number {
  const ms = requireDuration(value)
  if (ms < min || ms > max)
    throw new OptionsError(`${option} must be from ${bounds}, received ${JSON.stringify(value)}`)
  return ms
}

/** What was wrong with a key, under the name of the option that it came from. */
function named<T>(option: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw new OptionsError(`${option} ${error.message}`)
    throw error
  }
}
