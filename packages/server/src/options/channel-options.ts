import * as z from 'zod'
import { type ChannelRule, type ChannelRuleOptions, resolveChannelRule } from '../access/channel-rules.js'
import { duration, requireDuration, whole } from './leaves.js'
import { OptionsError } from './options-error.js'

/** Operations are a part of the product, not of the application's rules; a rule for them in the options goes first. */
const BUILT_IN_RULES: Readonly<Record<string, ChannelRuleOptions>> = {
  'operation:{id}': { subscribe: 'owner', publish: 'nobody', history: { size: 100, ttl: '24h' }, slow: 'latest' },
  'operations:{user}': { subscribe: 'member', publish: 'nobody', history: { size: 100, ttl: '24h' } },
}

const access = z.custom<unknown>((value) => {
  const one = (item: unknown): boolean =>
    typeof item === 'function' ||
    (typeof item === 'string' && /^(nobody|anyone|member|server|owner|grant|webhook|role:.+)$/.test(item))
  return Array.isArray(value) ? value.every(one) : one(value)
}, 'nobody, anyone, member, server, owner, grant, webhook, role:NAME, a function, or an array of these')

/** The schema of one rule of `channels`. */
export const ruleSchema: z.ZodType = z.strictObject({
  subscribe: access.optional(),
  publish: access.optional(),
  signal: access.optional(),
  presence: z.union([z.boolean(), access], 'true, false or who may').optional(),
  history: z
    .union(
      [z.literal(false), z.strictObject({ size: whole(1, 1_000_000), ttl: duration, read: access.optional() })],
      'false, or { size, ttl } with size from 1 to 1000000',
    )
    .optional(),
  slow: z.enum(['resume', 'drop-oldest', 'latest', 'close'], 'resume, drop-oldest, latest or close').optional(),
  whenDegraded: z.enum(['refuse', 'local'], 'refuse or local').optional(),
  inbox: z.boolean('true or false').optional(),
  identity: z.array(z.string('text'), 'a list of fields such as user or author.id').optional(),
})

/** The rules by pattern, the built-in ones first. @throws OptionsError naming the pattern that is wrong. */
export function resolveRules(channels: Readonly<Record<string, ChannelRuleOptions>> = {}): ChannelRule[] {
  const own = Object.entries(channels).filter(([pattern]) => Object.hasOwn(BUILT_IN_RULES, pattern))
  const rules = { ...channels, ...BUILT_IN_RULES, ...Object.fromEntries(own) }
  try {
    return Object.entries(rules).map(([pattern, rule]) => resolveChannelRule(pattern, rule, requireDuration))
  } catch (error) {
    throw new OptionsError((error as Error).message)
  }
}
