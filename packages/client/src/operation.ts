import { type OperationProgress, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { ChannelCore } from './channel-core.js'
import type { Channels } from './channels.js'
import { Emitter } from './emitter.js'
import { type HoldfastError, OperationError } from './errors.js'
import { leavable } from './pull.js'

/** How far an operation is, for a progress bar. */
export interface Progress extends OperationProgress {
  /** Seconds to go, with a range; absent before there is evidence. */
  readonly eta: OperationSnapshot['eta']
  /** Everything there is to know. */
  readonly snapshot: OperationSnapshot
}

/** What an operation tells. */
export interface OperationEvents {
  /** After every change, the last one included. */
  progress: Progress
  /** After a change of state. */
  state: OperationSnapshot
  /** Once, with the terminal state. */
  ended: OperationSnapshot
}

/** One loop over the snapshots. */
interface Reader {
  isLeft: boolean
  wake: () => void
}

/** A long-running operation as a watcher sees it. Watching begins with the first listener, `done` or loop, and ends with the operation. */
export class Operation<R = unknown> {
  readonly id: string
  readonly #channels: Channels
  readonly #emitter: Emitter<OperationEvents & { told: undefined }>
  #snapshot: OperationSnapshot | undefined
  #failure: HoldfastError | undefined
  /** The channel on which it is watched. */
  #core: ChannelCore | undefined
  #isOver = false
  #done: Promise<R> | undefined

  /** @internal Made by the client. */
  constructor(id: string, channels: Channels) {
    this.id = id
    this.#channels = channels
    this.#emitter = new Emitter(channels.wire.report, () => this.#leaveIfUnheard())
  }

  /** The newest snapshot that was received. */
  get snapshot(): OperationSnapshot | undefined {
    return this.#snapshot
  }

  /**
   * Resolves with the result when the operation completed. Rejects with an OperationError when it failed, was cancelled or expired, and
   * with a HoldfastError when it cannot be watched (`not_found`, `permission_denied`, `disconnected`). Not listening is no unhandled rejection.
   */
  get done(): Promise<R> {
    if (!this.#done) {
      this.#done = this.#settle()
      this.#done.catch(() => {})
    }
    return this.#done
  }

  /** Listens to what comes from now on; `snapshot` holds what is known already. Returns the undo. */
  on<E extends keyof OperationEvents>(event: E, listener: (value: OperationEvents[E]) => unknown): () => void {
    this.#watch()
    return this.#emitter.on(event, listener)
  }

  /** Asks for it to be cancelled. Resolves when the request was taken; how it ends is another matter. */
  async cancel(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#channels.wire.requests.request({ type: 'cancel', operation: this.id }, options)
  }

  /** The snapshots: the newest each time, so that a slow reader skips some, and always the terminal one, after which it ends. */
  [Symbol.asyncIterator](): AsyncGenerator<OperationSnapshot, void, undefined> {
    const reader: Reader = { isLeft: false, wake: () => {} }
    return leavable(this.#read(reader), () => {
      reader.isLeft = true
      reader.wake()
    })
  }

  async *#read(reader: Reader): AsyncGenerator<OperationSnapshot, void, undefined> {
    let last: OperationSnapshot | undefined
    this.#watch()
    const off = this.#emitter.on('told', () => reader.wake())
    try {
      while (!reader.isLeft) {
        const snapshot = this.#snapshot
        if (snapshot && snapshot !== last) {
          last = snapshot
          yield snapshot
          if (isTerminal(snapshot.state)) return
        } else if (this.#failure) throw this.#failure
        else await new Promise<void>((resolve) => (reader.wake = resolve))
      }
    } finally {
      off()
    }
  }

  async #settle(): Promise<R> {
    for await (const snapshot of this) {
      if (snapshot.state === 'completed') return snapshot.result as R
      if (isTerminal(snapshot.state)) throw new OperationError(snapshot)
    }
    throw this.#failure!
  }

  #watch(): void {
    if (this.#core || this.#isOver) return
    const core = this.#channels.get(`operation:${this.id}`)
    this.#core = core
    core.operations.add(this as Operation)
    // With its newest event, which bears the snapshot, wherever the last watch ended.
    if (!core.subscription.wanted) core.subscription.startAt('newest:1')
    core.subscription.want()
  }

  /** @internal What was sent on its channel. */
  take(data: unknown): void {
    const before = this.#snapshot
    if (!isSnapshot(data) || data.id !== this.id || (before && !isNewer(data, before))) return
    this.#snapshot = data
    void this.#emitter.emit('progress', { ...data.progress, eta: data.eta, snapshot: data })
    if (before?.state !== data.state) void this.#emitter.emit('state', data)
    if (isTerminal(data.state)) {
      void this.#emitter.emit('ended', data)
      this.#end()
    }
    void this.#emitter.emit('told', undefined)
  }

  /** @internal Nothing more comes on its channel. */
  fail(error: HoldfastError): void {
    this.#failure = error
    this.#end()
    void this.#emitter.emit('told', undefined)
  }

  #leaveIfUnheard(): void {
    if (!this.#emitter.has()) this.#leave()
  }

  #end(): void {
    this.#isOver = true
    this.#leave()
  }

  #leave(): void {
    const core = this.#core
    this.#core = undefined
    core?.operations.delete(this as Operation)
    core?.left()
  }
}

/** A server that forgot an operation counts its versions anew when it is started again. */
function isNewer({ version, startedAt = '' }: OperationSnapshot, before: OperationSnapshot): boolean {
  return version > before.version || startedAt > (before.startedAt ?? startedAt)
}

/** Applications may send on the channel as well; only what looks like a snapshot is one. */
function isSnapshot(data: unknown): data is OperationSnapshot {
  const { version, state, progress } = (data ?? {}) as Partial<OperationSnapshot>
  return Number.isSafeInteger(version) && typeof state === 'string' && typeof progress === 'object'
}
