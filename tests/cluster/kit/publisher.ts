import type { Holdfast, HoldfastError } from '@holdfast/client'
import { pause } from '../../kit/deadline.js'
import type { History } from './history.js'
import { payloadOf, publishName } from './payload.js'

const RETRY_MS = 200

/** Publishes with a key and asks again, with the same one, until there is an answer: what an application does that must not lose anything. */
export class Publisher {
  readonly name: string
  readonly #client: Holdfast
  readonly #tenant: string
  readonly #history: History
  #seq = 0
  #isGivenUp = false
  /** Publishes without an outcome. */
  inFlight = 0
  /** Publishes that were answered with their place. */
  acknowledged = 0
  /** Publishes whose outcome nobody knows. */
  unknown = 0

  constructor(name: string, client: Holdfast, tenant: string, history: History) {
    this.name = name
    this.#client = client
    this.#tenant = tenant
    this.#history = history
  }

  /** Publishes one message; resolves when its outcome is known, or given up. */
  async publish(channel: string, filler: string): Promise<void> {
    const payload = payloadOf(this.#tenant, this.name, (this.#seq += 1), filler)
    const publish = publishName(payload)
    const { hash } = payload
    this.#history.note({ t: 'invoke', publish, tenant: this.#tenant, channel, key: publish, user: this.name, hash })
    this.inFlight += 1
    try {
      await this.#untilAnswered(publish, () =>
        this.#client.channel(channel).publish('said', payload, { key: publish, timeoutMs: 5_000 }),
      )
    } finally {
      this.inFlight -= 1
    }
  }

  /** Asks no more: what has no answer when the present attempt ends is unknown. */
  giveUp(): void {
    this.#isGivenUp = true
  }

  async #untilAnswered(
    publish: string,
    attempt: () => Promise<{ id: string; offset: number | undefined; epoch: string | undefined; duplicate: boolean }>,
  ): Promise<void> {
    for (;;) {
      try {
        const { id, offset = 0, epoch = '', duplicate } = await attempt()
        this.#history.note({ t: 'ok', publish, id, offset, epoch, duplicate })
        this.acknowledged += 1
        return
      } catch (error) {
        const { code, retryable } = error as HoldfastError
        if (!retryable) return this.#history.note({ t: 'fail', publish, code })
        if (this.#isGivenUp) {
          this.unknown += 1
          return this.#history.note({ t: 'info', publish, code })
        }
        await pause(RETRY_MS)
      }
    }
  }
}
