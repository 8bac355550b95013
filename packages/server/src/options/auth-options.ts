import * as z from 'zod'
import type { Authenticator } from '../access/authenticator.js'
import { Issuer } from '../access/issuer.js'
import { Issuers } from '../access/issuers.js'
import { isTenantName } from '../access/identity.js'
import type { AnonymousSetup } from '../access/token-authenticator.js'
import { areVerbs } from '../access/verbs.js'
import { type Environment, strictnessOf } from './environment.js'
import {
  type IssuerOptions,
  type ResolvedIssuer,
  hasKeys,
  issuerSchema,
  issuerShape,
  resolveIssuer,
} from './issuer-options.js'
import { isFunction } from './leaves.js'
import { OptionsError, describeFirst } from './options-error.js'

/** What those may do who bring no credential. */
export interface AnonymousOptions {
  /** The tenant that they are in. */
  readonly tenant: string
  /** Verbs by channel, as in a token: `{'news:*': ['subscribe']}`. Rules that admit any member of the tenant do not admit them. */
  readonly grants: Readonly<Record<string, readonly string[]>>
}

/** Which tokens are accepted. The members of an issuer stand for the first one. */
export interface TokenOptions extends IssuerOptions {
  /** Others whose tokens are believed, each by keys of its own. */
  readonly issuers?: readonly IssuerOptions[]
  /** Lets clients in that bring no credential (default: nobody). */
  readonly anonymous?: AnonymousOptions
}

/** Everything whose credentials a node believes. */
export interface ResolvedAuth {
  /** A function of the application, in place of tokens. */
  readonly authenticator: Authenticator | undefined
  readonly issuers: readonly ResolvedIssuer[]
  readonly anonymous: AnonymousSetup | undefined
}

/** The options that say whom to believe. */
export interface AuthGroup {
  readonly auth: TokenOptions | Authenticator
  readonly tenants?: Readonly<Record<string, { readonly auth?: object }>>
}

const EXPECTED =
  'an object with secret (text), keys, jwks, issuers, apiKeys or anonymous; or an object with a function authenticate'

const ISSUERS_MAX = 10_000

const anonymousSchema = z.strictObject(
  {
    tenant: z.custom<string>(isTenantName, '1 to 128 printable characters'),
    grants: z.record(
      z.string(),
      z.custom(areVerbs, 'a list of verbs such as subscribe'),
      'a mapping of channels to verbs',
    ),
  },
  'an object with tenant and grants',
)

const tokenSchema = z.strictObject(
  {
    ...issuerShape,
    issuers: z.array(issuerSchema, 'a list of issuers').max(ISSUERS_MAX, `a list of at most ${ISSUERS_MAX}`).optional(),
    anonymous: anonymousSchema.optional(),
    // Read elsewhere.
    apiKeys: z.unknown().optional(),
    queryToken: z.boolean('true or false').optional(),
  },
  EXPECTED,
)

/** The schema of `auth`, as far as it is an object; `resolveAuth` looks into it. */
export const authSchema: z.ZodType = z.custom((value) => typeof value === 'object' && value !== null, EXPECTED)

/**
 * Reads every key, and makes sure that each token can be only one issuer's.
 *
 * @throws OptionsError naming what is wrong, and never a key.
 */
export function resolveAuth({ auth, tenants = {} }: AuthGroup, environment: Environment): ResolvedAuth {
  const ofTenants = Object.entries(tenants).flatMap(([tenant, own]) =>
    own.auth === undefined ? [] : [resolveTenantIssuer(tenant, own.auth, environment)],
  )
  if (isAuthenticator(auth)) {
    if (ofTenants.length > 0)
      throw new OptionsError('tenants must have no auth where auth is a function authenticate, which decides alone')
    return { authenticator: auth, issuers: [], anonymous: undefined }
  }
  if (Object.hasOwn(auth, 'authenticate'))
    throw new OptionsError(
      `auth.authenticate must be a function, received ${typeof (auth as { authenticate?: unknown }).authenticate}`,
    )
  check(tokenSchema, 'auth', auth)
  const issuers = [...ownIssuers(auth, environment), ...ofTenants]
  const hasOther = auth.anonymous !== undefined || hasApiKeys(auth)
  if (issuers.length === 0 && !hasOther) throw new OptionsError(`auth must be ${EXPECTED}, received none of them`)
  checkTogether(issuers, environment)
  return { authenticator: undefined, issuers, anonymous: auth.anonymous }
}

function isAuthenticator(auth: AuthGroup['auth']): auth is Authenticator {
  return isFunction((auth as Partial<Authenticator>).authenticate)
}

function hasApiKeys(auth: object): boolean {
  const { apiKeys = [] } = auth as { readonly apiKeys?: readonly unknown[] }
  return apiKeys.length > 0
}

/** Where `auth` has no keys, its other members would be without effect. */
function ownIssuers(auth: TokenOptions, environment: Environment): ResolvedIssuer[] {
  const { issuers = [], anonymous: _, ...own } = auth
  const others = issuers.map((issuer, at) => resolveIssuer(`auth.issuers.${at}`, issuer, environment))
  if (hasKeys(own)) return [resolveIssuer('auth', own, environment), ...others]
  const idle = Object.keys(own).find((member) => !['apiKeys', 'queryToken', 'keys'].includes(member))
  if (idle !== undefined) throw new OptionsError(`auth.${idle} must stand beside secret, keys or jwks`)
  return others
}

/** The keys of a tenant speak for it and for no other. */
function resolveTenantIssuer(tenant: string, auth: object, environment: Environment): ResolvedIssuer {
  const option = `tenants.${tenant}.auth`
  check(issuerSchema, option, auth)
  const options = auth as IssuerOptions
  if (options.tenant !== undefined && options.tenant !== tenant)
    throw new OptionsError(`${option}.tenant must be the tenant itself, or left out`)
  // In a list `*` is a tenant like any other.
  return resolveIssuer(option, { ...options, tenant: [tenant] }, environment)
}

function checkTogether(issuers: readonly ResolvedIssuer[], environment: Environment): void {
  try {
    // Thrown away: it is made of what the node has, later.
    new Issuers(issuers.map(({ setup }) => new Issuer(setup)))
  } catch (error) {
    throw new OptionsError(`auth.issuers ${(error as Error).message}`)
  }
  const isLoose = issuers.length > 1 && issuers.some(({ namesTenant }) => !namesTenant)
  if (isLoose && strictnessOf(environment) === 'production')
    throw new OptionsError(
      `auth.tenant must say in ${environment} which tenants each of several issuers speaks for; "*" stands for any`,
    )
}

function check(schema: z.ZodType, option: string, value: unknown): void {
  const path = option.split('.')
  const nest = (inner: unknown): unknown => path.reduceRight<unknown>((held, part) => ({ [part]: held }), inner)
  const shape = path.reduceRight<z.ZodType>((held, part) => z.object({ [part]: held }), schema)
  const parsed = shape.safeParse(nest(value))
  if (!parsed.success) throw new OptionsError(describeFirst(parsed.error, nest(value)))
}
