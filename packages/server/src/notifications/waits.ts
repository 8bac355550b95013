import type { Cancel, Clock } from '../clock.js'
import type { Retries } from '../core/retries.js'
import type { Engine, Receiver } from '../engine/engine.js'
import { endOf } from './places.js'
import type { NotificationReceipt } from './receipt.js'
import type { ReceiptName } from './receipt-store.js'

/** How long to wait for the end of a receipt. */
export interface ReceiptWait {
  readonly timeoutMs: number
  /** Ends the wait before its time. */
  readonly signal?: AbortSignal
}

/** What waits work with. */
export interface ReceiptWaitsParts {
  readonly engine: Pick<Engine, 'listen'>
  readonly clock: Pick<Clock, 'after' | 'now'>
  readonly retries: Pick<Retries, 'insist'>
  readonly find: (name: ReceiptName) => Promise<NotificationReceipt | undefined>
}

/** How often a receipt is looked at meanwhile: what is said of its end may be lost. */
const LOOK_MS = 2_000

/** Waits of a node that are told of an end; what is over finds out when it looks. */
const TOLD_MAX = 10_000

/** Those who wait for receipts to end. */
export class ReceiptWaits {
  readonly #parts: ReceiptWaitsParts
  readonly #stopped = new AbortController()
  #told = 0

  constructor(parts: ReceiptWaitsParts) {
    this.#parts = parts
  }

  /** The receipt when it has ended or the time is over; undefined where there is none. Rejects when the engine refuses. */
  async ended(name: ReceiptName, { timeoutMs, signal }: ReceiptWait): Promise<NotificationReceipt | undefined> {
    const { clock, find } = this.#parts
    const until = clock.now() + timeoutMs
    const first = await find(name)
    if (first?.state !== 'sent' || timeoutMs <= 0) return first
    const alarm = new Alarm(clock, [this.#stopped.signal, ...(signal ? [signal] : [])])
    const silence = await this.#listen(name, alarm)
    try {
      for (;;) {
        const receipt = await find(name)
        const leftMs = until - clock.now()
        if (receipt?.state !== 'sent' || leftMs <= 0 || alarm.isOver) return receipt
        await alarm.within(Math.min(leftMs, LOOK_MS))
      }
    } finally {
      alarm.close()
      silence()
    }
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stopped.abort()
  }

  async #listen({ tenant, id }: ReceiptName, alarm: Alarm): Promise<() => void> {
    if (this.#told >= TOLD_MAX) return () => undefined
    this.#told += 1
    const { engine, retries } = this.#parts
    try {
      const undo = await engine.listen(
        endOf(tenant, id),
        receiverOf(() => alarm.ring()),
      )
      return () => {
        this.#told -= 1
        void retries.insist(undo)
      }
    } catch (error) {
      this.#told -= 1
      alarm.close()
      throw error
    }
  }
}

/** Wakes the one who sleeps. */
class Alarm {
  readonly #clock: Pick<Clock, 'after'>
  readonly #signals: readonly AbortSignal[]
  #hasRung = false
  #wake: (() => void) | undefined

  constructor(clock: Pick<Clock, 'after'>, signals: readonly AbortSignal[]) {
    this.#clock = clock
    this.#signals = signals
    for (const signal of signals) signal.addEventListener('abort', this.ring)
  }

  get isOver(): boolean {
    return this.#signals.some(({ aborted }) => aborted)
  }

  readonly ring = (): void => {
    this.#hasRung = true
    this.#wake?.()
  }

  /** Resolves when it rings, has rung since it was asked last, or after so long. */
  async within(ms: number): Promise<void> {
    let cancel: Cancel = () => undefined
    if (!this.#hasRung)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        cancel = this.#clock.after(ms, resolve)
      })
    cancel()
    this.#wake = undefined
    this.#hasRung = false
  }

  close(): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.ring)
  }
}

function receiverOf(ring: () => void): Receiver {
  const nothing = (): void => undefined
  return { message: nothing, members: nothing, rotated: nothing, signal: ring, uncertain: ring }
}
