import { type PublishRequest, type Stream, streamKey } from '../../engine/engine.js'

/** What a spool may hold. */
export interface SpoolLimits {
  readonly messagesMax: number
  readonly bytesMax: number
}

/** A publish that waits for the engine, under an id of its own. */
export type SpooledRequest = PublishRequest & { readonly id: string }

/** What a new publish is to the spool. */
export type Spooling = 'taken' | 'duplicate' | 'conflict' | 'full'

/** What is known of a message beside what it holds: bytes of names and times, by estimate. */
const OVERHEAD_BYTES = 256

/** Publishes that were delivered on this node only, in order, until the engine takes them. Bounded: a spool that is full takes no more. */
export class Spool {
  readonly #limits: SpoolLimits
  readonly #streams = new Map<string, SpooledRequest[]>()
  readonly #byId = new Map<string, SpooledRequest>()
  #bytes = 0

  constructor(limits: SpoolLimits) {
    this.#limits = limits
  }

  /** Messages that wait. */
  get size(): number {
    return this.#byId.size
  }

  /** Whether messages of a stream wait: what is published now has to wait behind them. */
  has(stream: Stream): boolean {
    return this.#streams.has(streamKey(stream))
  }

  /** The streams that have messages waiting. */
  streams(): string[] {
    return [...this.#streams.keys()]
  }

  /** Takes a publish, unless one of its id waits already, or there is no room. */
  add(request: SpooledRequest): Spooling {
    const key = streamKey(request.stream)
    const known = this.#byId.get(idKey(key, request))
    if (known !== undefined)
      return known.event === request.event && known.data === request.data ? 'duplicate' : 'conflict'
    const bytes = bytesOf(request)
    if (this.#byId.size >= this.#limits.messagesMax || this.#bytes + bytes > this.#limits.bytesMax) return 'full'
    this.#bytes += bytes
    this.#byId.set(idKey(key, request), request)
    const queue = this.#streams.get(key)
    if (queue === undefined) this.#streams.set(key, [request])
    else queue.push(request)
    return 'taken'
  }

  /** The next of a stream; undefined when there is none. */
  first(stream: string): SpooledRequest | undefined {
    return this.#streams.get(stream)?.[0]
  }

  /** The first of a stream was taken by the engine, or refused for good. */
  shift(stream: string): void {
    const queue = this.#streams.get(stream)
    const request = queue?.shift()
    if (queue?.length === 0) this.#streams.delete(stream)
    if (request === undefined) return
    this.#byId.delete(idKey(stream, request))
    this.#bytes -= bytesOf(request)
  }
}

function idKey(stream: string, { id }: SpooledRequest): string {
  return `${stream} ${id}`
}

function bytesOf({ data }: SpooledRequest): number {
  return data.length + OVERHEAD_BYTES
}
