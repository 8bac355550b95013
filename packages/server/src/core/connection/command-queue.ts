import { type Decoded, isRefusal } from '@holdfast/protocol'

/** What a queue of commands needs of its connection. */
export interface CommandConsumer {
  /** Carries a command out; a promise where the answer takes time. */
  handle(decoded: Decoded): Promise<void> | undefined
  /** A promise while there is no room for answers. */
  room(): Promise<void> | undefined
  pauseReading(): void
  resumeReading(): void
}

/**
 * Commands of one connection: begun in order, at most `inFlightMax` waiting for their answer. While it is full the socket is not read.
 * What follows a `subscribe` is begun when that was answered, so that a client that subscribes and publishes in one breath gets its own
 * message; subscribes beside each other go together.
 */
export class CommandQueue {
  readonly #consumer: CommandConsumer
  readonly #inFlightMax: number
  #waiting: Decoded[] | undefined
  #inFlight = 0
  #subscribing = 0
  #held = false
  #paused = false

  constructor(consumer: CommandConsumer, inFlightMax: number) {
    this.#consumer = consumer
    this.#inFlightMax = inFlightMax
  }

  /** Whether the socket is not read because commands wait for their turn. */
  get isPaused(): boolean {
    return this.#paused
  }

  /** Whether nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#waiting === undefined
  }

  /** Takes the commands of a frame. */
  push(commands: readonly Decoded[]): void {
    if (this.#waiting === undefined) this.#waiting = [...commands]
    else this.#waiting.push(...commands)
    this.#pump()
  }

  /** Begins nothing more until `release`: the handshake has to end first. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#pump()
  }

  /** Forgets what waits, and reads on: a client that is told goodbye must be heard when it answers. */
  clear(): void {
    this.#waiting = undefined
    this.#regulate()
  }

  #pump(): void {
    while (this.#waiting !== undefined && this.#mayBegin(this.#waiting[0])) {
      const room = this.#consumer.room()
      if (room !== undefined) this.#waitFor(room)
      else this.#begin(this.#waiting)
    }
    this.#regulate()
  }

  #mayBegin(next: Decoded | undefined): boolean {
    if (this.#held || this.#inFlight >= this.#inFlightMax) return false
    return this.#subscribing === 0 || (next !== undefined && isSubscribe(next))
  }

  #begin(waiting: Decoded[]): void {
    const next = waiting.shift()
    if (waiting.length === 0) this.#waiting = undefined
    if (next === undefined) return
    const work = this.#consumer.handle(next)
    if (work === undefined) return
    const subscribing = isSubscribe(next) ? 1 : 0
    this.#inFlight += 1
    this.#subscribing += subscribing
    void work.finally(() => {
      this.#inFlight -= 1
      this.#subscribing -= subscribing
      this.#pump()
    })
  }

  #waitFor(room: Promise<void>): void {
    this.#held = true
    void room.then(() => this.release())
  }

  #regulate(): void {
    const shouldPause = this.#waiting !== undefined
    if (shouldPause === this.#paused) return
    this.#paused = shouldPause
    if (shouldPause) this.#consumer.pauseReading()
    else this.#consumer.resumeReading()
  }
}

function isSubscribe(decoded: Decoded): boolean {
  return !isRefusal(decoded) && decoded.command.type === 'subscribe'
}
