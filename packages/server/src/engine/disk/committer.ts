import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Decision, Draft } from './draft.js'
import { encodeEntry, type Entry } from './entry.js'
import { FrameWriter } from './frame.js'
import { EngineUnavailableError } from '../unavailable.js'

/** How much is decided and written at once. It bounds how long the event loop waits for it. */
const GROUP_REQUESTS_MAX = 1_024
const GROUP_BYTES_MAX = 1_048_576

/** How many requests are answered, and their messages announced, before others get their turn. */
const ANSWERS_PER_TURN = 128

/** What may wait for the disk, before further requests are refused. */
const QUEUE_REQUESTS_MAX = 100_000
const QUEUE_CHARACTERS_MAX = 67_108_864

/** What a committer works on. */
export interface CommitterParts {
  /** An empty draft, on what is stored now. */
  draft(): Draft
  /** The number of the last record stored. */
  sequence(): number
  /** Resolves when these records, the last of which is `last`, are on the disk. */
  write(frames: Buffer, last: number): Promise<void>
  /** An entry is on the disk. Called in order. */
  stored(entry: Entry, sequence: number): void
  /** Between two groups: the time for what must not run beside a write. */
  between(): Promise<void>
  /** Something could not be written. Nothing is decided until `resume`. */
  failed(error: unknown): void
}

interface Request {
  decide(draft: Draft): readonly Entry[]
  answer(): void
  refuse(error: unknown): void
  readonly characters: number
}

/** A request that was decided, with the number of its last entry. */
interface Decided {
  readonly request: Request
  readonly entries: readonly Entry[]
  readonly last: number
}

/**
 * Brings requests to the disk in groups: while one group is written the next gathers. A group is decided on a draft, written, applied, announced and answered, in
 * this order; so whatever anybody is told of is on the disk.
 */
export class Committer {
  readonly #parts: CommitterParts
  readonly #frames = new FrameWriter()
  #queue: Request[] = []
  #queuedCharacters = 0
  #draft: Draft | undefined
  #running: Promise<void> | undefined
  #refusal: EngineUnavailableError | undefined = new EngineUnavailableError('the engine was not started')

  constructor(parts: CommitterParts) {
    this.#parts = parts
  }

  /** Whether a stream is part of what is being written now. */
  concerns(stream: string): boolean {
    return this.#draft?.concerns(stream) ?? false
  }

  /** Decides when its turn comes; resolves when what was decided is on the disk. `characters` says about how much memory it takes until then. */
  submit<T>(decide: (draft: Draft) => Decision<T>, characters: number): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    if (this.#queue.length >= QUEUE_REQUESTS_MAX || this.#queuedCharacters >= QUEUE_CHARACTERS_MAX)
      return Promise.reject(new EngineUnavailableError('the disk is too slow: too much waits for it'))
    this.#queuedCharacters += characters
    return new Promise((resolve, reject) => {
      let decision: Decision<T> | undefined
      this.#queue.push({
        decide: (draft) => (decision = decide(draft)).entries,
        answer: () => {
          try {
            decision?.announce?.()
            if (decision) resolve(decision.answer)
          } catch (error) {
            reject(error as Error)
          }
        },
        refuse: reject,
        characters,
      })
      this.#running ??= this.#run()
    })
  }

  /** Takes requests, again or for the first time. */
  resume(): void {
    this.#refusal = undefined
  }

  /** From now on every request is refused for this reason. Resolves when those taken before have been answered. */
  async stop(reason: string): Promise<void> {
    this.#refusal ??= new EngineUnavailableError(reason)
    await this.#running
  }

  async #run(): Promise<void> {
    // What is asked in the same turn belongs to the same group.
    await Promise.resolve()
    try {
      while (this.#queue.length > 0) {
        await this.#commit()
        await this.#parts.between()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#draft = undefined
      this.#running = undefined
    }
  }

  async #commit(): Promise<void> {
    const group = this.#decide()
    const last = group.at(-1)?.last ?? 0
    try {
      if (this.#frames.length > 0) await this.#parts.write(this.#frames.bytes, last)
      await this.#answer(group)
    } catch (error) {
      const refusal = new EngineUnavailableError(describe(error))
      for (const { request } of group) request.refuse(refusal)
      throw error
    }
  }

  /** The next group, its frames ready to be written. */
  #decide(): readonly Decided[] {
    for (;;) {
      const group: Decided[] = []
      const failure = this.#gather(group)
      if (failure === undefined) {
        this.#leave(this.#queue.splice(0, group.length))
        return group
      }
      // What the failed request left in the draft cannot be taken back: the others are decided anew, as if it had never been there.
      const failed = this.#queue.splice(group.length, 1)
      this.#leave(failed)
      failed[0]?.refuse(failure.error)
    }
  }

  /** Fills a group from the queue, as far as its bounds allow; answers why a request could not be decided. */
  #gather(group: Decided[]): { readonly error: unknown } | undefined {
    this.#frames.clear()
    const draft = (this.#draft = this.#parts.draft())
    let last = this.#parts.sequence()
    try {
      for (const request of this.#queue) {
        if (group.length >= GROUP_REQUESTS_MAX || this.#frames.length >= GROUP_BYTES_MAX) break
        const entries = request.decide(draft)
        for (const entry of entries) this.#frames.add((last += 1), (to) => encodeEntry(entry, to))
        group.push({ request, entries, last })
      }
      return undefined
    } catch (error) {
      return { error }
    }
  }

  #leave(requests: readonly Request[]): void {
    for (const { characters } of requests) this.#queuedCharacters -= characters
  }

  async #answer(group: readonly Decided[]): Promise<void> {
    for (const [at, { request, entries, last }] of group.entries()) {
      if (at > 0 && at % ANSWERS_PER_TURN === 0) await nextTurn()
      for (const [index, entry] of entries.entries()) this.#parts.stored(entry, last - entries.length + 1 + index)
      request.answer()
    }
  }

  #fail(error: unknown): void {
    this.#refusal = new EngineUnavailableError(describe(error))
    const waiting = this.#queue
    this.#queue = []
    this.#queuedCharacters = 0
    for (const request of waiting) request.refuse(this.#refusal)
    this.#parts.failed(error)
  }
}

function describe(error: unknown): string {
  return `the disk cannot store: ${error instanceof Error ? error.message : String(error)}`
}
