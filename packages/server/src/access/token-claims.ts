import type { Authentication, AuthenticationFailure } from './authenticator.js'
import { isTenantName, isUserName } from './identity.js'
import { type Members, own } from './token-text.js'

/** Names of the claims that hold what an identity is made of. */
export interface ClaimNames {
  /** Default `tenant`, else `org_id`. */
  readonly tenant?: string
  /** Default `sub`, else `user_id`. */
  readonly user?: string
  /** Default `roles`. */
  readonly roles?: string
  /** Default `grants`. */
  readonly grants?: string
  /** Default `permissions`. */
  readonly permissions?: string
}

/** What the claims of a token have to say. */
export interface ClaimRules {
  /** When given, `iss` must be this. */
  readonly issuer?: string | undefined
  /** When given, `aud` must be or contain one of these. */
  readonly audiences?: readonly string[] | undefined
  readonly claims: ClaimNames
  /** The tenants that a token may be for; undefined: any. Where it is one, a token that names none is for it. */
  readonly tenants?: readonly string[] | undefined
  /** How long a token may be good for, from its beginning where it says when that was. */
  readonly lifetimeMsMax: number
  /** By how much clocks may differ. */
  readonly toleranceMs: number
}

/** The end of the year 9999: what lies beyond it was meant as milliseconds. */
const TIME_S_MAX = 253_402_300_799

const ROLES_MAX = 256
const GRANTS_MAX = 256
const PERMISSIONS_MAX = 64

/** Says who a verified token is for, or why it is for nobody. That it has expired is said of a token only where nothing else is wrong with it. */
export function judgeClaims(claims: Members, rules: ClaimRules, now: number): Authentication {
  const problem = problemOfTimes(claims, rules, now) ?? problemOfParties(claims, rules)
  if (problem !== undefined) return fail('invalid', problem)
  const named = tenantClaim(claims, rules.claims)
  const tenant = named === undefined ? onlyTenantOf(rules) : named
  const user = firstOf(claims, rules.claims.user, ['sub', 'user_id'])
  if (!isTenantName(tenant) || !isUserName(user)) return fail('invalid', 'tenant or user missing')
  if (rules.tenants?.includes(tenant) === false) return fail('invalid', 'not a tenant of this issuer')
  const roles = readTexts(own(claims, rules.claims.roles ?? 'roles') ?? [], ROLES_MAX)
  const grants = readGrants(own(claims, rules.claims.grants ?? 'grants') ?? {})
  const permissions = readTexts(own(claims, rules.claims.permissions ?? 'permissions') ?? [], PERMISSIONS_MAX)
  if (roles === undefined || grants === undefined || permissions === undefined)
    return fail('invalid', 'roles, grants or permissions malformed')
  const tokenId = own(claims, 'jti')
  // One that could not be withdrawn by its id.
  if (tokenId !== undefined && typeof tokenId !== 'string') return fail('invalid', 'jti must be text')
  const [expiresAt, issuedAt] = [msOf(claims, 'exp') ?? 0, msOf(claims, 'iat')]
  if (now >= expiresAt + rules.toleranceMs) return fail('expired', 'expired')
  const identity = { tenant, user, roles, grants, expiresAt, tokenId, issuedAt }
  return { identity: permissions.length === 0 ? identity : { ...identity, permissions } }
}

/** The tenant that the claims name, whatever it is; undefined: none. */
export function tenantClaim(claims: Members, names: ClaimNames): unknown {
  return firstOf(claims, names.tenant, ['tenant', 'org_id'])
}

/** A failure as an authentication. The detail is for the log. */
export function fail(failure: AuthenticationFailure, detail: string): Authentication {
  return { failure, detail }
}

function problemOfTimes(claims: Members, { toleranceMs, lifetimeMsMax }: ClaimRules, now: number): string | undefined {
  const [exp, nbf, iat] = [msOf(claims, 'exp'), msOf(claims, 'nbf'), msOf(claims, 'iat')]
  if (exp === undefined || Number.isNaN(exp)) return 'exp must be a whole number of seconds'
  if (Number.isNaN(nbf) || Number.isNaN(iat)) return 'nbf and iat must be whole numbers of seconds'
  if (nbf !== undefined && nbf > now + toleranceMs) return 'not valid yet'
  if (iat !== undefined && iat > now + toleranceMs) return 'issued in the future'
  return exp - (iat ?? now) > lifetimeMsMax ? 'valid for too long' : undefined
}

function problemOfParties(claims: Members, { issuer, audiences }: ClaimRules): string | undefined {
  if (issuer !== undefined && own(claims, 'iss') !== issuer) return 'wrong issuer'
  const audience = own(claims, 'aud')
  const named: readonly unknown[] = Array.isArray(audience) ? audience : [audience]
  return audiences === undefined || audiences.some((wanted) => named.includes(wanted)) ? undefined : 'wrong audience'
}

/** A time in milliseconds; undefined: the claim is not there; NaN: it is no time. */
function msOf(claims: Members, name: string): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined
  const seconds = own(claims, name)
  const holds = Number.isSafeInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= TIME_S_MAX
  return holds ? (seconds as number) * 1_000 : Number.NaN
}

function onlyTenantOf({ tenants }: ClaimRules): string | undefined {
  return tenants?.length === 1 ? tenants[0] : undefined
}

function firstOf(claims: Members, named: string | undefined, defaults: readonly string[]): unknown {
  const names = named === undefined ? defaults : [named]
  return names.map((name) => own(claims, name)).find((value) => value !== undefined)
}

function readTexts(value: unknown, max: number): readonly string[] | undefined {
  return Array.isArray(value) && value.length <= max && value.every((item) => typeof item === 'string')
    ? value
    : undefined
}

function readGrants(value: unknown): Record<string, readonly string[]> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  const valid = entries.length <= GRANTS_MAX && entries.every(([, verbs]) => readTexts(verbs, ROLES_MAX) !== undefined)
  return valid ? (value as Record<string, readonly string[]>) : undefined
}
