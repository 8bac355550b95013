import { type NewApiKey, arePermissions, findWrongGrant, makeApiKey } from './access/api-key.js'
import {
  type ApiKeyRecords,
  type HeldApiKey,
  KEYS_MAX,
  type ListedApiKey,
  SECRETS_MAX,
  type StoredApiKey,
} from './access/api-key-records.js'
import { userOfKey } from './access/identity.js'
import { type Clock, timestamp } from './clock.js'
import { HoldfastError, asHoldfastError } from './core/errors.js'
import type { Retries } from './core/retries.js'
import type { RevokeOptions } from './core/rights/revocations.js'
import type { WithdrawalScope } from './core/rights/withdrawal.js'
import { durationMs } from './duration.js'
import type { Random } from './random.js'
import type { Audit, AuditEvent } from './telemetry/audit.js'

/** What a new key is to be. */
export interface ApiKeySpec {
  /** For people: 1 to 128 characters. */
  readonly name: string
  /** Verbs by channel or pattern: `{"room:*": ["publish"]}`. */
  readonly grants: Readonly<Record<string, readonly string[]>>
  /** What else it may: names such as `publish`. Default: nothing. */
  readonly permissions?: readonly string[]
  /** Milliseconds or text such as `90d`. Default: it does not expire. */
  readonly expiresIn?: number | string
}

/** Who wants something done to a key, for the audit trail. */
export interface KeyRequester {
  /** The user that asked; left out: the application itself. */
  readonly by?: string
  /** The connection or request, and its address. */
  readonly connection?: string
  readonly address?: string
}

/** What can be known of a key: not its secret. */
export interface ApiKeyInfo {
  readonly id: string
  readonly name: string
  readonly grants: Readonly<Record<string, readonly string[]>>
  readonly permissions: readonly string[]
  /** Times as ISO-8601, UTC. */
  readonly createdAt: string
  readonly rotatedAt?: string
  readonly expiresAt?: string
}

/** What the keys of a tenant need of their node. */
export interface TenantKeysSurroundings {
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'id'>
  readonly apiKeys: ApiKeyRecords
  readonly audit: Audit
  readonly retries: Retries
  /** Milliseconds that a withdrawal is kept when nothing else says. */
  readonly tokenLifetimeMs: number
  revoke(scope: WithdrawalScope, options: RevokeOptions): Promise<void>
}

/** Writes of one key that met others are tried so often. */
const TRIES = 8

const DURATION = 'milliseconds or text such as 1h'

/** The API keys of one tenant, for servers. They live in the engine; those of the options are not among them. */
export class TenantKeys {
  readonly #tenant: string
  readonly #node: TenantKeysSurroundings

  /** Use `holdfast.tenant(id).keys`. */
  constructor(tenant: string, node: TenantKeysSurroundings) {
    this.#tenant = tenant
    this.#node = node
  }

  /**
   * Makes a key. It is answered once and kept nowhere: only its SHA-256 is stored. It is a credential of its own, whatever becomes of that of whoever asked.
   *
   * @throws HoldfastError `bad_request` naming what is wrong, `limit_exceeded` when the tenant has 1,000 keys, `engine_unavailable`.
   */
  async create(
    { name, grants, permissions = [], expiresIn }: ApiKeySpec,
    requester: KeyRequester = {},
  ): Promise<Pick<NewApiKey, 'id' | 'key'>> {
    checkSpec({ name, grants, permissions })
    const now = this.#node.clock.now()
    const made = makeApiKey(this.#node.random)
    const stored: StoredApiKey = {
      tenant: this.#tenant,
      name,
      secrets: [{ hash: made.hash, madeAt: now }],
      grants,
      permissions,
      createdAt: now,
      expiresAt: expiresIn === undefined ? undefined : now + readDuration('expiresIn', expiresIn, 1),
    }
    await this.#asking(() => this.#store(made.id, stored, now))
    this.#record('key.created', made.id, requester)
    return { id: made.id, key: made.key }
  }

  /**
   * Gives a key a new secret. The old one works until `overlap` (default `1h`) is over; connections that came with it are told 30 seconds before, and end then.
   *
   * @throws HoldfastError `not_found`, `bad_request`, `engine_unavailable`.
   */
  async rotate(
    id: string,
    { overlap = '1h', ...requester }: { readonly overlap?: number | string } & KeyRequester = {},
  ): Promise<Pick<NewApiKey, 'id' | 'key'>> {
    const { clock, random, apiKeys, retries, tokenLifetimeMs, revoke } = this.#node
    const overlapMs = readDuration('overlap', overlap, 0)
    const made = makeApiKey(random, id)
    const { stored, now } = await this.#asking(() => this.#replaceSecret(made, overlapMs))
    this.#record('key.rotated', id, requester)
    const scope = { tenant: this.#tenant, tokenId: id }
    const { madeAt } = stored.secrets[0] ?? { madeAt: now }
    const options = { issuedBefore: madeAt, from: now + overlapMs, ttlMs: overlapMs + tokenLifetimeMs }
    // The new secret is in force: whatever happens now, whoever asked has to learn it.
    await retries.insist(async () => {
      await revoke(scope, options)
      await apiKeys.list(id, stored, clock.now())
    })
    return { id, key: made.key }
  }

  /**
   * Ends a key: no other connection is welcomed with it, and those that live end, on all nodes. False when the tenant has no such key.
   *
   * @throws HoldfastError `engine_unavailable`: then the key may or may not have ended, and it is to be tried again.
   */
  async revoke(id: string, requester: KeyRequester = {}): Promise<boolean> {
    const { apiKeys, tokenLifetimeMs, revoke } = this.#node
    return this.#asking(async () => {
      const held = await this.#find(id)
      if (held === undefined) return apiKeys.unlist(this.#tenant, id)
      await revoke({ tenant: this.#tenant, tokenId: id }, { ttlMs: tokenLifetimeMs })
      await apiKeys.remove(id)
      await apiKeys.unlist(this.#tenant, id)
      this.#record('key.revoked', id, requester)
      return true
    })
  }

  /** The keys of the tenant, the oldest first. @throws HoldfastError `engine_unavailable`. */
  async list(): Promise<readonly ApiKeyInfo[]> {
    const listed = await this.#asking(() => this.#node.apiKeys.listed(this.#tenant))
    return listed.map(asInfo)
  }

  async #store(id: string, stored: StoredApiKey, now: number): Promise<void> {
    const { apiKeys } = this.#node
    if (!(await apiKeys.list(id, stored, now)))
      throw new HoldfastError('limit_exceeded', `a tenant must have at most ${KEYS_MAX} keys`)
    try {
      if (!(await apiKeys.write(id, stored, 0, now))) throw new HoldfastError('internal_error')
    } catch (error) {
      await apiKeys.unlist(this.#tenant, id).catch(() => undefined)
      throw error
    }
  }

  async #replaceSecret(
    { id, hash }: NewApiKey,
    overlapMs: number,
  ): Promise<{ readonly stored: StoredApiKey; readonly now: number }> {
    const { clock, apiKeys } = this.#node
    for (let tries = 0; tries < TRIES; tries += 1) {
      const held = await this.#find(id)
      if (held === undefined) throw new HoldfastError('not_found', 'this tenant has no such key')
      const now = clock.now()
      const stored = { ...held.stored, secrets: withSecret(held.stored, { hash, now, overlapMs }) }
      if (await apiKeys.write(id, stored, held.version, now)) return { stored, now }
    }
    throw new HoldfastError('internal_error')
  }

  /** Another tenant's key is none. */
  async #find(id: string): Promise<HeldApiKey | undefined> {
    const held = await this.#node.apiKeys.read(id)
    return held?.stored.tenant === this.#tenant ? held : undefined
  }

  #record(event: AuditEvent, id: string, { by, connection, address }: KeyRequester): void {
    this.#node.audit.record(event, { tenant: this.#tenant, user: userOfKey(id), by, connection, address })
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw asHoldfastError(error)
    }
  }
}

/** The new secret, and those before it as long as they count: none longer than the overlap that was asked for now. */
function withSecret(
  { secrets }: StoredApiKey,
  { hash, now, overlapMs }: { readonly hash: string; readonly now: number; readonly overlapMs: number },
): StoredApiKey['secrets'] {
  const older = secrets.map((secret) => ({ ...secret, until: Math.min(secret.until ?? Infinity, now + overlapMs) }))
  // Later than the one before, also within one millisecond: that one is told apart by it.
  const madeAt = Math.max(now, (secrets[0]?.madeAt ?? 0) + 1)
  return [{ hash, madeAt }, ...older.filter(({ until }) => until > now)].slice(0, SECRETS_MAX)
}

function checkSpec({ name, grants, permissions }: ApiKeySpec): void {
  const isName = typeof name === 'string' && /^[^\p{Cc}\p{Surrogate}]{1,128}$/u.test(name)
  if (!isName) throw new HoldfastError('bad_request', 'name must be 1 to 128 printable characters')
  const wrong = findWrongGrant(grants)
  if (wrong !== undefined) throw new HoldfastError('bad_request', wrong)
  if (!arePermissions(permissions))
    throw new HoldfastError('bad_request', 'permissions must be a list of names such as publish')
}

function readDuration(name: string, duration: number | string, min: number): number {
  const ms = durationMs(duration)
  if (ms !== undefined && ms >= min) return ms
  throw new HoldfastError('bad_request', `${name} must be ${DURATION}, received ${JSON.stringify(duration)}`)
}

function asInfo({ id, name, grants, permissions, createdAt, rotatedAt, expiresAt }: ListedApiKey): ApiKeyInfo {
  return {
    id,
    name,
    grants,
    permissions,
    createdAt: timestamp(createdAt),
    ...(rotatedAt !== undefined && { rotatedAt: timestamp(rotatedAt) }),
    ...(expiresAt !== undefined && { expiresAt: timestamp(expiresAt) }),
  }
}
