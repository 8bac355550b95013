import * as z from 'zod'
import { parseChannelPattern } from '../access/channel-pattern.js'
import {
  GRANT_PATTERNS_MAX,
  type GrantSet,
  type Grants,
  type RoleBook,
  type Roles,
  compileGrants,
} from '../access/grants.js'
import { VERBS, areVerbs } from '../access/verbs.js'
import { OptionsError } from './options-error.js'
import type { Tenancy } from './tenant-options.js'

/** The options that concern roles. */
export interface RoleOptions {
  /**
   * Named sets of grants, by channel name or pattern: `{ moderator: { 'room:*': ['publish', 'presence'] } }`. A role of an identity brings them, wherever a rule says
   * `grant`.
   */
  readonly roles?: Readonly<Record<string, Grants>>
}

/** The schema of `roles`. */
export const rolesSchema: z.ZodType = z.record(
  z.string(),
  z.record(
    z.string(),
    z.custom<unknown>(areVerbs, `one or more of ${VERBS.join(', ')}`),
    'a mapping of channel patterns to verbs',
  ),
  'a mapping of roles to what they grant',
)

/** What roles bring, on the node and in place of that for single tenants. @throws OptionsError naming the role and the pattern that is wrong. */
export function resolveRoles({ roles = {} }: RoleOptions, { tenants }: Pick<Tenancy, 'tenants'>): RoleBook {
  const named = Array.from(
    tenants,
    ([tenant, own]) => [tenant, compileRoles(`tenants.${tenant}.roles`, own.roles)] as const,
  )
  return { roles: compileRoles('roles', roles), tenants: new Map(named.filter(([, own]) => own.size > 0)) }
}

function compileRoles(option: string, roles: Readonly<Record<string, Grants>>): Roles {
  return new Map(Object.entries(roles).map(([role, grants]) => [role, compileRole(`${option}.${role}`, grants)]))
}

function compileRole(option: string, grants: Grants): GrantSet {
  const patterns = Object.entries(grants)
  if (patterns.length > GRANT_PATTERNS_MAX)
    throw new OptionsError(`${option} must have at most ${GRANT_PATTERNS_MAX} patterns, received ${patterns.length}`)
  for (const [pattern, verbs] of patterns) {
    if (parseChannelPattern(pattern) === undefined)
      throw new OptionsError(`${option}["${pattern}"] must be a pattern such as room:*, user:{user} or doc:*:comments`)
    if (!areVerbs(verbs)) throw new OptionsError(`${option}["${pattern}"] must be one or more of ${VERBS.join(', ')}`)
  }
  return compileGrants(grants)
}
