import * as z from 'zod'
import { isTenantName } from '../access/identity.js'
import type { Quota, QuotaLimits } from '../core/limits/quota.js'
import type { IssuerOptions } from './issuer-options.js'
import { OptionsError } from './options-error.js'

/** What a tenant may use, over all nodes together. What is not named, or `'unlimited'`, is not bounded. */
export interface QuotaOptions {
  /** Connections at a time, 0 to 100,000,000. Takes the place of `limits.connectionsPerTenantMax`. */
  readonly connections?: number | 'unlimited'
  /** Channels that somebody listens to or that have history, 0 to 1,000,000. */
  readonly channels?: number | 'unlimited'
  /** Messages and signals published in a second, 1 to 100,000,000. */
  readonly messagesPerSecond?: number | 'unlimited'
  /** Characters of data published in a second, 1,024 to 1,000,000,000,000. */
  readonly bytesPerSecond?: number | 'unlimited'
  /** Characters of data that the histories of its channels keep together, 0 to 1,000,000,000,000,000. */
  readonly historyBytes?: number | 'unlimited'
  /** Operations that run at a time, 0 to 100,000,000. */
  readonly operations?: number | 'unlimited'
}

/** What one tenant has of its own. */
export interface TenantOptions {
  /** The name of a plan (default: `defaultPlan`). */
  readonly plan?: string
  /** Single quotas in place of the plan's. */
  readonly quotas?: QuotaOptions
  /** The pages that may connect for this tenant, beside those of the node's `origins`. */
  readonly origins?: readonly string[] | { readonly allow: readonly string[]; readonly allowMissing?: boolean }
  /** Named sets of grants of this tenant, beside the node's `roles`. */
  readonly roles?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** Keys that are believed for this tenant and no other, as members of `auth.issuers`. */
  readonly auth?: IssuerOptions
}

/** The options that concern tenants. */
export interface TenancyOptions {
  /** What tenants have of their own, by their name. A tenant that is not named has the default plan. */
  readonly tenants?: Readonly<Record<string, TenantOptions>>
  /** Sets of quotas by name. */
  readonly plans?: Readonly<Record<string, QuotaOptions>>
  /** The plan of every tenant that names none (default: no quotas). */
  readonly defaultPlan?: string
}

/** Quotas in force; undefined: not bounded. */
export type Quotas = QuotaLimits

/** What one tenant has, with its plan and the defaults filled in. */
export interface ResolvedTenant {
  /** The name of its plan; undefined: it has none. */
  readonly plan: string | undefined
  readonly quotas: Quotas
  readonly origins: TenantOptions['origins']
  readonly roles: NonNullable<TenantOptions['roles']>
  readonly auth: TenantOptions['auth']
}

/** Every tenant as it was set up. */
export interface Tenancy {
  /** Those that the options name. */
  readonly tenants: ReadonlyMap<string, ResolvedTenant>
  /** What every other tenant has. */
  readonly otherTenants: ResolvedTenant
}

/** The least and the most of each quota. */
export const QUOTA_BOUNDS: Readonly<Record<Quota, readonly [min: number, max: number]>> = {
  connections: [0, 100_000_000],
  channels: [0, 1_000_000],
  messagesPerSecond: [1, 100_000_000],
  bytesPerSecond: [1_024, 1_000_000_000_000],
  historyBytes: [0, 1_000_000_000_000_000],
  operations: [0, 100_000_000],
}

/** Quotas that bound nothing, so that nobody looks at each. */
const UNBOUNDED = new WeakSet<Quotas>()

/** The names of all quotas. */
export const QUOTAS: readonly Quota[] = Object.keys(QUOTA_BOUNDS) as Quota[]

function quota(name: Quota): z.ZodOptional<z.ZodType<number | 'unlimited'>> {
  const [min, max] = QUOTA_BOUNDS[name]
  const holds = (value: unknown): boolean =>
    value === 'unlimited' || (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
  return z.custom<number | 'unlimited'>(holds, `an integer from ${min} to ${max}, or unlimited`).optional()
}

const quotasSchema = z.strictObject(
  {
    connections: quota('connections'),
    channels: quota('channels'),
    messagesPerSecond: quota('messagesPerSecond'),
    bytesPerSecond: quota('bytesPerSecond'),
    historyBytes: quota('historyBytes'),
    operations: quota('operations'),
  },
  'a mapping of quotas to numbers',
)

const texts = z.array(z.string('text'), 'a list of texts')

const tenantSchema = z.strictObject(
  {
    plan: z.string('the name of a plan').optional(),
    quotas: quotasSchema.optional(),
    origins: z
      .union(
        [texts, z.strictObject({ allow: texts, allowMissing: z.boolean().optional() })],
        'a list of origins, or { allow, allowMissing }',
      )
      .optional(),
    roles: z
      .record(z.string(), z.record(z.string(), texts, 'a mapping of channel patterns to lists of verbs'), 'a mapping')
      .optional(),
    auth: z.custom<object>((value) => typeof value === 'object' && value !== null, 'an object').optional(),
  },
  'a mapping with plan, quotas, origins, roles or auth',
)

/** The schemas of `tenants`, `plans` and `defaultPlan`. */
export const tenancySchemas: {
  readonly tenants: z.ZodType
  readonly plans: z.ZodType
  readonly defaultPlan: z.ZodType<string | undefined>
} = {
  tenants: z.record(z.string(), tenantSchema, 'a mapping of tenants').optional(),
  plans: z.record(z.string(), quotasSchema, 'a mapping of plans').optional(),
  defaultPlan: z.string('the name of a plan').optional(),
}

/** The quotas of a tenant; undefined: it has none. */
export function quotasOf(tenancy: Tenancy, tenant: string): Quotas | undefined {
  const { quotas } = tenantOf(tenancy, tenant)
  return UNBOUNDED.has(quotas) ? undefined : quotas
}

/** Gives every tenant its plan. @throws OptionsError for a tenant that cannot be one, or a plan that nobody made. */
export function resolveTenancy({ tenants = {}, plans = {}, defaultPlan }: TenancyOptions): Tenancy {
  const planned = (option: string, plan: string | undefined): QuotaOptions => {
    if (plan === undefined) return {}
    const quotas = Object.hasOwn(plans, plan) ? plans[plan] : undefined
    if (quotas === undefined)
      throw new OptionsError(`${option} must be the name of a plan, received ${JSON.stringify(plan.slice(0, 64))}`)
    return quotas
  }
  const resolve = (name: string, { plan = defaultPlan, quotas, ...own }: TenantOptions): ResolvedTenant => ({
    plan,
    quotas: inForce(planned(`tenants.${name}.plan`, plan), quotas),
    origins: own.origins,
    roles: own.roles ?? {},
    auth: own.auth,
  })
  const unnamed = { plan: defaultPlan, origins: undefined, roles: {}, auth: undefined }
  const otherTenants = { ...unnamed, quotas: inForce(planned('defaultPlan', defaultPlan)) }
  const entries = Object.entries(tenants).map(([name, options]) => {
    if (!isTenantName(name)) throw new OptionsError('tenants must be named by 1 to 128 printable characters')
    return [name, resolve(name, options)] as const
  })
  return { tenants: new Map(entries), otherTenants }
}

/** What a tenant has. */
export function tenantOf({ tenants, otherTenants }: Tenancy, tenant: string): ResolvedTenant {
  return tenants.get(tenant) ?? otherTenants
}

function inForce(planned: QuotaOptions, own: QuotaOptions = {}): Quotas {
  const of = (name: Quota): number | undefined => {
    const value = own[name] ?? planned[name]
    return value === 'unlimited' ? undefined : value
  }
  const inForce = Object.fromEntries(QUOTAS.map((name) => [name, of(name)])) as Quotas
  if (QUOTAS.every((name) => inForce[name] === undefined)) UNBOUNDED.add(inForce)
  return inForce
}
