import type { Clock } from '../../clock.js'
import { EngineUnavailableError } from '../unavailable.js'
import type { Connector, RedisConnection } from './connector.js'
import type { Address } from './shard.js'

/** How long a seed may take to answer. */
const ANSWER_MS = 1_000

/**
 * Servers that know where others are, asked in turn, the one that answered last first. Each question has a connection of its own: questions are rare, and
 * a connection that is kept can be the one that nobody noticed the death of.
 */
export class Seeds {
  readonly #connector: Connector
  readonly #clock: Clock
  #addresses: readonly Address[]

  constructor(addresses: readonly Address[], connector: Connector, clock: Clock) {
    this.#addresses = addresses
    this.#connector = connector
    this.#clock = clock
  }

  /** The first answer that `question` accepts, that is, does not throw on. Rejects with EngineUnavailableError when no seed has one. */
  async ask<T>(question: (connection: RedisConnection, seed: Address) => Promise<T>): Promise<T> {
    const reasons: string[] = []
    for (const seed of this.#addresses) {
      try {
        const answer = await this.#askOne(seed, question)
        this.prefer(seed)
        return answer
      } catch (error) {
        reasons.push(`${seed.host}:${seed.port}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    throw new EngineUnavailableError(`none of the servers named knows where to go (${reasons.join('; ')})`)
  }

  /** Asks this one first from now on. */
  prefer(seed: Address): void {
    this.#addresses = [seed, ...this.#addresses.filter((other) => other !== seed)]
  }

  async #askOne<T>(seed: Address, question: (connection: RedisConnection, seed: Address) => Promise<T>): Promise<T> {
    let broken: (error: Error) => void = () => {}
    const connection = await this.#connector.open(seed, { broken: (error) => broken(error) })
    const end = new Promise<never>((_resolve, reject) => {
      broken = reject
    })
    const cancel = this.#clock.after(ANSWER_MS, () => broken(new Error(`no answer within ${ANSWER_MS} ms`)))
    try {
      return await Promise.race([question(connection, seed), end])
    } finally {
      cancel()
      connection.destroy()
    }
  }
}
