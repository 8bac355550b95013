import { createHash } from 'node:crypto'
import type { Position } from '@holdfast/protocol'
import type { ChannelRule } from '../access/channel-rules.js'
import { type Clock, timestamp } from '../clock.js'
import type { Hub } from '../core/channels/hub.js'
import type { Inboxes } from '../core/channels/inbox.js'
import type { Publisher } from '../core/channels/publisher.js'
import { type HandOver, NOTIFICATION_EVENT, type ReceiptDoor } from '../core/channels/receipts.js'
import { HoldfastError, asHoldfastError } from '../core/errors.js'
import type { ControlDesk } from '../core/nodes/control.js'
import type { Peers } from '../core/nodes/peers.js'
import type { Retries } from '../core/retries.js'
import { type Rules, SYSTEM } from '../core/services.js'
import type { Engine, PublishOutcome, Stream, StreamMessage } from '../engine/engine.js'
import type { Lifecycle } from '../lifecycle/lifecycle.js'
import type { Random } from '../random.js'
import { HandOvers, type HandOverCount } from './hand-overs.js'
import type { ReadNotification } from './notification.js'
import { Overseer } from './overseer.js'
import { type NotificationReceipt, type ReceiptRecord, receiptOf } from './receipt.js'
import { type ReceiptName, ReceiptStore } from './receipt-store.js'
import { Receipts } from './receipts.js'
import { Reminders } from './reminders.js'
import { comeBack, nextLook } from './schedule.js'
import { type ReceiptWait, ReceiptWaits } from './waits.js'

/** What the notifications of a node work with. */
export interface NotificationsParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  readonly node: string
  readonly publisher: Pick<Publisher, 'publish'>
  readonly inboxes: Inboxes
  readonly rules: Pick<Rules, 'ruleOf'>
  readonly hub: Pick<Hub, 'find'>
  readonly control: Pick<ControlDesk, 'on' | 'askAll'>
  readonly peers: Pick<Peers, 'live'>
  readonly retries: Retries
  readonly lifecycle: Pick<Lifecycle, 'tell'>
  /** Open receipts of one tenant. */
  readonly receiptsMax: number
  readonly onError: (error: unknown) => void
}

/** A notification on its way to an inbox. */
export interface Letter {
  readonly user: string
  readonly inbox: Stream
  readonly rule: ChannelRule
  readonly notification: ReadNotification
  /** Its data, encoded. */
  readonly json: string
}

/** What a notification with a receipt came to. */
export interface Sent {
  readonly epoch: string
  readonly offset: number
  readonly id: string
  readonly duplicate: boolean
  readonly receipt: NotificationReceipt
}

/** What notifications are doing on this node, since it began. */
export interface NotificationStats {
  /** Receipts that this node found confirmed, and expired. */
  readonly confirmed: number
  readonly expired: number
  /** Reminders that it has sent, and how often it told that nobody is there. */
  readonly reminded: number
  readonly unreachable: number
  /** Whether this node is the one that looks at what is due now, for all nodes. */
  readonly oversees: boolean
}

type Placed = Pick<PublishOutcome & { kind: 'published' }, 'epoch' | 'offset' | 'id'>

/** How long a notification may take to be stored, before it is looked for. */
const STORING_MS = 30_000

/** Bytes of the id of a message, and of what says whether two notifications are the same. */
const ID_BYTES = 9
const DIGEST_BYTES = 18

/** Notifications with receipts: what becomes of each is known, whatever happens to the node that sent it. */
export class Notifications implements ReceiptDoor {
  readonly #parts: NotificationsParts
  readonly #store: ReceiptStore
  readonly #receipts: Receipts
  readonly #handOvers: HandOvers
  readonly #overseer: Overseer
  readonly #waits: ReceiptWaits

  constructor(parts: NotificationsParts) {
    this.#parts = parts
    const { engine, clock, random, node, retries, receiptsMax, lifecycle } = parts
    const store = new ReceiptStore({ engine, now: () => clock.now(), receiptsMax })
    this.#store = store
    const tell = lifecycle.tell.bind(lifecycle)
    this.#receipts = new Receipts({ ...parts, store, tell })
    this.#handOvers = new HandOvers({ clock, retries, write: (count) => this.#count(count) })
    this.#overseer = new Overseer({
      ...parts,
      store,
      tell,
      receipts: this.#receipts,
      reminders: new Reminders(parts),
      holder: `${node} ${random.id(ID_BYTES)}`,
      place: (tenant, record, at) => this.#place(tenant, record, at),
    })
    this.#waits = new ReceiptWaits({ engine, clock, retries, find: (name) => this.#find(name) })
  }

  /** What they are doing now. */
  stats(): NotificationStats {
    return { ...this.#receipts.totals, ...this.#overseer.totals }
  }

  /** Looks after what is due from now on. */
  start(): void {
    this.#overseer.start()
  }

  /** Leaves what is due to the other nodes; whoever waits is answered. */
  async stop(): Promise<void> {
    this.#waits.stop()
    await this.#overseer.stop()
  }

  /**
   * Publishes a notification and follows what becomes of it. The same id with the same content is answered as before, as long as the receipt is kept.
   *
   * @throws HoldfastError `bad_request` where the channel is no inbox, `limit_exceeded`, `rate_limited`, `idempotency_conflict`, `engine_unavailable`: then it may have been sent, and the
   * same again is safe.
   */
  async send(letter: Letter): Promise<Sent> {
    const { inbox, rule } = letter
    if (!rule.inbox || rule.retention === undefined)
      throw new HoldfastError('bad_request', `a receipt needs an inbox: ${inbox.channel} must have inbox: true`)
    try {
      return await this.#send(letter)
    } catch (error) {
      throw asHoldfastError(error)
    }
  }

  /** What has become of a notification; undefined where there is no receipt of this id, or none any more. @throws HoldfastError `engine_unavailable`. */
  async receipt(tenant: string, id: string): Promise<NotificationReceipt | undefined> {
    try {
      return await this.#find({ tenant, id })
    } catch (error) {
      throw asHoldfastError(error)
    }
  }

  /** As `receipt`, when it has ended or the time is over. */
  async changed(name: ReceiptName, wait: ReceiptWait): Promise<NotificationReceipt | undefined> {
    try {
      return await this.#waits.ended(name, wait)
    } catch (error) {
      throw asHoldfastError(error)
    }
  }

  handed(inbox: Stream, messages: readonly StreamMessage[], how: HandOver): void {
    this.#handOvers.note(inbox, messages, how)
  }

  async acknowledged(inbox: Stream, position: Position): Promise<void> {
    // What was handed over a moment ago is counted before it is told how often that was.
    await this.#handOvers.flush()
    await this.#receipts.acknowledged(inbox, position)
  }

  async #find(name: ReceiptName): Promise<NotificationReceipt | undefined> {
    const record = await this.#store.find(name.tenant, name.id)
    if (record === undefined) return undefined
    return receiptOf(record.state === 'sent' ? await this.#receipts.compare(name, record) : record)
  }

  async #send(letter: Letter): Promise<Sent> {
    const { tenant } = letter.inbox
    const { id } = letter.notification
    const digest = digestOf(letter)
    const known = await this.#store.find(tenant, id)
    const record = known ?? (await this.#begin(letter, digest))
    if (record.digest !== digest) throw new HoldfastError('idempotency_conflict')
    if (record.state !== 'storing') return answerOf(record, true)
    if (known) await this.#store.plan(tenant, record, this.#parts.clock.now() + STORING_MS)
    const outcome = await this.#publish(letter, record)
    return answerOf(await this.#place(tenant, record, outcome), outcome.duplicate)
  }

  async #begin({ user, inbox, notification }: Letter, digest: string): Promise<ReceiptRecord> {
    const now = this.#parts.clock.now()
    const { id, priority, ttlMs = 0 } = notification
    const record: ReceiptRecord = {
      id,
      user,
      channel: inbox.channel,
      priority,
      state: 'storing',
      digest,
      message: this.#parts.random.id(ID_BYTES),
      epoch: '',
      offset: 0,
      attempts: 0,
      sentAt: now,
      expiresAt: now + ttlMs,
      round: 0,
      isReachable: false,
      reminders: 0,
      unreachable: 0,
    }
    if (await this.#store.enter(inbox.tenant, record, now + STORING_MS)) return record
    // Somebody else has sent it at this moment.
    const other = await this.#store.find(inbox.tenant, id)
    if (other === undefined) throw new HoldfastError('engine_unavailable')
    return other
  }

  async #publish(
    { inbox, rule, json }: Letter,
    record: ReceiptRecord,
  ): Promise<PublishOutcome & { kind: 'published' }> {
    const request = {
      stream: inbox,
      event: NOTIFICATION_EVENT,
      data: json,
      from: SYSTEM,
      at: timestamp(record.sentAt),
      retention: rule.retention,
      id: record.message,
      idempotency: { scope: '', key: record.id },
    }
    // What waits on one node alone was not sent.
    const outcome = await this.#parts.publisher.publish(request, { whenDegraded: 'refuse' })
    if (outcome.kind !== 'published') throw new HoldfastError('idempotency_conflict')
    return outcome
  }

  /** Its message is in the inbox, there; answers how the receipt is then. */
  async #place(tenant: string, record: ReceiptRecord, at: Placed): Promise<ReceiptRecord> {
    const name = { tenant, id: record.id }
    const { epoch, offset, id: message } = at
    const sent = (now: ReceiptRecord): ReceiptRecord => ({ ...now, state: 'sent', epoch, offset, message })
    const { clock, random, rules } = this.#parts
    const placed =
      (await this.#store.change(name, (now) => (now.state === 'storing' ? sent(now) : undefined))) ??
      (await this.#restore(tenant, sent(record)))
    if (placed.state !== 'sent') return placed
    await this.#store.open(tenant, placed)
    await this.#store.plan(tenant, placed, nextLook(placed, clock.now(), random))
    const size = rules.ruleOf(record.channel, undefined)?.retention?.size ?? Infinity
    await this.#receipts.trim({ tenant, channel: record.channel }, at, size)
    // It may have been acknowledged before it could be found by its place.
    return this.#receipts.compareCursor(name, placed)
  }

  /** Somebody else has placed it, or taken it for lost. */
  async #restore(tenant: string, sent: ReceiptRecord): Promise<ReceiptRecord> {
    const other = await this.#store.find(tenant, sent.id)
    if (other !== undefined) return other
    await this.#store.enter(tenant, sent, this.#parts.clock.now())
    return sent
  }

  async #count({ tenant, id, message, connections, hasJustCome }: HandOverCount): Promise<void> {
    const { clock, random } = this.#parts
    const counted = await this.#store.change({ tenant, id }, (now) => {
      const handed = { ...now, attempts: now.attempts + connections }
      // Of the same id may be another one by now.
      if (now.message !== message) return undefined
      return hasJustCome ? comeBack(handed) : handed
    })
    if (counted?.state === 'sent' && counted.priority === 'critical' && hasJustCome)
      await this.#store.plan(tenant, counted, nextLook(counted, clock.now(), random))
  }
}

function digestOf({ user, notification, json }: Letter): string {
  const text = `${user.length}:${user}${notification.ttlMs} ${json}`
  return createHash('sha256').update(text).digest().subarray(0, DIGEST_BYTES).toString('base64url')
}

function answerOf(record: ReceiptRecord, duplicate: boolean): Sent {
  const receipt = receiptOf(record)
  if (receipt === undefined) throw new HoldfastError('engine_unavailable')
  return { epoch: record.epoch, offset: record.offset, id: record.message, duplicate, receipt }
}
