import { type OperationEvent, type OperationSnapshot, channelSegment, isTerminal } from '@holdfast/protocol'
import type { Cancel, Clock } from '../clock.js'
import { SYSTEM } from '../core/services.js'
import type { Engine, Retention, Stream } from '../engine/engine.js'
import type { OperationRecord } from './record.js'
import { operationKey } from './store.js'

/** What an echo works with. */
export interface EchoParts {
  readonly engine: Engine
  readonly clock: Clock
  /** What is kept of the feed of a user; undefined: nothing. */
  readonly feedRetention: Retention | undefined
  /** Tells the operation above this one. Resolves when that is taken, or stored where this one has ended. */
  readonly tellParent: (record: OperationRecord) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Milliseconds between two updates of one operation for those who do not watch it alone. */
const ECHO_MS = 1_000

/** An engine knows for five minutes that an end was told. What ended longer ago than this is looked for in the feed first, among so many of the newest, and so many bytes of them. */
const SURELY_KNOWN_MS = 60_000
const SEARCHED_MAX = 1_000
const SEARCHED_BYTES_MAX = 8_388_608

interface Held {
  latest: { readonly record: OperationRecord; readonly event: OperationEvent } | undefined
  sending: Promise<void>
  isSent: boolean
  cancel: Cancel
}

/** The channel of all operations of a user. */
export function feedChannel(user: string): string {
  return `operations:${channelSegment(user)}`
}

/** Tells those beside the watchers of an operation: the feed of its owner, and the operation above it. Progress once a second at most, everything else at once. */
export class Echo {
  readonly #parts: EchoParts
  readonly #held = new Map<string, Held>()

  constructor(parts: EchoParts) {
    this.#parts = parts
  }

  /** Something of a record is different. */
  tell(record: OperationRecord, event: OperationEvent): void {
    const { tenant, id } = record.snapshot
    const held = this.#held.get(operationKey(tenant, id))
    if (event === 'progress' && held !== undefined) held.latest = { record, event }
    else void this.#send(record, event).catch(this.#parts.onError)
  }

  /** It has ended. Resolves when everybody was told; rejects when somebody could not be. To do so again tells nobody twice. */
  tellEnd(record: OperationRecord): Promise<void> {
    const { state } = record.snapshot
    return isTerminal(state) ? this.#send(record, state) : Promise.resolve()
  }

  /** Tells nobody any more. */
  stop(): void {
    for (const { cancel } of this.#held.values()) cancel()
    this.#held.clear()
  }

  #send(record: OperationRecord, event: OperationEvent): Promise<void> {
    const key = operationKey(record.snapshot.tenant, record.snapshot.id)
    const earlier = this.#held.get(key)
    earlier?.cancel()
    // One after the other, so that nobody hears the older one last.
    const sending = (earlier?.sending ?? Promise.resolve()).then(() => this.#tellAll(record, event))
    const cancel = this.#parts.clock.after(ECHO_MS, () => this.#again(key))
    const held = { latest: undefined, sending: sending.catch(() => undefined), isSent: false, cancel }
    void held.sending.then(() => (held.isSent = true))
    this.#held.set(key, held)
    return sending
  }

  #again(key: string): void {
    const held = this.#held.get(key)
    if (held === undefined) return
    const { latest, isSent } = held
    if (latest !== undefined) void this.#send(latest.record, latest.event).catch(this.#parts.onError)
    else if (isSent) this.#held.delete(key)
    else held.cancel = this.#parts.clock.after(ECHO_MS, () => this.#again(key))
  }

  async #tellAll(record: OperationRecord, event: OperationEvent): Promise<void> {
    await Promise.all([
      this.#publish(record, event),
      record.snapshot.parent === undefined ? undefined : this.#parts.tellParent(record),
    ])
  }

  async #publish({ snapshot }: OperationRecord, event: OperationEvent): Promise<void> {
    const { engine, feedRetention } = this.#parts
    if (isTerminal(snapshot.state) && (await this.#isTold(snapshot))) return
    await engine.publish({
      stream: feedOf(snapshot),
      event,
      data: JSON.stringify(snapshot),
      from: SYSTEM,
      at: snapshot.updatedAt,
      retention: feedRetention,
      // Whoever tells an end again after a crash tells nobody twice.
      ...(isTerminal(snapshot.state) && {
        idempotency: { scope: 'operation', key: `${snapshot.id}:${snapshot.version}` },
      }),
    })
  }

  /** Whether an end stands in the feed that was told so long ago that an engine does not know it any more. What went from the feed since is told again. */
  async #isTold({ tenant, owner, id, version, state, endedAt }: OperationSnapshot): Promise<boolean> {
    const { engine, clock, feedRetention } = this.#parts
    const isOld = endedAt !== undefined && clock.now() - Date.parse(endedAt) > SURELY_KNOWN_MS
    if (feedRetention === undefined || !isOld) return false
    const range = { limit: SEARCHED_MAX, bytesMax: SEARCHED_BYTES_MAX, keep: 'newest' } as const
    const { messages } = await engine.read(feedOf({ tenant, owner }), feedRetention, range)
    return messages.some(({ event, data }) => {
      if (event !== state || !data.includes(id)) return false
      const told = JSON.parse(data) as OperationSnapshot
      return told.id === id && told.version === version
    })
  }
}

function feedOf({ tenant, owner }: Pick<OperationSnapshot, 'tenant' | 'owner'>): Stream {
  return { tenant, channel: feedChannel(owner) }
}
