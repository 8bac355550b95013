import type { Retention } from '../engine/engine.js'
import { type ChannelPattern, compileChannelPattern } from './channel-pattern.js'
import type { Identity } from './identity.js'

/** What a client may want to do with a channel. */
export type Verb = 'subscribe' | 'publish' | 'signal' | 'presence' | 'history'

/**
 * Who may: `nobody`; `anyone`, also without a user; `member`: every authenticated user of the tenant; `server`: only the
 * application itself; `owner`: the owner of the operation that the channel carries, and those it was shared with; `role:x`; `grant`:
 * whoever's token names the channel and the verb; a predicate.
 */
export type Access =
  | 'nobody'
  | 'anyone'
  | 'member'
  | 'server'
  | 'owner'
  | 'grant'
  | `role:${string}`
  | ((identity: Identity, channel: string) => boolean)

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
}

/** What an access decision may have to know of the channel itself. */
export interface ChannelFacts {
  /** Whether the operation that the channel carries belongs to, or is shared with, this user. */
  isOwner(tenant: string, channel: string, user: string): Promise<boolean>
}

/** The channel rules of a node: the first pattern that names a channel decides; where none does, everything is refused. */
export class ChannelRules {
  readonly #rules: readonly ChannelRule[]
  readonly #facts: ChannelFacts

  constructor(rules: readonly ChannelRule[], facts: ChannelFacts) {
    this.#rules = rules
    this.#facts = facts
  }

  /** The rule for a channel: as an identity sees it, or as the server does. */
  ruleOf(channel: string, identity: Identity | undefined): ChannelRule | undefined {
    return this.#rules.find((rule) => rule.pattern.matches(channel, identity))
  }

  /** The patterns whose channels the server subscribes for every connection. */
  get inboxes(): readonly string[] {
    return this.#rules.filter((rule) => rule.inbox).map((rule) => rule.pattern.source)
  }

  /** Whether the identity may; a promise only where the answer lies in the engine. */
  allows(identity: Identity, verb: Verb, channel: string): boolean | Promise<boolean> {
    const rule = this.ruleOf(channel, identity)
    if (rule === undefined) return false
    const accesses = rule.access[verb]
    if (accesses.some((access) => grantsAtOnce(access, identity, verb, channel))) return true
    return accesses.includes('owner') ? this.#facts.isOwner(identity.tenant, channel, identity.user) : false
  }
}

function grantsAtOnce(access: Access, identity: Identity, verb: Verb, channel: string): boolean {
  if (typeof access === 'function') return holds(access, identity, channel)
  if (access === 'anyone' || access === 'member') return true
  if (access === 'grant')
    return Object.hasOwn(identity.grants, channel) && (identity.grants[channel]?.includes(verb) ?? false)
  return access.startsWith('role:') && identity.roles.includes(access.slice('role:'.length))
}

/** A predicate that throws has not allowed anything. */
function holds(
  predicate: (identity: Identity, channel: string) => boolean,
  identity: Identity,
  channel: string,
): boolean {
  try {
    return predicate(identity, channel) === true
  } catch {
    return false
  }
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
  }
}

function list(access: Access | readonly Access[]): readonly Access[] {
  return typeof access === 'object' ? access : [access]
}
