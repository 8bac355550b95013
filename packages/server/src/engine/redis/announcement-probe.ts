import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { encodeText } from './announcement.js'

/** The bounds of a probe. */
export interface ProbeLimits {
  /** Milliseconds of silence after which a connection probes itself (10,000). */
  readonly probeMs: number
  /** Milliseconds within which a probe that was published must be heard (1,000). */
  readonly hearMs: number
}

/** What a probe needs of the rest. */
export interface ProbeParts {
  readonly clock: Clock
  readonly random: Random
  readonly limits: ProbeLimits
  /** Where to publish; undefined when the shard has no part of the key space, so that nothing can be missed. */
  channel(): string | undefined
  /** Whether the server has confirmed that it listens to that channel for us. */
  isListening(channel: string): boolean
  /** Announces over the command link of the shard. */
  publish(channel: string, text: string): Promise<unknown>
  /** Nothing has come for `probeMs`. */
  silent(): void
}

/** The connection looks so often within `probeMs` whether it has heard anything. */
const LOOKS = 4

/** Probes that may go unheard. */
const MISSES_MAX = 1

/** Milliseconds between two attempts to publish a probe while commands are refused. */
const AGAIN_MS = 25

/** Whether one connection hears what is published: connected is not the same as receiving. */
export class HearingProbe {
  readonly #parts: ProbeParts
  readonly #stopLooking: Cancel
  #hasHeard = false
  #silentLooks = 0
  #isEnded = false
  #proving: Promise<'hears' | 'deaf' | 'ended'> | undefined
  #onHeard: () => void = () => undefined

  constructor(parts: ProbeParts) {
    this.#parts = parts
    this.#stopLooking = parts.clock.every(parts.limits.probeMs / LOOKS, () => this.#look())
  }

  /** Something came over the connection, whatever it was. */
  heard(): void {
    this.#hasHeard = true
    this.#onHeard()
  }

  /** Publishes until something is heard, or was not heard twice. Only what was published counts: when commands are refused nothing is said about this connection. */
  prove(): Promise<'hears' | 'deaf' | 'ended'> {
    this.#proving ??= this.#prove().finally(() => {
      this.#proving = undefined
    })
    return this.#proving
  }

  end(): void {
    this.#isEnded = true
    this.#stopLooking()
    this.#onHeard()
  }

  #look(): void {
    this.#silentLooks = this.#hasHeard ? 0 : this.#silentLooks + 1
    this.#hasHeard = false
    if (this.#silentLooks < LOOKS) return
    this.#silentLooks = 0
    this.#parts.silent()
  }

  async #prove(): Promise<'hears' | 'deaf' | 'ended'> {
    for (let misses = 0; misses <= MISSES_MAX;) {
      const outcome = await this.#probe()
      if (this.#isEnded) return 'ended'
      if (outcome === 'heard') return 'hears'
      if (outcome === 'unheard') misses += 1
      else await this.#pause(AGAIN_MS)
    }
    return 'deaf'
  }

  async #probe(): Promise<'heard' | 'unheard' | 'unpublished'> {
    const channel = this.#parts.channel()
    if (channel === undefined) return 'heard'
    if (!this.#parts.isListening(channel)) return 'unpublished'
    let isHeard = false
    const heard = new Promise<void>((resolve) => {
      this.#onHeard = () => {
        isHeard = true
        resolve()
      }
    })
    try {
      await this.#parts.publish(channel, encodeText(this.#parts.random.id(8)))
    } catch {
      return 'unpublished'
    }
    if (!isHeard) await Promise.race([heard, this.#pause(this.#parts.limits.hearMs)])
    return isHeard ? 'heard' : 'unheard'
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(ms, resolve)
    })
  }
}
