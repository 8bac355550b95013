import { createHash } from 'node:crypto'
import type { ChannelRule } from '../../access/channel-rules.js'
import {
  type Engine,
  type PublishOutcome,
  type PublishRequest,
  type Signal,
  type Stream,
  streamKey,
} from '../../engine/engine.js'
import type { Random } from '../../random.js'
import { HoldfastError, asHoldfastError } from '../errors.js'
import type { Hub } from './hub.js'
import type { Quotas } from '../limits/quotas.js'
import type { Retries } from '../retries.js'
import type { Spool, SpooledRequest } from './spool.js'
import type { TenantUse } from '../limits/tenant-use.js'

/** Bytes of a message's id. */
const ID_BYTES = 8

/** Under this scope a message that carries no key of its own is known by its id. */
const ID_SCOPE = '#id'

/** After how long a publisher tries again when there is no room to wait for the engine. */
const RETRY_AFTER_MS = 2_000

/** What a publisher works with. */
export interface PublisherParts {
  readonly engine: Engine
  readonly random: Random
  readonly hub: Hub
  readonly spool: Spool
  readonly retries: Retries
  readonly quotas: Pick<Quotas, 'of'>
  /** A message that waited was refused for good. */
  onLost(stream: Stream, reason: string): void
}

/**
 * The one way in for messages and signals. On a channel whose rule says `whenDegraded: 'local'` a message that the engine cannot take is delivered to the
 * subscribers of this node at once, without an offset, and published under the same id when the engine is back.
 */
export class Publisher {
  readonly #parts: PublisherParts
  #flushing = false

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /** @throws HoldfastError `rate_limited` or `limit_exceeded` by a quota of the tenant; `engine_unavailable` when the message is neither stored nor spooled. */
  publish(request: PublishRequest, rule: Pick<ChannelRule, 'whenDegraded'>): Promise<PublishOutcome> {
    const use = this.#parts.quotas.of(request.stream.tenant)
    return use === undefined ? this.#publish(request, rule) : this.#publishCharged(use, request, rule)
  }

  #publish(request: PublishRequest, rule: Pick<ChannelRule, 'whenDegraded'>): Promise<PublishOutcome> {
    return rule.whenDegraded === 'local'
      ? this.#publishOrSpool(this.#named(request))
      : this.#parts.engine.publish(request)
  }

  /**
   * Announces a signal; where the engine is away and the rule says so, to this node's subscribers.
   *
   * @throws HoldfastError `rate_limited` by a quota of the tenant, `engine_unavailable`.
   */
  async signal(stream: Stream, signal: Signal, rule: Pick<ChannelRule, 'whenDegraded'>): Promise<void> {
    const { engine, hub, quotas } = this.#parts
    const charged = quotas.of(stream.tenant)?.charge({ characters: signal.data.length })
    if (charged !== undefined) await charged
    if (rule.whenDegraded === 'local' && engine.problem() !== undefined) hub.find(stream)?.signal(signal)
    else await engine.announce(stream, signal)
  }

  /** Publishes what waits, each stream in its order. Resolves when all of it is published or the engine refuses again. */
  async flush(): Promise<void> {
    if (this.#flushing) return
    this.#flushing = true
    try {
      await Promise.all(this.#parts.spool.streams().map((stream) => this.#flushStream(stream)))
    } finally {
      this.#flushing = false
    }
  }

  async #publishCharged(
    use: TenantUse,
    request: PublishRequest,
    rule: Pick<ChannelRule, 'whenDegraded'>,
  ): Promise<PublishOutcome> {
    const { stream, data, retention } = request
    const charge = { channel: stream.channel, characters: data.length, retention }
    const charged = use.charge(charge)
    if (charged !== undefined) await charged
    const outcome = await this.#publish(use.weighs ? { ...request, weigh: true } : request, rule)
    use.published(charge, outcome)
    return outcome
  }

  async #publishOrSpool(request: SpooledRequest): Promise<PublishOutcome> {
    const { engine, spool } = this.#parts
    // Behind what waits already: a channel has one order.
    if (engine.problem() !== undefined || spool.has(request.stream)) return this.#deliverHere(request)
    try {
      return await engine.publish(request)
    } catch (error) {
      // Perhaps it was stored: under the same id and key it cannot be stored twice.
      if (asHoldfastError(error).code === 'engine_unavailable') return this.#deliverHere(request)
      throw error
    }
  }

  #deliverHere(request: SpooledRequest): PublishOutcome {
    const { stream, id, event, data, from, at } = request
    const spooling = this.#parts.spool.add(request)
    if (spooling === 'full') throw new HoldfastError('engine_unavailable', undefined, { retryAfter: RETRY_AFTER_MS })
    if (spooling === 'conflict') return { kind: 'idempotency_conflict' }
    if (spooling === 'taken') {
      this.#parts.hub.find(stream)?.message('', { id, offset: undefined, event, data, from, at })
      if (this.#parts.engine.problem() === undefined) void this.#parts.retries.insist(() => this.flush())
    }
    return { kind: 'published', epoch: '', offset: 0, id, duplicate: spooling === 'duplicate' }
  }

  async #flushStream(stream: string): Promise<void> {
    const { engine, spool } = this.#parts
    for (let next = spool.first(stream); next !== undefined; next = spool.first(stream)) {
      const outcome = await engine.publish(next)
      if (outcome.kind !== 'published') this.#parts.onLost(next.stream, outcome.kind)
      spool.shift(stream)
    }
  }

  /** Under an id that whoever repeats the publish arrives at, too, be it on another node. */
  #named(request: PublishRequest): SpooledRequest {
    const { idempotency, stream } = request
    const id = request.id ?? (idempotency ? idOf(stream, idempotency) : this.#parts.random.id(ID_BYTES))
    return { ...request, id, idempotency: idempotency ?? { scope: ID_SCOPE, key: id } }
  }
}

function idOf(stream: Stream, { scope, key }: { scope: string; key: string }): string {
  const name = `${streamKey(stream)}\n${scope.length}:${scope}${key}`
  return createHash('sha256').update(name).digest().subarray(0, ID_BYTES).toString('base64url')
}
