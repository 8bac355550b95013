import type { Position } from '@holdfast/protocol'
import { type Clock, timestamp } from '../clock.js'
import type { Inboxes } from '../core/channels/inbox.js'
import { type Rules, SYSTEM } from '../core/services.js'
import type { Engine, LogPage, Stream } from '../engine/engine.js'
import type { LifecycleEvent } from '../lifecycle/event.js'
import { inParallel } from '../lifecycle/in-parallel.js'
import { endOf } from './places.js'
import { type ExpiryReason, type ReceiptRecord, hasEnded } from './receipt.js'
import type { ReceiptName, ReceiptStore } from './receipt-store.js'

/** What receipts work with. */
export interface ReceiptsParts {
  readonly engine: Pick<Engine, 'read' | 'announce'>
  readonly clock: Pick<Clock, 'now'>
  readonly store: ReceiptStore
  readonly inboxes: Pick<Inboxes, 'acknowledged'>
  readonly rules: Pick<Rules, 'ruleOf'>
  /** Writes an event down, if anybody wants it; the same one again changes nothing. Rejects when the engine refuses. */
  readonly tell: (event: LifecycleEvent) => Promise<void>
}

/** What receipts have come to on this node, since it began. */
export interface ReceiptTotals {
  readonly confirmed: number
  readonly expired: number
}

/** Receipts that are looked at together. */
const AT_ONCE = 16

/** How soon an end is told by another node, when the one that wrote it down dies before it could. */
const UNTOLD_MS = 5_000

/** How a receipt ends. Every end is written down once, and told once: whoever dies in between leaves it to the node that looks at what is due. */
export class Receipts {
  readonly #parts: ReceiptsParts
  #confirmed = 0
  #expired = 0

  constructor(parts: ReceiptsParts) {
    this.#parts = parts
  }

  get totals(): ReceiptTotals {
    return { confirmed: this.#confirmed, expired: this.#expired }
  }

  /** The user has acknowledged an inbox up to there: what was open before is confirmed. */
  async acknowledged(inbox: Stream, position: Position): Promise<void> {
    const { store } = this.#parts
    for (let last: string | undefined; ;) {
      const open = await store.openUpTo(inbox, position.offset)
      // What could not be ended now is when it is due.
      if (open.length === 0 || open[0] === last) return
      await inParallel(open, AT_ONCE, (id) => this.#acknowledged({ tenant: inbox.tenant, id }, inbox, position))
      last = open[0]
    }
  }

  /** Makes room in an inbox whose newest message is at `offset`: what it keeps no more is expired. */
  async trim(inbox: Stream, { epoch, offset }: Pick<Position, 'epoch' | 'offset'>, size: number): Promise<void> {
    if (offset <= size) return
    const open = await this.#parts.store.openUpTo(inbox, offset - size)
    const name = (id: string): ReceiptName => ({ tenant: inbox.tenant, id })
    await inParallel(open, AT_ONCE, async (id) => {
      const record = await this.#parts.store.find(inbox.tenant, id)
      if (record?.epoch === epoch) await this.compare(name(id), record)
    })
  }

  /** Compares an open receipt with its inbox, and ends it where that is due; answers how it is then. */
  async compare(name: ReceiptName, record: ReceiptRecord): Promise<ReceiptRecord> {
    const compared = await this.compareCursor(name, record)
    if (hasEnded(compared)) return compared
    const inbox = { tenant: name.tenant, channel: record.channel }
    if (this.#parts.clock.now() >= record.expiresAt) return this.end(name, record, 'ttl')
    const log = await this.#logOf(inbox)
    const isThere = log?.epoch === record.epoch && log.first <= record.offset
    return isThere ? record : this.end(name, record, 'trimmed')
  }

  /** Compares an open receipt with how far the user has acknowledged. */
  async compareCursor(name: ReceiptName, record: ReceiptRecord): Promise<ReceiptRecord> {
    const cursor = await this.#parts.inboxes.acknowledged({ tenant: name.tenant, channel: record.channel })
    const isBehind = cursor?.epoch !== record.epoch || cursor.offset < record.offset
    return isBehind ? record : this.end(name, record, 'confirmed')
  }

  /** Ends a receipt, if it is open; answers how it is then. */
  async end(name: ReceiptName, record: ReceiptRecord, how: 'confirmed' | ExpiryReason): Promise<ReceiptRecord> {
    const { store, clock } = this.#parts
    await store.plan(name.tenant, record, clock.now() + UNTOLD_MS)
    const ended = await store.change(name, (now) => (now.state === 'sent' ? endedAt(now, how, clock.now()) : undefined))
    if (ended === undefined) return (await store.find(name.tenant, name.id)) ?? record
    if (how === 'confirmed') this.#confirmed += 1
    else this.#expired += 1
    await this.finish(name, ended)
    return ended
  }

  /** Tells of an end, and lets go of what was kept for it. Doing so again changes nothing. */
  async finish(name: ReceiptName, record: ReceiptRecord): Promise<void> {
    const { engine, clock, store, tell } = this.#parts
    const { tenant, id } = name
    const at = timestamp(clock.now())
    await Promise.all([
      engine.announce(endOf(tenant, id), { event: 'ended', data: 'null', from: SYSTEM, at }),
      tell(endingOf(tenant, record)),
      store.close(tenant, record),
    ])
    await store.settle(name)
  }

  /** What has the same offset in another epoch is another message; what is open there went with its log. */
  async #acknowledged(name: ReceiptName, inbox: Stream, position: Position): Promise<void> {
    const { store } = this.#parts
    const record = await store.find(name.tenant, name.id)
    if (record === undefined) return store.close(name.tenant, { id: name.id, channel: inbox.channel })
    if (hasEnded(record)) return this.finish(name, record)
    await this.end(name, record, record.epoch === position.epoch ? 'confirmed' : 'trimmed')
  }

  async #logOf(inbox: Stream): Promise<LogPage | undefined> {
    const { engine, rules } = this.#parts
    const retention = rules.ruleOf(inbox.channel, undefined)?.retention
    return retention && engine.read(inbox, retention, { limit: 0, bytesMax: 0, keep: 'newest' })
  }
}

function endedAt(record: ReceiptRecord, how: 'confirmed' | ExpiryReason, now: number): ReceiptRecord {
  if (how === 'confirmed') return { ...record, state: 'confirmed', endedAt: now }
  return { ...record, state: 'expired', endedAt: now, reason: how }
}

/** What every event of a notification says. */
export function headingOf(
  tenant: string,
  { id, user, priority, attempts, sentAt, expiresAt }: ReceiptRecord,
): Omit<LifecycleEvent & { type: 'notification.unreachable' }, 'id' | 'type' | 'at' | 'times'> {
  const times = { sentAt: timestamp(sentAt), expiresAt: timestamp(expiresAt) }
  return { tenant, key: user, user, notification: id, priority, attempts, ...times }
}

function endingOf(tenant: string, record: ReceiptRecord): LifecycleEvent {
  const { state, message, endedAt: ended = record.expiresAt, reason = 'ttl' } = record
  const heading = { ...headingOf(tenant, record), at: timestamp(ended) }
  return state === 'confirmed'
    ? { id: `${message}.confirmed`, type: 'notification.confirmed', ...heading }
    : { id: `${message}.expired`, type: 'notification.expired', ...heading, reason }
}
