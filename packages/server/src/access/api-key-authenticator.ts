import type { Clock } from '../clock.js'
import { type ApiKeyOptions, findSecret, looksLikeApiKey, parseApiKey } from './api-key.js'
import type { ApiKeyRecords, StoredApiKey } from './api-key-records.js'
import type { Authentication, Authenticator } from './authenticator.js'
import { type Identity, isKeyUser, userOfKey } from './identity.js'

/** What an authenticator of keys works with. */
export interface ApiKeyAuthenticatorParts {
  /** Those of the options. */
  readonly keys: readonly ApiKeyOptions[]
  readonly records: Pick<ApiKeyRecords, 'read'>
  readonly clock: Pick<Clock, 'now'>
  /** For every other credential. */
  readonly next: Authenticator
}

/**
 * Keys first: what begins like a key is one or is refused, and is never tried as a token; what does not is left to the next authenticator, which cannot make anybody
 * the user of a key. Rejects while a key that is kept in the engine cannot be looked up.
 */
export class ApiKeyAuthenticator implements Authenticator {
  readonly #parts: ApiKeyAuthenticatorParts
  readonly #fixed: ReadonlyMap<string, StoredApiKey>

  constructor(parts: ApiKeyAuthenticatorParts) {
    this.#parts = parts
    this.#fixed = new Map(parts.keys.map((key) => [key.id, asStored(key)]))
  }

  authenticate(credential: string): Authentication | Promise<Authentication> {
    if (looksLikeApiKey(credential))
      return this.#find(credential).then((identity) => (identity === undefined ? REFUSED : { identity }))
    const result = this.#parts.next.authenticate(credential)
    return result instanceof Promise ? result.then(withoutKeyUser) : withoutKeyUser(result)
  }

  anonymous(): Authentication | Promise<Authentication> {
    return this.#parts.next.anonymous?.() ?? { failure: 'missing', detail: 'no credential' }
  }

  start(): void {
    this.#parts.next.start?.()
  }

  stop(): void {
    this.#parts.next.stop?.()
  }

  /** Undefined when it is not one of ours, whatever is wrong with it. */
  async #find(credential: string): Promise<Identity | undefined> {
    const parsed = parseApiKey(credential)
    if (parsed === undefined) return undefined
    const { id, secret } = parsed
    // Asked for whether it is needed or not: the time that this takes tells nobody which ids there are.
    const held = await this.#parts.records.read(id)
    const key = this.#fixed.get(id) ?? held?.stored
    const now = this.#parts.clock.now()
    const secrets = (key?.secrets ?? []).filter(({ until = Infinity }) => now < until)
    const hashes = secrets.map(({ hash }) => hash)
    const proven = secrets[findSecret(hashes, secret)]
    return key && proven && now < (key.expiresAt ?? Infinity) ? identityOf(id, key, proven) : undefined
  }
}

const REFUSED: Authentication = { failure: 'invalid', detail: 'not an API key of ours' }

function identityOf(id: string, key: StoredApiKey, { madeAt, until }: StoredApiKey['secrets'][number]): Identity {
  const { tenant, grants, permissions } = key
  const end = Math.min(until ?? Infinity, key.expiresAt ?? Infinity)
  return {
    tenant,
    user: userOfKey(id),
    roles: [],
    grants,
    expiresAt: Number.isFinite(end) ? end : undefined,
    tokenId: id,
    issuedAt: madeAt,
    kind: 'server',
    ...(permissions.length > 0 && { permissions }),
  }
}

function asStored({ hash, tenant, grants, permissions = [] }: ApiKeyOptions): StoredApiKey {
  return { tenant, name: '', secrets: [{ hash, madeAt: 0 }], grants, permissions, createdAt: 0 }
}

function withoutKeyUser(result: Authentication): Authentication {
  const isKey = 'identity' in result && isKeyUser(result.identity.user)
  return isKey ? { failure: 'invalid', detail: 'the name of a key' } : result
}
