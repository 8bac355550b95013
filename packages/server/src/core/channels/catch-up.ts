import type { GapRange, Position } from '@holdfast/protocol'
import { type Clock, pause } from '../../clock.js'
import type { Engine, LogPage, LogTop, Retention, Stream, StreamMessage } from '../../engine/engine.js'
import { Gate, type GateLimits } from './gate.js'
import { type RecoveryLimits, hasDiverged } from './recovery.js'

/** Milliseconds until a read that the engine refused is tried again, at first and at most. */
const RETRY_MS = 200
const RETRY_MS_MAX = 5_000

/** A channel that has to catch up with its log. */
export interface Straggler {
  readonly stream: Stream
  readonly retention: Retention | undefined
  /** The last message that was handed on; undefined when nobody listens any more. */
  readonly position: LogTop | undefined
  /** The next message of the log. */
  deliver(epoch: string, message: StreamMessage): void
  /** What could not be had; the log goes on at `next`. */
  lost(range: GapRange, next: LogTop): void
  onError(error: unknown): void
}

/** What a catch-up works with. */
export interface CatchUpParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly limits: { readonly gate: GateLimits; readonly recovery: RecoveryLimits }
}

/**
 * Brings a channel that missed announcements up to its log: reads page after page from where it stands, hands on what is there in order, tells what is
 * not, and ends where what was announced meanwhile goes on. Tries until it is done: the position it starts from is our own and can be trusted.
 */
export class CatchUp {
  readonly gate: Gate
  readonly #parts: CatchUpParts
  readonly #straggler: Straggler
  #compared = false
  #ended = false

  constructor(parts: CatchUpParts, straggler: Straggler) {
    this.#parts = parts
    this.#straggler = straggler
    this.gate = new Gate(parts.limits.gate)
  }

  /** Nobody waits for it any more. */
  end(): void {
    this.#ended = true
  }

  /** Resolves when the channel stands where announcements go on. What the gate still holds was handed on. */
  async run(): Promise<void> {
    let waitMs = RETRY_MS
    while (!this.#ended) {
      try {
        if (await this.#step()) return
        waitMs = RETRY_MS
      } catch (error) {
        this.#straggler.onError(error)
        await pause(this.#parts.clock, waitMs)
        waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)
      }
    }
  }

  /** Reads one page on; true when it was the last. */
  async #step(): Promise<boolean> {
    const { engine, limits } = this.#parts
    const { stream, retention, position } = this.#straggler
    if (retention === undefined || position === undefined) return true
    // Whatever was announced before this read is in it.
    this.gate.reset()
    // The last message that was handed on is read once more, so that its identity can be compared.
    const from = Math.max(position.top.offset + (this.#compared ? 1 : 0), 1)
    const { messagesMax, bytesMax } = limits.recovery
    const page = await engine.read(stream, retention, { from, limit: messagesMax + 1, bytesMax, keep: 'oldest' })
    return this.#ended || this.#take(page, position)
  }

  async #take(page: LogPage, position: LogTop): Promise<boolean> {
    const at = { epoch: position.epoch, ...position.top }
    if (page.epoch !== at.epoch) {
      const range = { from: at.offset + 1, to: null, reason: 'epoch_changed' } as const
      this.#compared = true
      this.#straggler.lost(range, { epoch: page.epoch, top: { offset: page.first - 1, id: '' } })
      return false
    }
    const damage = damageOf(at, page)
    // The position is our own: a log that does not know it has lost acknowledged messages, and must not go on under this epoch.
    if (damage && this.#parts.engine.canDiverge) {
      await this.#parts.engine.rotate(this.#straggler.stream, page.epoch)
      return false
    }
    this.#compared = true
    if (damage) this.#straggler.lost(damage, page)
    else if (page.first > at.offset + 1) this.#skipTo(page, at.offset + 1)
    this.#deliver(
      page.epoch,
      page.messages.filter(({ offset }) => (offset ?? 0) > (this.#straggler.position?.top.offset ?? 0)),
    )
    return this.#joinsUp(page)
  }

  #skipTo({ epoch, first, expired }: LogPage, from: number): void {
    const range = { from, to: first - 1, reason: expired ? 'expired' : 'trimmed' } as const
    this.#straggler.lost(range, { epoch, top: { offset: first - 1, id: '' } })
  }

  #joinsUp({ epoch, top }: LogPage): boolean {
    if ((this.#straggler.position?.top.offset ?? 0) < top.offset) return false
    const live = this.gate.continuing(epoch, top.offset)
    if (live === undefined || this.gate.overflowed) return false
    this.#deliver(epoch, live)
    return true
  }

  #deliver(epoch: string, messages: readonly StreamMessage[]): void {
    for (const message of messages) if (!this.#ended) this.#straggler.deliver(epoch, message)
  }
}

/** What the log says against a position that was true once. */
function damageOf(at: Required<Position>, page: LogPage): GapRange | undefined {
  if (at.offset > page.top.offset) return { from: page.top.offset + 1, to: at.offset, reason: 'ahead' }
  return hasDiverged(at, page) ? { from: at.offset, to: at.offset, reason: 'diverged' } : undefined
}
