import { CLOSE, type CloseReason } from '@holdfast/protocol'
import type { Cancel, Clock } from '../../clock.js'
import type { MemoryProbe } from '../../memory.js'
import type { Random } from '../../random.js'
import type { Audit } from '../../telemetry/audit.js'
import type { Farewell } from '../connection/encode.js'

/** From which share of its memory on a node does what, in percent. */
export interface OverloadLimits {
  /** It answers no `history` and no `presence`. */
  readonly readsPercent: number
  /** It takes no new connections. */
  readonly admitPercent: number
  /** It sends the newest idle connections away, some each second. */
  readonly shedPercent: number
}

/** 0: all is well; 1: no reads; 2: nobody new; 3: some have to go. */
export type OverloadLevel = 0 | 1 | 2 | 3

/** A connection that can be sent away. */
export interface Idler {
  /** Whether it has nothing under way. */
  readonly isIdle: boolean
  close(reason: CloseReason, farewell: Farewell): void
}

/** What watches over the memory of a node. */
export interface OverloadParts {
  readonly clock: Clock
  readonly random: Random
  readonly memory: MemoryProbe
  readonly limits: OverloadLimits
  readonly audit: Audit
  /** Those of the node, the oldest first. */
  connections(): Iterable<Idler>
}

const LOOK_MS = 1_000

/** A level ends when the memory is so much below where it began: one that comes and goes each second helps nobody. */
const HYSTERESIS_PERCENT = 3

/** Of the connections, in a second; and at least. */
const SHED_SHARE = 0.02
const SHED_MIN = 10

/** What is refused may be tried again after so long, and up to twice as long. */
const RETRY_MS = 5_000

/** Looks at the memory of the process each second, and says what the node does without. */
export class Overload {
  readonly #parts: OverloadParts
  #level: OverloadLevel = 0
  #percent = 0
  #stop: Cancel | undefined

  constructor(parts: OverloadParts) {
    this.#parts = parts
  }

  get level(): OverloadLevel {
    return this.#level
  }

  /** Percent of its memory that the process uses, as of the last look. */
  get percent(): number {
    return this.#percent
  }

  /** Whether anybody new is taken. */
  get admits(): boolean {
    return this.#level < 2
  }

  /** Milliseconds after which to ask again for history and presence; undefined while they are answered. */
  get readsWait(): number | undefined {
    return this.#level === 0 ? undefined : this.#later()
  }

  start(): void {
    this.#stop ??= this.#parts.clock.every(LOOK_MS, () => this.#look())
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #look(): void {
    const { used, max } = this.#parts.memory()
    this.#percent = Math.round((used / max) * 1_000) / 10
    const level = this.#judge(this.#percent)
    if (level !== this.#level) this.#enter(level)
    if (level === 3) this.#shed()
  }

  #judge(percent: number): OverloadLevel {
    const { readsPercent, admitPercent, shedPercent } = this.#parts.limits
    const reached = (limit: number, level: OverloadLevel): boolean =>
      percent >= (this.#level >= level ? limit - HYSTERESIS_PERCENT : limit)
    if (reached(shedPercent, 3)) return 3
    if (reached(admitPercent, 2)) return 2
    return reached(readsPercent, 1) ? 1 : 0
  }

  #enter(level: OverloadLevel): void {
    const action = level > this.#level ? 'rises' : 'falls'
    this.#level = level
    this.#parts.audit.record('overload.changed', {
      rule: `level ${level}`,
      action,
      reason: `memory at ${this.#percent} %`,
      count: level,
    })
  }

  /** Those who came last have least to lose. */
  #shed(): void {
    const all = [...this.#parts.connections()]
    let left = Math.max(SHED_MIN, Math.ceil(all.length * SHED_SHARE))
    for (let at = all.length - 1; at >= 0 && left > 0; at -= 1) {
      const connection = all[at]
      if (!connection?.isIdle) continue
      connection.close(CLOSE.serverBusy, { reconnect: 'backoff', after: this.#later() })
      left -= 1
    }
  }

  #later(): number {
    return Math.round(RETRY_MS * (1 + this.#parts.random.fraction()))
  }
}
