import { type OperationSnapshot, type Position, channelSegment } from '@holdfast/protocol'
import { signChannelTokenAt } from './access/channel-token.js'
import type { Verb } from './access/channel-rules.js'
import { isUserName } from './access/identity.js'
import type { Clock } from './clock.js'
import { HoldfastError } from './core/errors.js'
import type { RevokeOptions } from './core/rights/revocations.js'
import type { WithdrawalScope } from './core/rights/withdrawal.js'
import { durationMs } from './duration.js'
import type { Notification } from './notifications/notification.js'
import type { Operation } from './operations/operation.js'
import type { WorkerSpec } from './operations/operations.js'
import type { HistoryPage, NotifyResult, PublishResult, Tenant } from './tenant.js'

/** Which tokens of a user or tenant are withdrawn, and for how long that is kept. */
export interface WithdrawOptions {
  /** Those that were issued before: a date, or milliseconds since 1970. Default: now. Tokens carry the second of their issue, and one whose issue nobody knows counts as issued before. */
  readonly issuedBefore?: Date | number
  /** Default: the longest life that a token may have. */
  readonly ttl?: number | string
}

/** An operation of a user's own: nobody else owns it, and it is shared with nobody. */
export type OwnOperationSpec = Omit<WorkerSpec, 'owner' | 'sharedWith'>

/** The operations of one user. */
export interface UserOperations {
  /** Runs `work` as an operation of the user that ends however `work` does; resolves to its result, rejects with its error. */
  run<T>(spec: OwnOperationSpec, work: (operation: Operation) => Promise<T> | T): Promise<T>
  /** Begins an operation of the user that the caller reports on and must end. */
  start(spec: OwnOperationSpec): Promise<Operation>
  /** Undefined when there is none of this id that the user owns. */
  get(id: string): Promise<OperationSnapshot | undefined>
  /** Asks for an operation to stop; false when there is none of this id that the user owns, or it has ended. */
  cancel(id: string): Promise<boolean>
}

/** What a channel token is to allow. */
export interface ChannelTokenOptions {
  /** Default `subscribe`. */
  readonly verbs?: readonly Verb[]
  /** Milliseconds or text such as `5m`, from 1 second to 1 hour, in whole seconds. Default `5m`. */
  readonly ttl?: number | string
}

/** What a user's handle needs of its node. */
export interface TenantUserSurroundings {
  readonly clock: Pick<Clock, 'now'>
  /** What signs channel tokens. */
  readonly channelTokenSecret: string | undefined
  /** Milliseconds that a withdrawal is kept when nothing else says. */
  readonly tokenLifetimeMs: number
  revoke(scope: WithdrawalScope, options: RevokeOptions): Promise<void>
}

/** What an application does for one user of one tenant. Whatever is handed to it, it addresses nobody else. */
export class TenantUser {
  readonly id: string
  readonly operations: UserOperations
  readonly #tenant: Tenant
  readonly #inbox: string
  readonly #node: TenantUserSurroundings

  /** Use `holdfast.tenant(id).user(id)`. @throws RangeError when `id` cannot name a user. */
  constructor(tenant: Tenant, id: string, node: TenantUserSurroundings) {
    if (!isUserName(id)) throw new RangeError('user must be 1 to 128 printable characters')
    this.id = id
    this.#tenant = tenant
    this.#inbox = `user:${channelSegment(id)}`
    this.#node = node
    this.operations = ownOperations(tenant, id)
  }

  /** Publishes a message to the user's inbox. @throws HoldfastError as `publish` of the tenant. */
  publish(event: string, data: unknown, options: { key?: string } = {}): Promise<PublishResult> {
    return this.#tenant.publish(this.#inbox, event, data, options)
  }

  /** Sends a signal to the user's inbox: to whichever devices listen now. */
  signal(event: string, data: unknown): Promise<void> {
    return this.#tenant.signal(this.#inbox, event, data)
  }

  /** Publishes a `notification` to the user's inbox; it waits there for the user's next connection. @throws HoldfastError as `notify` of the tenant. */
  notify(notification: Notification): Promise<NotifyResult> {
    return this.#tenant.notify(this.id, notification)
  }

  /** What is stored of the user's inbox. @throws HoldfastError as `history` of the tenant. */
  history(options: { since?: Position; before?: Position; limit?: number } = {}): Promise<HistoryPage> {
    return this.#tenant.history(this.#inbox, options)
  }

  /** Closes every connection of the user, on all nodes; answers how many there were on those that answered within a second. */
  disconnect(): Promise<number> {
    return this.#tenant.disconnect(this.id)
  }

  /**
   * Withdraws the tokens of the user that were issued before now, or before `issuedBefore`: connections with them are closed, on all nodes, and no other is welcomed. Later
   * tokens are good. Resolves when that is stored and the other nodes were told; one that cannot hear it acts when it can.
   *
   * @throws HoldfastError `bad_request`, `engine_unavailable` when it could not be stored: then nothing was done.
   */
  async revoke(options: WithdrawOptions = {}): Promise<void> {
    const { clock, tokenLifetimeMs, revoke } = this.#node
    const how = readWithdrawal(options, clock.now(), tokenLifetimeMs)
    await revoke({ tenant: this.#tenant.id, user: this.id }, how)
  }

  /**
   * Makes a token that allows the user something on one channel, where the channel's rule says `grant`.
   *
   * @throws HoldfastError `bad_request` for what cannot be in a token, and where the node has no secret for them.
   */
  channelToken(channel: string, { verbs, ttl = '5m' }: ChannelTokenOptions = {}): string {
    const { clock, channelTokenSecret: secret } = this.#node
    if (secret === undefined)
      throw new HoldfastError('bad_request', 'channel tokens need auth.secret or channelTokens.secret')
    const ttlSeconds = Math.floor((durationMs(ttl) ?? NaN) / 1_000)
    const claims = { secret, tenant: this.#tenant.id, user: this.id, channel, ttlSeconds, ...(verbs && { verbs }) }
    try {
      return signChannelTokenAt(claims, clock.now())
    } catch (error) {
      if (error instanceof RangeError) throw new HoldfastError('bad_request', error.message)
      throw error
    }
  }
}

function ownOperations({ operations }: Tenant, owner: string): UserOperations {
  // Last, so that nothing in a specification stands before it.
  const own = (spec: OwnOperationSpec): WorkerSpec => ({ ...spec, owner, sharedWith: [] })
  const get: UserOperations['get'] = async (id) => {
    const snapshot = await operations.get(id)
    return snapshot?.owner === owner ? snapshot : undefined
  }
  return {
    run: (spec, work) => operations.run(own(spec), work),
    start: (spec) => operations.start(own(spec)),
    get,
    cancel: async (id) => (await get(id)) !== undefined && operations.cancel(id),
  }
}

/** What a withdrawal of many tokens is to be. @throws HoldfastError `bad_request` naming what is wrong. */
export function readWithdrawal(
  { issuedBefore, ttl }: WithdrawOptions,
  now: number,
  lifetimeMs: number,
): Required<Pick<RevokeOptions, 'issuedBefore' | 'ttlMs'>> {
  const before = Number(issuedBefore ?? now)
  if (!Number.isSafeInteger(before) || before < 0)
    throw new HoldfastError('bad_request', 'issuedBefore must be a date, or milliseconds since 1970')
  return { issuedBefore: before, ttlMs: ttl === undefined ? lifetimeMs : readTtl(ttl) }
}

/** The milliseconds of a `ttl`. @throws HoldfastError `bad_request` when it is none. */
export function readTtl(ttl: number | string): number {
  const ttlMs = durationMs(ttl)
  if (ttlMs !== undefined && ttlMs > 0) return ttlMs
  const received = JSON.stringify(ttl)
  throw new HoldfastError('bad_request', `ttl must be milliseconds or text such as 1h, received ${received}`)
}
