import type { SeededRandom } from '../../kit/seeded-random.js'
import type { Load } from './client-questions.js'
import type { Publisher } from './publisher.js'

const TICK_MS = 10

/** Publishes at an even pace, whatever the answers do, until it is stopped. */
export class RunningLoad {
  readonly #publishers: readonly { readonly publisher: Publisher; readonly channels: readonly string[] }[]
  readonly #load: Load
  readonly #random: SeededRandom
  readonly #filler: string
  readonly #timer: ReturnType<typeof setInterval>
  readonly #startedAt = performance.now()
  #begun = 0

  constructor(
    load: Load,
    publishers: readonly { readonly publisher: Publisher; readonly channels: readonly string[] }[],
    random: SeededRandom,
  ) {
    this.#load = load
    this.#publishers = publishers
    this.#random = random
    this.#filler = 'x'.repeat(load.fillerBytes ?? 0)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Publishes without an outcome. */
  get inFlight(): number {
    return this.#publishers.reduce((sum, { publisher }) => sum + publisher.inFlight, 0)
  }

  /** Publishes that were answered with their place. */
  get acknowledged(): number {
    return this.#publishers.reduce((sum, { publisher }) => sum + publisher.acknowledged, 0)
  }

  /** Publishes whose outcome nobody knows. */
  get unknown(): number {
    return this.#publishers.reduce((sum, { publisher }) => sum + publisher.unknown, 0)
  }

  /** Begins nothing more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** Asks for no outcome again. */
  giveUp(): void {
    for (const { publisher } of this.#publishers) publisher.giveUp()
  }

  #tick(): void {
    const { perSecond, inFlightMax = 8 } = this.#load
    const due = Math.floor(((performance.now() - this.#startedAt) / 1_000) * perSecond)
    for (; this.#begun < due; this.#begun += 1) {
      const { publisher, channels } = this.#random.pick(this.#publishers)
      if (publisher.inFlight < inFlightMax) void publisher.publish(this.#random.pick(channels), this.#filler)
    }
  }
}
