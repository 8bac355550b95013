import { type Clock, timestamp } from '../clock.js'
import { CircuitOpenError } from '../outbound/circuit-breaker.js'
import { type Outbound, OutboundError } from '../outbound/outbound.js'
import type { Random } from '../random.js'
import type { Audit } from '../telemetry/audit.js'
import { DELIVERY_HEADER, SIGNATURE_HEADER, signWebhook } from '../webhooks/signature.js'
import type { Authentication } from './authenticator.js'
import type { AccessQuestion, Verb } from './channel-rules.js'
import { DecisionDoor } from './decision-door.js'
import type { Grants } from './grants.js'
import type { Identity } from './identity.js'

/** The addresses that decide. */
export interface DecisionUrls {
  /** Asked for every credential that is welcome: at connect and at refresh. */
  readonly connect?: URL | undefined
  /** Asked for `subscribe`, `presence` and `history` where a rule says `webhook`. */
  readonly subscribe?: URL | undefined
  /** Asked for `publish` and `signal` where a rule says `webhook`. */
  readonly publish?: URL | undefined
}

/** Which address decides on a verb. */
export const WEBHOOK_OF: Readonly<Record<Verb, 'subscribe' | 'publish'>> = {
  subscribe: 'subscribe',
  presence: 'subscribe',
  history: 'subscribe',
  publish: 'publish',
  signal: 'publish',
}

/** What decisions by webhook work with. */
export interface DecisionParts {
  readonly clock: Clock
  readonly random: Random
  readonly outbound: Outbound
  readonly audit: Audit
  /** What questions are signed with. */
  readonly secret: string
  readonly urls: DecisionUrls
}

/** Who comes, as the connect webhook is told. */
export interface Arrival {
  /** The id of the connection. */
  readonly id: string
  /** Of the client. */
  readonly address: string
}

interface Question {
  readonly type: 'connect' | Verb
  readonly identity: Identity
  readonly connection?: string | undefined
  readonly address?: string | undefined
  readonly channel?: string | undefined
  readonly event?: string | undefined
}

/** An answer as it was read: the members beside `allow` are those of connect. */
interface Decision {
  readonly allow: boolean
  readonly reason: string | undefined
  readonly roles: readonly string[] | undefined
  readonly grants: Grants | undefined
  readonly expiresAt: number | undefined
}

/**
 * Decisions of the application over HTTP. Each question is a signed POST without message data; only a 200 with `{"allow": true}` in time allows. Everything else
 * is a refusal: no answer is none either.
 */
export class DecisionWebhooks {
  readonly #parts: DecisionParts
  readonly #doors = new Map<string, DecisionDoor>()

  constructor(parts: DecisionParts) {
    this.#parts = parts
  }

  /** Whether the application allows it; never rejects. */
  readonly allows = async (question: AccessQuestion): Promise<boolean> => {
    const { verb: type, ...asked } = question
    const decision = await this.#decide(this.#parts.urls[WEBHOOK_OF[type]], { type, ...asked })
    return decision?.allow ?? false
  }

  /** Lets the application have its say on a credential that was found good: it may refuse, give other roles and grants, and shorten the life of the connection. */
  readonly admit = (
    result: Authentication,
    { id: connection, address }: Arrival,
  ): Authentication | Promise<Authentication> => {
    const { connect } = this.#parts.urls
    if (connect === undefined || !('identity' in result)) return result
    const { identity } = result
    return this.#decide(connect, { type: 'connect', identity, connection, address }).then((decision) => {
      if (decision === undefined) return { failure: 'unavailable', detail: 'the connect webhook has not answered' }
      if (!decision.allow) return { failure: 'forbidden', detail: decision.reason ?? 'the connect webhook refused' }
      return { identity: withDecision(identity, decision) }
    })
  }

  async #decide(url: URL | undefined, question: Question): Promise<Decision | undefined> {
    if (url === undefined) return undefined
    const { identity, type: action, connection, channel } = question
    const about = {
      tenant: identity.tenant,
      user: identity.user,
      connection,
      address: question.address,
      channel,
      action,
    }
    try {
      const decision = await this.#door(url).ask(this.#request(url, question), (body) => readDecision(body, identity))
      if (!decision.allow) this.#parts.audit.record('webhook.refused', { ...about, reason: decision.reason })
      return decision
    } catch (error) {
      this.#parts.audit.record('webhook.failed', { ...about, rule: url.host, reason: reasonOf(error) })
      return undefined
    }
  }

  #door(url: URL): DecisionDoor {
    const known = this.#doors.get(url.href)
    if (known !== undefined) return known
    const door = new DecisionDoor(this.#parts)
    this.#doors.set(url.href, door)
    return door
  }

  #request(url: URL, { type, identity, channel, event, connection, address }: Question): Parameters<Outbound>[0] {
    const { clock, random, secret } = this.#parts
    const now = clock.now()
    const { tenant, user, roles, kind } = identity
    const at = timestamp(now)
    const body = JSON.stringify({ type, tenant, user, kind, roles, channel, event, connection, address, at })
    const headers = {
      'Content-Type': 'application/json',
      [SIGNATURE_HEADER]: signWebhook(secret, body, now),
      [DELIVERY_HEADER]: random.id(16),
    }
    return { url, method: 'POST', headers, body }
  }
}

/** Never another tenant or user, and never a longer life than the credential has. */
function withDecision(identity: Identity, { roles, grants, expiresAt }: Decision): Identity {
  const { roles: ownRoles, grants: ownGrants, expiresAt: own } = identity
  const end = expiresAt === undefined ? own : Math.min(expiresAt, own ?? Infinity)
  return { ...identity, roles: roles ?? ownRoles, grants: grants ?? ownGrants, expiresAt: end }
}

/** @throws Error when it is no decision on this identity. */
function readDecision(body: string, identity: Identity): Decision {
  const value: unknown = JSON.parse(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('the answer is no object')
  const { allow, reason, roles, grants, expiresAt, tenant, user } = value as Partial<Record<string, unknown>>
  if (typeof allow !== 'boolean' || !Object.hasOwn(value, 'allow')) throw new Error('the answer has no allow')
  if (tenant !== undefined && tenant !== identity.tenant) throw new Error('the answer names another tenant')
  if (user !== undefined && user !== identity.user) throw new Error('the answer names another user')
  return {
    allow,
    reason: typeof reason === 'string' ? reason : undefined,
    roles: roles === undefined ? undefined : readTexts(roles, 'roles'),
    grants: grants === undefined ? undefined : readGrants(grants),
    expiresAt: expiresAt === undefined ? undefined : readTime(expiresAt),
  }
}

function readTexts(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new Error(`${name} of the answer are no list of texts`)
  return value
}

function readGrants(value: unknown): Grants {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('grants of the answer are no mapping')
  // Own members only, also one that is called __proto__.
  return Object.fromEntries(Object.entries(value).map(([channel, verbs]) => [channel, readTexts(verbs, 'grants')]))
}

/** A time as the protocol writes it, or milliseconds since 1970. */
function readTime(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : value
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= 8.64e15)) throw new Error('expiresAt of the answer is no time')
  return ms
}

/** In a few words of our own: an answer, or the address with its query, has no place in a log. */
function reasonOf(error: unknown): string {
  if (error instanceof OutboundError) return `${error.code}: ${error.message}`
  if (error instanceof CircuitOpenError) return 'circuit open'
  if (error instanceof SyntaxError) return 'the answer is no JSON'
  return error instanceof Error ? error.message : 'failed'
}
