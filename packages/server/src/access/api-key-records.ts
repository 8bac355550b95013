import type { Engine } from '../engine/engine.js'
import { arePermissions, findWrongGrant, isKeyHash } from './api-key.js'

/** One secret of a key. Times are milliseconds since 1970. */
export interface StoredSecret {
  readonly hash: string
  readonly madeAt: number
  /** It counts until then; undefined: as long as the key. */
  readonly until?: number | undefined
}

/** A key as the engine keeps it. */
export interface StoredApiKey {
  readonly tenant: string
  readonly name: string
  /** The newest first. */
  readonly secrets: readonly StoredSecret[]
  readonly grants: Readonly<Record<string, readonly string[]>>
  readonly permissions: readonly string[]
  readonly createdAt: number
  /** Undefined: never. */
  readonly expiresAt?: number | undefined
}

/** A key, and the version of its record. */
export interface HeldApiKey {
  readonly stored: StoredApiKey
  readonly version: number
}

/** What a list of keys tells of one: everything but its secrets. */
export type ListedApiKey = Omit<StoredApiKey, 'secrets' | 'tenant'> & {
  readonly id: string
  readonly rotatedAt: number | undefined
}

/** How long a key without an end is kept: a century. */
const FOR_EVER_MS = 3_155_760_000_000

/** Read where there is no key, so that an id that does not exist takes as long as one that does. */
const LIKE_A_KEY = JSON.stringify({
  tenant: 'nobody',
  name: 'nothing',
  secrets: [{ hash: `sha256:${'0'.repeat(64)}`, madeAt: 0 }],
  grants: { 'none:*': ['subscribe'] },
  permissions: [],
  createdAt: 0,
})

/** Secrets of one key that count at a time. */
export const SECRETS_MAX = 4

/** Keys of a tenant. */
export const KEYS_MAX = 1_000

/** The keys in the engine: a record for each, found by its public id, and for each tenant a register that lists them. */
export class ApiKeyRecords {
  readonly #engine: Pick<Engine, 'records' | 'registers'>

  constructor(engine: Pick<Engine, 'records' | 'registers'>) {
    this.#engine = engine
  }

  /** The key of this id. What cannot be read is no key. */
  async read(id: string): Promise<HeldApiKey | undefined> {
    const record = await this.#engine.records.get(recordKey(id))
    const stored = readKey(record?.value ?? LIKE_A_KEY)
    return stored && record && { stored, version: record.version }
  }

  /** Writes a key if the version stored is `ifVersion` (0: there must be none); false when refused. `now` is milliseconds since 1970. */
  async write(id: string, key: StoredApiKey, ifVersion: number, now: number): Promise<boolean> {
    const options = { ttlMs: lifetimeOf(key, now), ifVersion }
    return (await this.#engine.records.put(recordKey(id), JSON.stringify(key), options)) !== undefined
  }

  /** Removes a key. */
  async remove(id: string): Promise<void> {
    await this.#engine.records.take(recordKey(id))
  }

  /** Lists a key for its tenant; false when there are too many. */
  async list(id: string, key: StoredApiKey, now: number): Promise<boolean> {
    const { tenant, secrets, ...told } = key
    const rotatedAt = secrets[0]?.madeAt === key.createdAt ? undefined : secrets[0]?.madeAt
    const value = JSON.stringify({ ...told, rotatedAt })
    const request = { key: id, value, ttlMs: lifetimeOf(key, now), entriesMax: KEYS_MAX }
    return (await this.#engine.registers.put(registerName(tenant), request)) !== undefined
  }

  /** Takes a key off the list of its tenant; false when it was not there. */
  async unlist(tenant: string, id: string): Promise<boolean> {
    return (await this.#engine.registers.remove(registerName(tenant), id)).removed
  }

  /** The keys of a tenant, the oldest first. */
  async listed(tenant: string): Promise<readonly ListedApiKey[]> {
    const entries = await this.#engine.registers.list(registerName(tenant), KEYS_MAX)
    return entries
      .flatMap(({ key: id, value }) => {
        const told = readMembers(value)
        return told ? [{ ...told, id }] : []
      })
      .sort((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1))
  }
}

function recordKey(id: string): string {
  return `api-key:${id}`
}

function registerName(tenant: string): string {
  return `api-keys:${tenant.length}:${tenant}`
}

function lifetimeOf({ expiresAt }: StoredApiKey, now: number): number {
  return expiresAt === undefined ? FOR_EVER_MS : Math.max(1, expiresAt - now)
}

function readKey(text: string): StoredApiKey | undefined {
  const { tenant, secrets } = parse(text)
  const told = readMembers(text)
  if (told === undefined || typeof tenant !== 'string' || !Array.isArray(secrets)) return undefined
  return secrets.length <= SECRETS_MAX && secrets.every(isSecret) ? { ...told, tenant, secrets } : undefined
}

function readMembers(text: string): Omit<ListedApiKey, 'id'> | undefined {
  const { name, grants, permissions, createdAt, expiresAt, rotatedAt } = parse(text)
  const isRead = typeof name === 'string' && isTime(createdAt) && isTimeOrNone(expiresAt) && isTimeOrNone(rotatedAt)
  if (!isRead || findWrongGrant(grants) !== undefined || !arePermissions(permissions)) return undefined
  return { name, grants: grants as StoredApiKey['grants'], permissions, createdAt, expiresAt, rotatedAt }
}

function isSecret(value: unknown): value is StoredSecret {
  const { hash, madeAt, until } = Object(value) as Record<string, unknown>
  return isKeyHash(hash) && isTime(madeAt) && isTimeOrNone(until)
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isTimeOrNone(value: unknown): value is number | undefined {
  return value === undefined || isTime(value)
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}
