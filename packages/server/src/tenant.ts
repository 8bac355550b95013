import { type Position, type Sender, channelSegment, encodeData, eventName, isChannelName } from '@holdfast/protocol'
import { isTenantName, isUserName } from './access/identity.js'
import { type Clock, timestamp } from './clock.js'
import { HoldfastError, asHoldfastError } from './core/errors.js'
import { NOTIFICATION_EVENT } from './core/channels/receipts.js'
import type { PresenceTracker } from './core/channels/presence.js'
import { readHistory } from './core/channels/history-page.js'
import type { Publisher } from './core/channels/publisher.js'
import type { TenantUsage } from './core/limits/quotas.js'
import { type Rules, SYSTEM } from './core/services.js'
import type { Engine, MemberList, StreamMessage } from './engine/engine.js'
import type { LifecycleType } from './lifecycle/event.js'
import type { LifecycleHook } from './lifecycle/hooks.js'
import type { Lifecycle } from './lifecycle/lifecycle.js'
import { type Notification, readNotification } from './notifications/notification.js'
import type { Notifications } from './notifications/notifications.js'
import type { NotificationReceipt } from './notifications/receipt.js'
import type { ReceiptWait } from './notifications/waits.js'
import type { Operations } from './operations/operations.js'
import { type TenantOperations, tenantOperations } from './tenant-operations.js'
import { TenantKeys, type TenantKeysSurroundings } from './tenant-keys.js'
import {
  TenantUser,
  type TenantUserSurroundings,
  type WithdrawOptions,
  readTtl,
  readWithdrawal,
} from './tenant-user.js'

/** What a publish came to. */
export interface PublishResult {
  /** Empty on a channel without history. */
  readonly epoch: string
  /** 0 on a channel without history. */
  readonly offset: number
  readonly id: string
  /** The same key was published before; this is what it was answered then. */
  readonly duplicate: boolean
}

/** A stored message, its data decoded. */
export interface HistoryMessage {
  readonly id: string
  readonly offset: number
  readonly event: string
  readonly data: unknown
  readonly from: Sender
  readonly at: string
}

/** Part of a channel's history, newest last. */
export interface HistoryPage {
  readonly epoch: string
  readonly messages: readonly HistoryMessage[]
  /** Whether there is more in the direction of reading. */
  readonly more: boolean
}

/** What a notification came to. */
export interface NotifyResult extends PublishResult {
  /** What becomes of it, where it has a receipt. */
  readonly receipt?: NotificationReceipt
}

/** The receipts of one tenant. */
export interface TenantReceipts {
  /**
   * The receipt when it is confirmed or expired, or as it is when `timeoutMs` (1 to 3,600,000) are over or the signal aborts; undefined where there is none.
   *
   * @throws HoldfastError `bad_request`, `engine_unavailable`.
   */
  changed(id: string, wait: ReceiptWait): Promise<NotificationReceipt | undefined>
}

/** What a tenant's facade needs of its node. */
export interface TenantSurroundings extends TenantKeysSurroundings, TenantUserSurroundings {
  readonly clock: Clock
  readonly engine: Engine
  readonly publisher: Publisher
  readonly rules: Rules
  readonly presence: PresenceTracker
  readonly operations: Operations
  readonly messageBytesMax: number
  readonly newId: () => string
  disconnect(tenant: string, user: string): Promise<number>
  recheck(tenant: string, user: string): Promise<number>
  usage(tenant: string): Promise<TenantUsage>
  readonly lifecycle: Pick<Lifecycle, 'on'>
  readonly notifications: Pick<Notifications, 'send' | 'receipt' | 'changed'>
}

/** Characters of the id of a token that can be withdrawn. */
const TOKEN_ID_LENGTH_MAX = 256

/** The longest wait for a receipt. */
const WAIT_MAX_MS = 3_600_000

/** Messages in one answer to `history`. */
const HISTORY_LIMIT_MAX = 1_000_000

/** Characters of data in one answer to `history`. */
const HISTORY_BYTES_MAX = 16_777_216

/** The only door for application code: everything it does stays within one tenant. */
export class Tenant {
  readonly id: string
  readonly operations: TenantOperations
  readonly receipts: TenantReceipts
  /** Its API keys. */
  readonly keys: TenantKeys
  readonly #node: TenantSurroundings

  /** Use `holdfast.tenant(id)`. @throws RangeError when `id` cannot name a tenant. */
  constructor(id: string, node: TenantSurroundings) {
    if (!isTenantName(id)) throw new RangeError('tenant must be 1 to 128 printable characters')
    this.id = id
    this.#node = node
    this.keys = new TenantKeys(id, node)
    this.receipts = { changed: (receipt, wait) => this.#changed(receipt, wait) }
    this.operations = tenantOperations(node.operations, id)
  }

  /** As `holdfast.on`, for the events of this tenant. */
  on<T extends LifecycleType>(type: T, hook: LifecycleHook<T>): () => void {
    return this.#node.lifecycle.on(type, hook, this.id)
  }

  /** What is done for one user, and addresses nobody else. @throws RangeError when `user` cannot name a user. */
  user(user: string): TenantUser {
    return new TenantUser(this, user, this.#node)
  }

  /**
   * Publishes a message from the application. Resolves when it is stored (on a channel with history) and announced.
   *
   * @throws HoldfastError `invalid_channel`, `bad_request`, `permission_denied` (no rule names the channel), `limit_exceeded`,
   * `idempotency_conflict`, `engine_unavailable`; UnserialisableError naming the path in `data`.
   */
  async publish(channel: string, event: string, data: unknown, options: { key?: string } = {}): Promise<PublishResult> {
    const { stream, rule } = this.#resolve(channel)
    checkEvent(event)
    const encoded = this.#encode(data)
    const request = {
      stream,
      event,
      data: encoded,
      from: SYSTEM,
      at: timestamp(this.#node.clock.now()),
      retention: rule.retention,
      ...(options.key !== undefined && { idempotency: { scope: '', key: options.key } }),
    }
    const outcome = await this.#node.publisher.publish(request, rule)
    if (outcome.kind !== 'published') throw new HoldfastError('idempotency_conflict')
    const { epoch, offset, id, duplicate } = outcome
    return { epoch, offset, id, duplicate }
  }

  /** Sends a signal from the application: announced to whoever listens now, never stored. */
  async signal(channel: string, event: string, data: unknown): Promise<void> {
    const { stream, rule } = this.#resolve(channel)
    checkEvent(event)
    const at = timestamp(this.#node.clock.now())
    await this.#node.publisher.signal(stream, { event, data: this.#encode(data), from: SYSTEM, at }, rule)
  }

  /**
   * Publishes a `notification` to the inbox of a user; it waits there for the user's next connection. With `receipt: true` what becomes of it is followed.
   *
   * @throws HoldfastError as `publish`; with a receipt also `bad_request` where `user:{user}` is no inbox, and `limit_exceeded` where the tenant has too many that are open.
   */
  async notify(user: string, notification: Notification): Promise<NotifyResult> {
    if (!isUserName(user)) throw new HoldfastError('bad_request', 'user must be the name of a user')
    const read = readNotification(notification, this.#node.newId)
    const channel = `user:${channelSegment(user)}`
    if (read.ttlMs === undefined) return this.publish(channel, NOTIFICATION_EVENT, read.data, { key: read.id })
    const { stream: inbox, rule } = this.#resolve(channel)
    return this.#node.notifications.send({ user, inbox, rule, notification: read, json: this.#encode(read.data) })
  }

  /** What has become of a notification with a receipt, for a day after it was confirmed or expired; undefined where there is none. @throws HoldfastError `engine_unavailable`. */
  receipt(id: string): Promise<NotificationReceipt | undefined> {
    return this.#node.notifications.receipt(this.id, id)
  }

  async #changed(id: string, wait: ReceiptWait): Promise<NotificationReceipt | undefined> {
    const { timeoutMs } = wait
    if (!(timeoutMs >= 1 && timeoutMs <= WAIT_MAX_MS))
      throw new HoldfastError('bad_request', `timeoutMs must be from 1 to ${WAIT_MAX_MS}, received ${timeoutMs}`)
    return this.#node.notifications.changed({ tenant: this.id, id }, wait)
  }

  /**
   * What is stored of a channel: after `since` (oldest first kept), before `before`, or the newest; at most `limit` (1 to 1,000,000,
   * default 100). A position in an epoch that has ended gives no messages.
   *
   * @throws HoldfastError `invalid_channel`, `permission_denied` (no rule names the channel), `bad_request`, `engine_unavailable`.
   */
  async history(
    channel: string,
    options: { since?: Position; before?: Position; limit?: number } = {},
  ): Promise<HistoryPage> {
    const { stream, rule } = this.#resolve(channel)
    const { since, before, limit = 100 } = options
    checkRange(options)
    if (rule.retention === undefined) return { epoch: '', messages: [], more: false }
    const wish = { since, before, limit, bytesMax: HISTORY_BYTES_MAX }
    const { messages, ...page } = await readHistory(this.#node.engine, { stream, retention: rule.retention }, wish)
    return { ...page, messages: messages.map(decode) }
  }

  /** Who is in a channel: up to 1,000 members, and the counts of all. */
  async presence(channel: string): Promise<Pick<MemberList, 'members' | 'counts'>> {
    const { members, counts } = await this.#node.presence.list(this.#resolve(channel).stream)
    return { members, counts }
  }

  /**
   * What the tenant uses now, over all nodes, and what its quotas allow. What no quota bounds is undefined: nobody counts it.
   *
   * @throws HoldfastError `engine_unavailable`.
   */
  async usage(): Promise<TenantUsage> {
    try {
      return await this.#node.usage(this.id)
    } catch (error) {
      throw asHoldfastError(error)
    }
  }

  /**
   * Closes every connection of a user, on all nodes; answers how many there were on those that answered within a second.
   *
   * @throws HoldfastError `engine_unavailable` when the other nodes cannot be told; the connections of this node are closed then, too.
   */
  async disconnect(user: string): Promise<number> {
    try {
      return await this.#node.disconnect(this.id, user)
    } catch (error) {
      throw asHoldfastError(error)
    }
  }

  /**
   * Has the channel rules asked again about every channel of a user's connections, on all nodes: for when what predicates, webhooks or owners know of has changed. What is
   * allowed no more ends with `unsubscribed`. Answers how many connections are looked at, on those nodes that answered within a second.
   *
   * @throws HoldfastError `engine_unavailable` when the other nodes cannot be told; the connections of this node are looked at then, too.
   */
  async recheck(user: string): Promise<number> {
    try {
      return await this.#node.recheck(this.id, user)
    } catch (error) {
      throw asHoldfastError(error)
    }
  }

  /**
   * Withdraws a token by its id (`jti`), for `ttl` (default `24h`; what is left of its life is enough): every connection with it is closed, on all nodes, and no other is
   * welcomed. Resolves when that is stored and the other nodes were told; one that cannot hear it acts when it can.
   *
   * @throws HoldfastError `bad_request` for an empty id or a `ttl` that is no duration, `engine_unavailable` when it could not be stored: then nothing was done.
   */
  async revokeToken(tokenId: string, { ttl = '24h' }: { readonly ttl?: number | string } = {}): Promise<void> {
    if (tokenId === '' || tokenId.length > TOKEN_ID_LENGTH_MAX)
      throw new HoldfastError('bad_request', `tokenId must be 1 to ${TOKEN_ID_LENGTH_MAX} characters`)
    await this.#node.revoke({ tenant: this.id, tokenId }, { ttlMs: readTtl(ttl) })
  }

  /**
   * Withdraws every token of the tenant that was issued before now, or before `issuedBefore`, as `user(id).revoke` does those of one user. API keys are not tokens: they
   * stay.
   *
   * @throws HoldfastError `bad_request`, `engine_unavailable` when it could not be stored: then nothing was done.
   */
  async revokeAll(options: WithdrawOptions = {}): Promise<void> {
    const { clock, tokenLifetimeMs, revoke } = this.#node
    await revoke({ tenant: this.id }, readWithdrawal(options, clock.now(), tokenLifetimeMs))
  }

  #resolve(channel: string): {
    stream: { tenant: string; channel: string }
    rule: NonNullable<ReturnType<Rules['ruleOf']>>
  } {
    if (!isChannelName(channel))
      throw new HoldfastError('invalid_channel', `channel must be namespace:name, received ${JSON.stringify(channel)}`)
    const rule = this.#node.rules.ruleOf(channel, undefined)
    if (rule === undefined)
      throw new HoldfastError('permission_denied', `no channel rule names ${JSON.stringify(channel)}`)
    return { stream: { tenant: this.id, channel }, rule }
  }

  #encode(data: unknown): string {
    const encoded = encodeData(data)
    const max = this.#node.messageBytesMax
    if (Buffer.byteLength(encoded) > max)
      throw new HoldfastError('limit_exceeded', `data must be at most ${max} bytes when encoded`)
    return encoded
  }
}

function checkRange({ since, before, limit = 1 }: { since?: Position; before?: Position; limit?: number }): void {
  if (since !== undefined && before !== undefined)
    throw new HoldfastError('bad_request', 'since and before exclude each other')
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > HISTORY_LIMIT_MAX)
    throw new HoldfastError('bad_request', `limit must be an integer from 1 to ${HISTORY_LIMIT_MAX}, received ${limit}`)
}

function checkEvent(event: string): void {
  const issue = eventName.check(event, 'event')
  if (issue) throw new HoldfastError('bad_request', `event must be ${issue.expected}`)
}

function decode(message: StreamMessage): HistoryMessage {
  const { id, offset = 0, event, data, from, at } = message
  return { id, offset, event, data: JSON.parse(data) as unknown, from, at }
}
