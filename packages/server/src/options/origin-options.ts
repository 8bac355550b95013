import * as z from 'zod'
import { hostName } from '../access/host-policy.js'
import { type OriginEntry, OriginList, readOriginEntry } from '../access/origin-list.js'
import type { OriginRules } from '../access/origin-policy.js'
import { TrustedProxies } from '../access/trusted-proxies.js'
import { type Environment, strictnessOf } from './environment.js'
import { OptionsError } from './options-error.js'
import type { Tenancy } from './tenant-options.js'

/** Which pages may connect: their origins, or these and whether clients that name none may. */
export type OriginsOption =
  | readonly string[]
  | {
      /** Origins such as `https://app.example.com`; `https://*.example.com` stands for exactly one label; `null` for pages that belong to no site. */
      readonly allow: readonly string[]
      /** Whether clients that send no `Origin` may connect (false): programs, which are no pages and show a credential of their own. */
      readonly allowMissing?: boolean | undefined
    }

/** The options that concern where a request comes from. */
export interface OriginOptions {
  /** The pages that may connect. In development every page may; elsewhere nobody but those named here, or for one tenant in `tenants`. */
  readonly origins?: OriginsOption
  /** The names that the node answers for, without ports (default: any; in development, where it listens on loopback alone, only the names of this machine). */
  readonly hosts?: readonly string[]
  /** Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count: addresses, networks such as `10.0.0.0/8`, `loopback`, `private`, `unix` (default: none). */
  readonly trustedProxies?: readonly string[]
}

/** These options, checked. */
export interface ResolvedOrigins {
  readonly origins: OriginRules
  /** Undefined: nothing was said. */
  readonly hosts: readonly string[] | undefined
  readonly proxies: TrustedProxies
}

const texts = z.array(z.string('text'), 'a list of texts')

/** The schemas of `origins`, `hosts` and `trustedProxies`. */
export const originSchemas: {
  readonly origins: z.ZodType
  readonly hosts: z.ZodType<readonly string[] | undefined>
  readonly trustedProxies: z.ZodType<readonly string[] | undefined>
} = {
  origins: z
    .union(
      [texts, z.strictObject({ allow: texts, allowMissing: z.boolean().optional() })],
      'a list of origins, or { allow: a list of origins, allowMissing: true or false }',
    )
    .optional(),
  hosts: texts.optional(),
  trustedProxies: texts.optional(),
}

/** Checks every entry. @throws OptionsError naming the first that is wrong. */
export function resolveOrigins(
  { origins, hosts, trustedProxies = [] }: OriginOptions,
  environment: Environment,
  { tenants }: Pick<Tenancy, 'tenants'>,
): ResolvedOrigins {
  const level = strictnessOf(environment)
  const own = [...tenants].flatMap(([name, tenant]) =>
    tenant.origins === undefined ? [] : [{ name, ...readList(`tenants.${name}.origins`, tenant.origins, level) }],
  )
  const node = readList('origins', origins ?? [], level)
  return {
    origins: {
      environment,
      isOpen: level === 'development',
      needsHttps: level === 'production',
      node: new OriginList(node.entries, node.allowMissing),
      tenants: new Map(own.map(({ name, entries, allowMissing }) => [name, new OriginList(entries, allowMissing)])),
      someTenant: new OriginList(
        own.flatMap(({ entries }) => entries),
        own.some(({ allowMissing }) => allowMissing),
      ),
    },
    hosts: hosts?.map((host, at) => hostOf(`hosts.${at}`, host)),
    proxies: proxiesOf(trustedProxies),
  }
}

type Level = ReturnType<typeof strictnessOf>

function readList(
  option: string,
  given: OriginsOption,
  level: Level,
): { entries: OriginEntry[]; allowMissing: boolean } {
  const [path, allow] = 'allow' in given ? [`${option}.allow`, given.allow] : [option, given]
  const entries = allow.flatMap((entry, at) => {
    // In development every page may connect anyway.
    if (entry === '*' && level === 'development') return []
    return [entryOf(`${path}.${at}`, entry, level === 'production')]
  })
  return { entries, allowMissing: 'allow' in given && given.allowMissing === true }
}

function entryOf(option: string, entry: string, needsHttps: boolean): OriginEntry {
  return named(option, entry, () => {
    if (entry === '*') throw new RangeError('must name the pages that may connect, outside development')
    return readOriginEntry(entry, needsHttps)
  })
}

function hostOf(option: string, host: string): string {
  return named(option, host, () => {
    const name = hostName(host)
    if (name !== host.toLowerCase() || name.endsWith('.'))
      throw new RangeError('must be a name or address without a port, such as app.example.com or [::1]')
    return name
  })
}

function proxiesOf(entries: readonly string[]): TrustedProxies {
  for (const [at, entry] of entries.entries()) named(`trustedProxies.${at}`, entry, () => new TrustedProxies([entry]))
  return new TrustedProxies(entries)
}

/** Runs a check whose error says what a value must be, and says which value it was. */
function named<T>(option: string, received: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new OptionsError(`${option} ${(error as Error).message}, received ${JSON.stringify(received.slice(0, 64))}`)
  }
}
