import * as z from 'zod'
import type { Access, ChannelRule, Verb } from '../access/channel-rules.js'
import { type DecisionUrls, WEBHOOK_OF } from '../access/decision-webhooks.js'
import { isTenantName } from '../access/identity.js'
import { LIFECYCLE_TYPES, type LifecycleType } from '../lifecycle/event.js'
import { type EventWebhookOptions, eventWebhookId } from '../webhooks/event-webhook.js'
import type { Environment } from './environment.js'
import { OptionsError } from './options-error.js'
import { checkSecret } from './secret.js'

/** A webhook that decides. */
export interface DecisionWebhookOptions {
  /** An https address without credentials. */
  readonly url: string
}

/** A webhook that gets lifecycle events. */
export interface EventWebhookOption {
  /** An https address without credentials. */
  readonly url: string
  /** What its requests are signed with, at least 32 bytes (default: `webhooks.secret`). */
  readonly secret?: string
  /** The events that it gets. */
  readonly events: readonly LifecycleType[]
  /** The tenant whose events it gets (default: all tenants). */
  readonly tenant?: string
}

/** What the application is asked and told over HTTP. */
export interface WebhookOptions {
  /** What requests are signed with, at least 32 bytes. Receivers verify them with `verifyWebhook`. */
  readonly secret: string
  /** Asked for every credential that is good, at connect and at refresh: may refuse, give other roles and grants, and shorten the life of the connection. */
  readonly connect?: DecisionWebhookOptions
  /** Asked for `subscribe`, `presence` and `history` on channels whose rule says `webhook`. */
  readonly subscribe?: DecisionWebhookOptions
  /** Asked for `publish` and `signal` on channels whose rule says `webhook`. */
  readonly publish?: DecisionWebhookOptions
  /** Who gets lifecycle events. */
  readonly events?: readonly EventWebhookOption[]
  /** Whether addresses in networks of your own may be asked, and this machine over http (default false). */
  readonly allowPrivate?: boolean
}

/** The options that concern webhooks. */
export interface WebhookGroup {
  readonly webhooks?: WebhookOptions
}

/** Webhooks as they were set up. */
export interface ResolvedWebhooks {
  readonly secret: string
  readonly urls: DecisionUrls
  readonly events: readonly EventWebhookOptions[]
  readonly allowPrivate: boolean
}

const EVENTS_EXPECTED = `one or more of ${LIFECYCLE_TYPES.join(', ')}`

/** Webhooks for events. */
const EVENTS_MAX = 100

const decision = z.strictObject({ url: z.string('an https address') }, '{ url }').optional()

const event = z.strictObject(
  {
    url: z.string('an https address'),
    secret: z.string('text of at least 32 bytes').optional(),
    events: z.array(z.enum(LIFECYCLE_TYPES, EVENTS_EXPECTED), EVENTS_EXPECTED).min(1, EVENTS_EXPECTED),
    tenant: z.custom<string>(isTenantName, '1 to 128 printable characters').optional(),
  },
  '{ url, secret?, events, tenant? }',
)

/** The schema of `webhooks`. */
export const webhooksSchema: z.ZodType = z.strictObject(
  {
    secret: z.string('text of at least 32 bytes'),
    connect: decision,
    subscribe: decision,
    publish: decision,
    events: z
      .array(event, 'a list of { url, secret?, events, tenant? }')
      .max(EVENTS_MAX, `at most ${EVENTS_MAX}`)
      .optional(),
    allowPrivate: z.boolean('true or false').optional(),
  },
  'a mapping with secret and connect, subscribe, publish or events',
)

/** Checks secret and addresses. @throws OptionsError naming what is wrong, without the secret or a password. */
export function resolveWebhooks({ webhooks }: WebhookGroup, environment: Environment): ResolvedWebhooks | undefined {
  if (webhooks === undefined) return undefined
  const { secret, connect, subscribe, publish, allowPrivate = false } = webhooks
  checkSecret('webhooks.secret', secret, environment)
  const read = (name: string, webhook: DecisionWebhookOptions | undefined): URL | undefined =>
    webhook && readWebhookUrl(`webhooks.${name}.url`, webhook.url, allowPrivate)
  const urls = {
    connect: read('connect', connect),
    subscribe: read('subscribe', subscribe),
    publish: read('publish', publish),
  }
  return { secret, urls, events: resolveEvents(webhooks, environment), allowPrivate }
}

function resolveEvents(
  { secret: shared, events = [], allowPrivate = false }: WebhookOptions,
  environment: Environment,
): EventWebhookOptions[] {
  const ids = new Set<string>()
  return events.map((event, at) => {
    const option = `webhooks.events[${at}]`
    const { secret = shared, events: types, tenant } = event
    checkSecret(`${option}.secret`, secret, environment)
    const { href: url } = readWebhookUrl(`${option}.url`, event.url, allowPrivate)
    const id = eventWebhookId({ url, tenant })
    if (ids.has(id))
      throw new OptionsError(`${option} must differ from the others in url or tenant, received both again`)
    ids.add(id)
    return { url, secret, events: types, tenant }
  })
}

/** The address of a webhook. @throws OptionsError naming the option when nothing may be sent there. */
export function readWebhookUrl(option: string, text: string, allowPrivate: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && allowPrivate)
  if (url === undefined || !isSecure || url.username !== '' || url.password !== '')
    throw new OptionsError(
      `${option} must be an https address without credentials (http for this machine, with webhooks.allowPrivate), received ${url === undefined ? 'something else' : `${url.protocol}//${url.host}`}`,
    )
  return url
}

/** @throws OptionsError for a rule that leaves a decision to a webhook that there is not. */
export function checkDecisions(rules: readonly ChannelRule[], webhooks: ResolvedWebhooks | undefined): void {
  for (const { pattern, access } of rules)
    for (const [verb, accesses] of Object.entries(access) as [Verb, readonly Access[]][]) {
      const webhook = WEBHOOK_OF[verb]
      if (accesses.includes('webhook') && webhooks?.urls[webhook] === undefined)
        throw new OptionsError(
          `channels["${pattern.source}"].${verb} says webhook: webhooks.${webhook}.url must be set`,
        )
    }
}
