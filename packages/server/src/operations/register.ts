import { isTerminal } from '@holdfast/protocol'
import { userKey } from '../access/identity.js'
import type { Clock } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { Engine, IndexEntry } from '../engine/engine.js'
import { type Sighting, nextLook } from './deadlines.js'
import type { OperationPage, OperationQuery } from './desk.js'
import type { OperationRecord } from './record.js'
import { type OperationStore, operationKey } from './store.js'

/** What a register works with. */
export interface RegisterParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly store: OperationStore
  /** Milliseconds after which an operation that nobody has is given up. */
  readonly idleMs: number
}

/** Where all operations stand that have to be looked at, by when. */
export const DUE_INDEX = 'operations:due'

/** Where the tenants stand that have operations. */
export const TENANTS_INDEX = 'operations:tenants'

/** How long a tenant stands there after its last operation. */
const TENANT_MS = 30 * 86_400_000

/** Entries looked at for one page, at most; then the page is short, and its cursor goes on. */
const SCAN_MAX = 500

/** Entries read at a time. */
const BATCH = 50

const LIMIT_MAX = 100
const LIMIT_DEFAULT = 50

/** How long an entry stands whose operation was not found: its beginning may still be on its way. */
const ABSENT_MS = 60_000

/** How often it is looked at meanwhile. */
const ABSENT_LOOK_MS = 5_000

/** The version of what is not there. */
const NOT_THERE = 0

/** Where operations are found: by tenant, user and parent, and by when they have to be looked at. */
export class Register {
  readonly #parts: RegisterParts

  constructor(parts: RegisterParts) {
    this.#parts = parts
  }

  /** Enters an operation everywhere it is to be found, or renews it there. */
  async enter(record: OperationRecord): Promise<void> {
    const { engine, clock, store } = this.#parts
    const { tenant, id } = record.snapshot
    const ttlMs = store.lifetime(record, clock.now())
    const score = record.work.createdAt
    const put = (name: string): Promise<void> => engine.indexes.put(name, { key: id, score, ttlMs })
    const live = liveList(tenant, record.snapshot.owner)
    await Promise.all([
      ...listsOf(record).map(put),
      isTerminal(record.snapshot.state) ? engine.indexes.remove(live, id) : put(live),
      engine.indexes.put(TENANTS_INDEX, { key: tenant, score: 0, ttlMs: TENANT_MS }),
    ])
  }

  /** Has an operation looked at when it is next due, or at `at`. */
  async due(record: OperationRecord, at?: number): Promise<void> {
    const { engine, clock, store, idleMs } = this.#parts
    const now = clock.now()
    const { tenant, id } = record.snapshot
    const score = at ?? nextLook(record, now, idleMs)
    const ttlMs = Math.max(0, score - now) + store.lifetime(record, now)
    await engine.indexes.put(DUE_INDEX, { key: operationKey(tenant, id), score, ttlMs })
  }

  /** It has ended, and everything that follows from that was done. */
  async settled(tenant: string, id: string): Promise<void> {
    await this.#parts.engine.indexes.remove(DUE_INDEX, operationKey(tenant, id))
  }

  /** There is nothing to look at, or not yet: what was entered first is about to begin. Answers what to remember; after a while it is forgotten. */
  async absent(tenant: string, id: string, seen: Sighting | undefined): Promise<Sighting | undefined> {
    const { engine, clock } = this.#parts
    const now = clock.now()
    const since = seen?.version === NOT_THERE ? seen.since : now
    if (now - since >= ABSENT_MS) return void (await this.settled(tenant, id))
    const score = now + ABSENT_LOOK_MS
    await engine.indexes.put(DUE_INDEX, { key: operationKey(tenant, id), score, ttlMs: ABSENT_MS * 2 })
    return { version: NOT_THERE, since }
  }

  /** One that could not be looked at, for reasons of its own, is looked at later. */
  async postpone(tenant: string, id: string): Promise<void> {
    const { engine, clock, idleMs } = this.#parts
    const score = clock.now() + ABSENT_MS
    await engine.indexes.put(DUE_INDEX, { key: operationKey(tenant, id), score, ttlMs: ABSENT_MS + idleMs })
  }

  /** A page of the operations of a tenant, newest first. @throws HoldfastError `bad_request` naming the member. */
  async list(tenant: string, query: OperationQuery): Promise<OperationPage> {
    const limit = readLimit(query.limit)
    const name = listFor(tenant, query)
    const found: OperationRecord[] = []
    let after = readCursor(query.cursor)
    for (let scanned = 0; scanned < SCAN_MAX; scanned += BATCH) {
      const entries = await this.#range(name, after)
      const records = await this.#read(tenant, name, entries)
      for (const [at, record] of records.entries()) {
        after = entries[at]
        if (record !== undefined && fits(record, query)) found.push(record)
        if (found.length < limit) continue
        const isLast = at === entries.length - 1 && entries.length < BATCH
        return page(found, isLast ? undefined : after)
      }
      if (entries.length < BATCH) return page(found, undefined)
    }
    return page(found, after)
  }

  /** The operations of a user that have not ended, newest first, at most `limit`. */
  async live(tenant: string, user: string, limit: number): Promise<readonly OperationRecord[]> {
    const { indexes } = this.#parts.engine
    const name = liveList(tenant, user)
    const found: OperationRecord[] = []
    let after: IndexEntry | undefined
    for (let scanned = 0; scanned < SCAN_MAX && found.length < limit; scanned += BATCH) {
      const entries = await this.#range(name, after)
      for (const record of await this.#read(tenant, name, entries))
        if (record === undefined || record.snapshot.owner !== user) continue
        else if (isTerminal(record.snapshot.state)) await indexes.remove(name, record.snapshot.id)
        else found.push(record)
      after = entries.at(-1)
      if (entries.length < BATCH) break
    }
    return found.slice(0, limit)
  }

  /** Entries of the list of a tenant behind another, oldest first, after their operations were looked at. */
  async look(tenant: string, after: IndexEntry | undefined): Promise<readonly IndexEntry[]> {
    const name = tenantList(tenant)
    const entries = await this.#parts.engine.indexes.range(name, { limit: BATCH, ...(after && { after }) })
    await this.#read(tenant, name, entries)
    return entries
  }

  #range(name: string, after: IndexEntry | undefined): Promise<readonly IndexEntry[]> {
    return this.#parts.engine.indexes.range(name, { order: 'descending', limit: BATCH, ...(after && { after }) })
  }

  /** The records of entries. What is not there any more leaves the list; what nobody has looked at in time is looked at. */
  async #read(
    tenant: string,
    name: string,
    entries: readonly IndexEntry[],
  ): Promise<readonly (OperationRecord | undefined)[]> {
    const { store, clock, engine, idleMs } = this.#parts
    const records = await Promise.all(entries.map(({ key }) => store.read(tenant, key)))
    const now = clock.now()
    for (const [at, record] of records.entries()) {
      const { key = '', score = 0 } = entries[at] ?? {}
      if (record === undefined) {
        if (score < now - ABSENT_MS) await engine.indexes.remove(name, key)
      } else if (isOverdue(record, now, idleMs)) await this.due(record, now)
    }
    return records
  }
}

/** By how much an operation is late that nobody looks at. */
const OVERDUE_MS = 60_000

function isOverdue(record: OperationRecord, now: number, idleMs: number): boolean {
  const { leaseUntil, leaseMs, expiresAt = Infinity, idleSince } = record.work
  if (isTerminal(record.snapshot.state)) return false
  const until = Math.min(leaseUntil ?? Infinity, expiresAt, idleSince === undefined ? Infinity : idleSince + idleMs)
  return until + leaseMs + OVERDUE_MS < now
}

function listsOf({ snapshot, sharedWith }: OperationRecord): string[] {
  const { tenant, owner, parent } = snapshot
  const users = new Set([owner, ...sharedWith])
  return [
    tenantList(tenant),
    ...Array.from(users, (user) => userList(tenant, user)),
    ...(parent === undefined ? [] : [parentList(tenant, parent)]),
  ]
}

function listFor(tenant: string, { parent, owner, visibleTo }: OperationQuery): string {
  // How far a page of what one may see has come must not depend on what one may not.
  if (visibleTo !== undefined) return userList(tenant, visibleTo)
  if (parent !== undefined) return parentList(tenant, parent)
  return owner === undefined ? tenantList(tenant) : userList(tenant, owner)
}

function tenantList(tenant: string): string {
  return `operations:in:${tenant}`
}

function userList(tenant: string, user: string): string {
  return `operations:of:${userKey({ tenant, user })}`
}

function liveList(tenant: string, user: string): string {
  return `operations:live:${userKey({ tenant, user })}`
}

function parentList(tenant: string, parent: string): string {
  return `operations:under:${operationKey(tenant, parent)}`
}

function fits({ snapshot, sharedWith }: OperationRecord, query: OperationQuery): boolean {
  const { owner, visibleTo, parent, states, kind } = query
  return (
    (owner === undefined || snapshot.owner === owner) &&
    (visibleTo === undefined || snapshot.owner === visibleTo || sharedWith.includes(visibleTo)) &&
    (parent === undefined || snapshot.parent === parent) &&
    (states === undefined || states.includes(snapshot.state)) &&
    (kind === undefined || snapshot.kind === kind)
  )
}

function page(found: readonly OperationRecord[], after: IndexEntry | undefined): OperationPage {
  return { operations: found.map(({ snapshot }) => snapshot), ...(after && { next: encodeCursor(after) }) }
}

function readLimit(limit: number = LIMIT_DEFAULT): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new HoldfastError('bad_request', `limit must be an integer from 1 to ${LIMIT_MAX}, received ${String(limit)}`)
}

function encodeCursor({ key, score }: IndexEntry): string {
  return Buffer.from(`${score} ${key}`).toString('base64url')
}

function readCursor(cursor: string | undefined): IndexEntry | undefined {
  if (cursor === undefined) return undefined
  const text = Buffer.from(cursor, 'base64url').toString()
  const space = text.indexOf(' ')
  const [score, key] = [Number(text.slice(0, space)), text.slice(space + 1)]
  if (space < 1 || key === '' || !Number.isFinite(score))
    throw new HoldfastError('bad_request', 'cursor must be the `next` of a page before')
  return { score, key }
}
