import type { Cancel, Clock } from '../clock.js'
import { CircuitBreaker } from '../outbound/circuit-breaker.js'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../outbound/outbound.js'

/** Questions under way to one address at a time. */
const IN_FLIGHT_MAX = 64

/** Questions that wait for their turn. */
const WAITING_MAX = 1_000

/** How long one waits for its turn. */
const WAITING_MS_MAX = 3_000

/** How often an address fails in a row before it is left alone, and for how long. */
const FAILURES_MAX = 5
const OPEN_MS = 5_000

/** What a door works with. */
export interface DecisionDoorParts {
  readonly clock: Clock
  readonly outbound: Outbound
}

/** The way to one address that decides: so many questions at a time, a bounded number behind them, and none while it does not answer. */
export class DecisionDoor {
  readonly #parts: DecisionDoorParts
  readonly #breaker: CircuitBreaker
  readonly #waiting = new Set<() => void>()
  #inFlight = 0

  constructor(parts: DecisionDoorParts) {
    this.#parts = parts
    this.#breaker = new CircuitBreaker({ clock: parts.clock, failuresMax: FAILURES_MAX, openMs: OPEN_MS })
  }

  /** Asks, and hands a 200 to `read`. Rejects when there is no such answer, when `read` throws, and when there is no room to wait. */
  async ask<T>(request: OutboundRequest, read: (body: string) => T): Promise<T> {
    await this.#enter()
    try {
      const { status, body } = await this.#breaker.run(() => this.#send(request))
      if (status !== 200) throw refusal(status)
      return read(body)
    } finally {
      this.#leave()
    }
  }

  /** What is answered to one question says nothing about others: a client that asks for nonsense must not shut the door to everybody. */
  async #send(request: OutboundRequest): Promise<OutboundAnswer> {
    const answer = await this.#parts.outbound(request)
    if (answer.status >= 500) throw refusal(answer.status)
    return answer
  }

  #enter(): Promise<void> | undefined {
    if (this.#inFlight < IN_FLIGHT_MAX) {
      this.#inFlight += 1
      return undefined
    }
    if (this.#waiting.size >= WAITING_MAX) throw new Error('too many questions wait')
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        cancel()
        resolve()
      }
      const cancel: Cancel = this.#parts.clock.after(WAITING_MS_MAX, () => {
        this.#waiting.delete(begin)
        reject(new Error('its turn did not come'))
      })
      this.#waiting.add(begin)
    })
  }

  /** The turn passes to who has waited longest. */
  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#inFlight -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

function refusal(status: number): Error {
  return new Error(`the answer was ${status}`)
}
