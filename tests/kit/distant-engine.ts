import {
  type LogPage,
  MemoryEngine,
  type PublishOutcome,
  type PublishRequest,
  type ReadRange,
  type Receiver,
  type Retention,
  type Stream,
} from '@holdfast/server'
import { pause } from './deadline.js'
import type { SeededRandom } from './seeded-random.js'

/**
 * The memory engine behind a link: every question takes its time there, and every answer its time back, while announcements go on.
 * What a node does between a question and its answer happens here as it would with an engine on another machine.
 */
export class DistantEngine extends MemoryEngine {
  readonly #random: SeededRandom
  readonly #delayMsMax: number

  constructor(random: SeededRandom, delayMsMax: number) {
    super()
    this.#random = random
    this.#delayMsMax = delayMsMax
  }

  override publish(request: PublishRequest): Promise<PublishOutcome> {
    return this.#thereAndBack(() => super.publish(request))
  }

  override listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>> {
    return this.#thereAndBack(() => super.listen(stream, receiver))
  }

  override read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    return this.#thereAndBack(() => super.read(stream, retention, range))
  }

  async #thereAndBack<T>(ask: () => Promise<T>): Promise<T> {
    await this.#travel()
    const answer = await ask()
    await this.#travel()
    return answer
  }

  #travel(): Promise<void> {
    return pause(this.#random.between(0, this.#delayMsMax))
  }
}
