import { namespaceOf } from '@holdfast/protocol'
import { type Clock, systemClock } from '../clock.js'
import type { Retention } from '../engine/engine.js'
import { type ChannelPattern, compileChannelPattern } from './channel-pattern.js'
import { askPredicate } from './decision-predicate.js'
import { GrantBook, NO_ROLES, type RoleBook } from './grants.js'
import type { Identity } from './identity.js'
import { type IdentityField, findForeign, hasTwins, readIdentityFields } from './identity-guard.js'

/** What a client may want to do with a channel. */
export type Verb = 'subscribe' | 'publish' | 'signal' | 'presence' | 'history'

/** A decision of the application's own. Anything but `true` within five seconds is a refusal. */
export type AccessPredicate = (identity: Identity, channel: string) => boolean | Promise<boolean>

/**
 * Who may: `nobody`; `anyone`; `member`: every user of the tenant; `server`: only the application itself; `owner`: the owner of the operation that the channel carries,
 * and those it was shared with; `role:x`; `grant`: whose token, or one of whose roles, names the channel and the verb; a predicate; `webhook`: whom the application allows
 * when it is asked over HTTP. A server with an API key may what its grants name, wherever a rule does not say `nobody` alone; who is anonymous, what the grants
 * of `auth.anonymous` name where the rule says `anyone` or `grant`.
 */
export type Access =
  | 'nobody'
  | 'anyone'
  | 'member'
  | 'server'
  | 'owner'
  | 'grant'
  | 'webhook'
  | `role:${string}`
  | AccessPredicate

/** What happens to a connection whose queue is full when the next message of this channel comes. */
export type SlowPolicy = 'resume' | 'drop-oldest' | 'latest' | 'close'

/** What happens to a message that the engine cannot take: it is refused, or delivered on this node at once and published when the engine is back. */
export type DegradedPolicy = 'refuse' | 'local'

/** The rule of the channels that a pattern names, with every default filled in. */
export interface ChannelRule {
  readonly pattern: ChannelPattern
  readonly access: Readonly<Record<Verb, readonly Access[]>>
  readonly retention: Retention | undefined
  readonly slow: SlowPolicy
  readonly whenDegraded: DegradedPolicy
  /** Every connection of the user is subscribed by the server, from the user's cursor. */
  readonly inbox: boolean
  /** Fields of data in which a client may name nobody but itself; undefined: data is not looked at. */
  readonly identity: readonly IdentityField[] | undefined
}

/** The rule of a pattern as the application writes it. */
export interface ChannelRuleOptions {
  /** Default `member`. */
  readonly subscribe?: Access | readonly Access[]
  /** Default `server`. */
  readonly publish?: Access | readonly Access[]
  /** Default: as `publish`. */
  readonly signal?: Access | readonly Access[]
  /** Who may enter and see the members. `true`: as `subscribe`. Default: nobody. */
  readonly presence?: boolean | Access | readonly Access[]
  /** What is kept; `ttl` in milliseconds or as text such as `1h`. `read`: who may ask for it, default as `subscribe`. Default: nothing is kept. */
  readonly history?:
    | false
    | { readonly size: number; readonly ttl: number | string; readonly read?: Access | readonly Access[] }
  /** Default `resume` with history, `drop-oldest` without. */
  readonly slow?: SlowPolicy
  /**
   * Default `refuse`: a publish fails with `engine_unavailable`. `local`: the message reaches the subscribers of this node at once, without an offset, and everyone
   * else when the engine is back; it is lost if the node ends before.
   */
  readonly whenDegraded?: DegradedPolicy
  /** Default false. Needs history and a pattern such as `user:{user}`. */
  readonly inbox?: boolean
  /**
   * Fields of data that name who sent a message, such as `user` or `author.id`, at most 8. A message or signal of a client that names another there is refused. Default:
   * data is not looked at.
   */
  readonly identity?: readonly string[]
}

/** What an access decision may have to know of the channel itself. */
export interface ChannelFacts {
  /** Whether the operation that the channel carries belongs to, or is shared with, this user. */
  isOwner(tenant: string, channel: string, user: string): Promise<boolean>
}

/** What an identity wants to do, and where it says so. */
export interface AccessQuestion {
  readonly identity: Identity
  readonly verb: Verb
  readonly channel: string
  /** The id of the connection. */
  readonly connection?: string | undefined
  /** The event of a message or signal. */
  readonly event?: string | undefined
}

/** What a user sent: what it says, and its text. */
export interface SentText {
  readonly data: unknown
  readonly json: string
  readonly user: string
}

/** What the rules ask beyond themselves. */
export interface RuleParts {
  /** For the time that a predicate has. */
  readonly clock: Clock
  /** What roles bring. */
  readonly roles: RoleBook
  /** Answers for `webhook`; never rejects. */
  askWebhook(question: AccessQuestion): Promise<boolean>
}

/** Nothing but the rules: roles bring nothing, and no webhook allows anything. */
const BARE: RuleParts = { clock: systemClock, roles: NO_ROLES, askWebhook: () => Promise.resolve(false) }

/** The channel rules of a node: the first pattern that names a channel decides; where none does, everything is refused. */
export class ChannelRules {
  readonly #rules: readonly ChannelRule[]
  readonly #byNamespace: ReadonlyMap<string, readonly ChannelRule[]>
  readonly #facts: ChannelFacts
  readonly #parts: RuleParts
  readonly #grants: GrantBook

  constructor(rules: readonly ChannelRule[], facts: ChannelFacts, parts: Partial<RuleParts> = {}) {
    this.#rules = rules
    this.#byNamespace = groupBy(rules, ({ pattern }) => pattern.namespace)
    this.#facts = facts
    this.#parts = { ...BARE, ...parts }
    this.#grants = new GrantBook(this.#parts.roles)
  }

  /** The rule for a channel: as an identity sees it, or as the server does. */
  ruleOf(channel: string, identity: Identity | undefined): ChannelRule | undefined {
    const rules = this.#byNamespace.get(namespaceOf(channel))
    return rules?.find((rule) => rule.pattern.matches(channel, identity))
  }

  /** The patterns whose channels the server subscribes for every connection. */
  get inboxes(): readonly string[] {
    return this.#rules.filter((rule) => rule.inbox).map((rule) => rule.pattern.source)
  }

  /** Whether the identity may; a promise only where the answer lies elsewhere. */
  allows(identity: Identity, verb: Verb, channel: string): boolean | Promise<boolean> {
    const rule = this.ruleOf(channel, identity)
    return rule !== undefined && this.judge(rule, { identity, verb, channel })
  }

  /**
   * Whether the rule of the channel allows what is asked; a promise only where a predicate answered with one, or the answer lies in the engine or with a webhook. It rejects
   * when the engine cannot be reached, and for nothing else.
   */
  judge(rule: ChannelRule, question: AccessQuestion): boolean | Promise<boolean> {
    const { identity, verb } = question
    const accesses = rule.access[verb]
    if (watchesOperations(question)) return true
    if (identity.kind === 'anonymous') return accesses.some(isForAnonymous) && this.#isGranted(question)
    if (identity.kind === 'server') return accesses.some((access) => access !== 'nobody') && this.#isGranted(question)
    if (accesses.some((access) => this.#isAllowedByWord(access, question))) return true
    return this.#ask(accesses, question)
  }

  /** Why a client must not send this data: it names another user in a field that the rule declares, or could. Undefined when it may. */
  findForeign(rule: ChannelRule, { data, json, user }: SentText): string | undefined {
    if (rule.identity === undefined) return undefined
    const field = findForeign(rule.identity, data, user)
    if (field !== undefined) return `data.${field} must name nobody but the sender`
    return hasTwins(json) ? 'data must name each member once on this channel' : undefined
  }

  #isAllowedByWord(access: Access, question: AccessQuestion): boolean {
    if (typeof access === 'function') return false
    if (access === 'anyone' || access === 'member') return true
    if (access === 'grant') return this.#isGranted(question)
    return access.startsWith('role:') && question.identity.roles.includes(access.slice('role:'.length))
  }

  #isGranted({ identity, verb, channel }: AccessQuestion): boolean {
    return this.#grants.allows(identity, verb, channel)
  }

  /** What no word has answered: predicates first, then the engine, then a webhook, and no further than the first that allows it. */
  #ask(accesses: readonly Access[], question: AccessQuestion): boolean | Promise<boolean> {
    const waiting: Promise<boolean>[] = []
    for (const access of accesses) {
      const answer = typeof access === 'function' && askPredicate(access, question, this.#parts.clock)
      if (answer === true) return true
      if (answer !== false) waiting.push(answer)
    }
    const asksOwner = accesses.includes('owner')
    const asksWebhook = accesses.includes('webhook')
    if (waiting.length === 0 && !asksOwner && !asksWebhook) return false
    return this.#await(waiting, question, { asksOwner, asksWebhook })
  }

  async #await(
    waiting: readonly Promise<boolean>[],
    question: AccessQuestion,
    { asksOwner, asksWebhook }: { readonly asksOwner: boolean; readonly asksWebhook: boolean },
  ): Promise<boolean> {
    for (const answer of waiting) if (await answer) return true
    const { identity, channel } = question
    if (asksOwner && (await this.#facts.isOwner(identity.tenant, channel, identity.user))) return true
    return asksWebhook && this.#parts.askWebhook(question)
  }
}

/** Whoever may report on every operation of the tenant may watch them, too. */
function watchesOperations({ identity, verb, channel }: AccessQuestion): boolean {
  const isWatching = verb === 'subscribe' || verb === 'history'
  return isWatching && channel.startsWith('operation:') && identity.permissions?.includes('operations') === true
}

function isForAnonymous(access: Access): boolean {
  return access === 'anyone' || access === 'grant'
}

function groupBy(
  rules: readonly ChannelRule[],
  key: (rule: ChannelRule) => string,
): ReadonlyMap<string, readonly ChannelRule[]> {
  const groups = new Map<string, ChannelRule[]>()
  for (const rule of rules) {
    const group = groups.get(key(rule))
    if (group === undefined) groups.set(key(rule), [rule])
    else group.push(rule)
  }
  return groups
}

/** The server has to know the name of a user's inbox: nothing in it may be open but the user. */
const INBOX_PATTERN = /^[^*{}]+:\{user\}$/

/**
 * Fills in the defaults of a rule.
 *
 * @throws RangeError naming the pattern and the member that is wrong.
 */
export function resolveChannelRule(
  source: string,
  options: ChannelRuleOptions,
  ttlMs: (ttl: number | string) => number,
): ChannelRule {
  const pattern = compileChannelPattern(source)
  const subscribe = list(options.subscribe ?? 'member')
  const publish = list(options.publish ?? 'server')
  const history = options.history === false ? undefined : options.history
  const presence =
    options.presence === true
      ? subscribe
      : options.presence === undefined || options.presence === false
        ? []
        : list(options.presence)
  const retention = history && { size: history.size, ttlMs: ttlMs(history.ttl) }
  const inbox = options.inbox ?? false
  if (inbox && (retention === undefined || !INBOX_PATTERN.test(source))) {
    throw new RangeError(`channels["${source}"].inbox needs history and a pattern such as user:{user}`)
  }
  return {
    pattern,
    access: {
      subscribe,
      publish,
      signal: list(options.signal ?? publish),
      presence,
      history: history ? list(history.read ?? subscribe) : [],
    },
    retention,
    slow: options.slow ?? (retention ? 'resume' : 'drop-oldest'),
    whenDegraded: options.whenDegraded ?? 'refuse',
    inbox,
    identity: options.identity && identityFields(source, options.identity),
  }
}

function identityFields(source: string, fields: readonly string[]): readonly IdentityField[] {
  try {
    return readIdentityFields(fields)
  } catch (error) {
    throw new RangeError(`channels["${source}"].identity ${(error as Error).message}`)
  }
}

function list(access: Access | readonly Access[]): readonly Access[] {
  return typeof access === 'object' ? access : [access]
}
