import { monotonicMs, pause, within } from './clock.js'
import { Connection, type ConnectionEvents, type ConnectionOptions } from './connection.js'
import { numberedText } from './sequence.js'
import { type Faults, NO_FAULTS, addFaults } from './tally.js'

/** Handshakes under way at once while a crowd gathers. */
const HANDSHAKES_AT_ONCE = 50
const HANDSHAKE_MS_MAX = 10_000
const BATCH_MS_MAX = 20_000
const CATCH_UP_MS_MAX = 10_000
const MESSAGE_BYTES = 128

/** How to fill a crowd. */
export type CrowdOptions = Omit<ConnectionOptions, 'user' | 'channels'> & {
  readonly size: number
  /** The channels of the connection with this number, counted from 0. */
  readonly channelsOf: (number: number) => readonly string[]
}

/** Some thousand connections to one server, and beside them one that publishes. */
export class Crowd {
  readonly #members: Connection[] = []
  readonly #events: ConnectionEvents
  #publisher: Connection | undefined
  #published = 0
  #deliveriesDue = 0
  #answersDue = 0
  #problem: Error | undefined
  #settle: (() => void) | undefined

  private constructor() {
    this.#events = {
      delivered: (count) => {
        this.#deliveriesDue -= count
        if (this.#deliveriesDue === 0 && this.#answersDue === 0) this.#settle?.()
      },
      acknowledged: (count) => {
        this.#answersDue -= count
        if (this.#deliveriesDue === 0 && this.#answersDue === 0) this.#settle?.()
      },
      failed: (reason) => {
        this.#problem = new Error(reason)
        this.#settle?.()
      },
    }
  }

  /** Resolves when every connection is authenticated and subscribed, and the publisher is authenticated. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd()
    try {
      crowd.#publisher = await crowd.#connect(options, 'publisher', [])
      await crowd.#fill(options)
    } catch (error) {
      crowd.disperse()
      throw error
    }
    return crowd
  }

  /** How many connections subscribe. */
  get size(): number {
    return this.#members.length
  }

  /**
   * Publishes `count` messages in one write and resolves when each has reached every member and is acknowledged.
   *
   * @throws Error when a connection ended, a publish was refused, or something has not arrived within 20 seconds.
   */
  async publish(channel: string, count: number): Promise<void> {
    const texts = Array.from({ length: count }, () => numberedText(this.#published++, MESSAGE_BYTES))
    this.#deliveriesDue += count * this.#members.length
    this.#answersDue += count
    const arrived = new Promise<void>((resolve) => {
      this.#settle = resolve
    })
    if (this.#problem === undefined) this.#publisher?.publish(channel, texts)
    else this.#settle?.()
    await this.#complete(arrived)
    this.assertWhole()
  }

  /** How many members have not had the text of this number; waits for them, for 10 seconds at most. */
  async missing(sequence: number): Promise<number> {
    const deadline = monotonicMs() + CATCH_UP_MS_MAX
    const count = (): number => this.#members.filter(({ tally }) => tally.next <= sequence).length
    while (count() > 0 && monotonicMs() < deadline) await pause(20)
    this.assertWhole()
    return count()
  }

  /** What was lost, doubled or reordered since the crowd gathered, over all members. */
  faults(): Faults {
    return this.#members.reduce((sum, member) => addFaults(sum, member.tally.faults(this.#published)), NO_FAULTS)
  }

  /**
   * Checks that nobody has left.
   *
   * @throws Error with the reason when somebody has.
   */
  assertWhole(): void {
    if (this.#problem !== undefined) throw this.#problem
  }

  /** Ends every connection. */
  disperse(): void {
    this.#publisher?.end()
    for (const member of this.#members) member.end()
  }

  async #complete(arrived: Promise<void>): Promise<void> {
    try {
      await within(BATCH_MS_MAX, 'a batch', arrived)
    } catch (error) {
      const missing = `${this.#deliveriesDue} of the deliveries, ${this.#answersDue} of the acknowledgements`
      throw new Error(`lost: ${missing}`, { cause: error })
    }
  }

  async #fill(options: CrowdOptions): Promise<void> {
    let started = 0
    const worker = async (): Promise<void> => {
      while (started < options.size) {
        const number = started++
        this.#members.push(await this.#connect(options, `user-${number}`, options.channelsOf(number)))
      }
    }
    await Promise.all(Array.from({ length: HANDSHAKES_AT_ONCE }, worker))
  }

  #connect(
    { port, dialect, mayBeHeldBack = false }: CrowdOptions,
    user: string,
    channels: readonly string[],
  ): Promise<Connection> {
    const opening = Connection.open({ port, dialect, user, channels, mayBeHeldBack }, this.#events)
    return within(HANDSHAKE_MS_MAX, `the handshake of ${user}`, opening)
  }
}
