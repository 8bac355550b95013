import type { Clock } from '../../clock.js'
import type { Engine } from '../../engine/engine.js'

/** What a channel quota works with. */
export interface ChannelQuotaParts {
  readonly engine: Pick<Engine, 'registers' | 'problem'>
  readonly clock: Pick<Clock, 'now'>
  /** The name of the register. */
  readonly register: string
  /** Whether somebody on this node listens to a channel. */
  isListened(channel: string): boolean
}

/** How long a channel counts that nobody renews and that has no history. */
const UNUSED_MS = 60_000

/** How often a channel that is in use is entered again; what it is entered for is longer by as much. */
const RENEW_MS = 20_000

/** Channels entered again at a time. */
const BATCH = 100

interface Known {
  /** How long it counts, as far as this node has seen to it. */
  until: number
  /** When this node entered it last; -Infinity: it could not. */
  enteredAt: number
}

/**
 * The channels of one tenant, over all nodes: those that somebody listens to, and those whose history is kept. Whoever uses one enters it in a register for a while and renews that;
 * so the channels of a node that died stop counting by themselves. While the engine is away a node counts its own.
 */
export class ChannelQuota {
  readonly max: number
  readonly #parts: ChannelQuotaParts
  readonly #known = new Map<string, Known>()
  readonly #entering = new Map<string, Promise<boolean>>()
  #renewing = false

  constructor(max: number, parts: ChannelQuotaParts) {
    this.max = max
    this.#parts = parts
  }

  /** Channels that this node has entered, or enters now. */
  get size(): number {
    return this.#known.size + this.#entering.size
  }

  /** Uses a channel whose history is kept for `keptMs` from now on (0: nothing is added to it). False when it is new and one too many; a promise only where the engine has to be asked. */
  enter(channel: string, keptMs: number): boolean | Promise<boolean> {
    const now = this.#parts.clock.now()
    const known = this.#known.get(channel)
    if (known === undefined || known.until <= now) return this.#entering.get(channel) ?? this.#begin(channel, keptMs)
    if (isDue(known, keptMs, now)) void this.#renew(channel, known, endOf(keptMs, now))
    return true
  }

  /** Enters again what is in use here, and forgets what is not. */
  async renew(): Promise<void> {
    if (this.#renewing || this.#parts.engine.problem() !== undefined) return
    this.#renewing = true
    const now = this.#parts.clock.now()
    let batch: Promise<void>[] = []
    for (const [channel, known] of this.#known) {
      const until = this.#neededUntil(channel, known, now)
      if (until !== undefined) batch.push(this.#renew(channel, known, until))
      else if (known.until <= now) this.#known.delete(channel)
      if (batch.length < BATCH) continue
      await Promise.all(batch)
      batch = []
    }
    await Promise.all(batch)
    this.#renewing = false
  }

  /** Channels in use on all nodes. Rejects when the engine cannot be reached. */
  async used(): Promise<number> {
    return (await this.#parts.engine.registers.totals(this.#parts.register)).entries
  }

  #begin(channel: string, keptMs: number): boolean | Promise<boolean> {
    if (this.#parts.engine.problem() !== undefined) return this.#enterAlone(channel, keptMs)
    const entering = this.#ask(channel, keptMs).finally(() => this.#entering.delete(channel))
    this.#entering.set(channel, entering)
    return entering
  }

  async #ask(channel: string, keptMs: number): Promise<boolean> {
    const { engine, register, clock } = this.#parts
    const now = clock.now()
    const until = endOf(keptMs, now)
    try {
      const request = { key: channel, rank: until, ttlMs: until - now, entriesMax: this.max }
      const put = await engine.registers.put(register, request)
      if (put !== undefined) this.#known.set(channel, { until, enteredAt: now })
      return put !== undefined
    } catch {
      return this.#enterAlone(channel, keptMs)
    }
  }

  /** It is entered when the engine is back. */
  #enterAlone(channel: string, keptMs: number): boolean {
    if (!this.#known.has(channel) && this.#known.size >= this.max) return false
    this.#known.set(channel, { until: endOf(keptMs, this.#parts.clock.now()), enteredAt: -Infinity })
    return true
  }

  /** Until when it has to be entered again; undefined: it is entered, or nobody needs it. */
  #neededUntil(channel: string, known: Known, now: number): number | undefined {
    if (this.#parts.isListened(channel)) return isDue(known, 0, now) ? endOf(0, now) : undefined
    return known.enteredAt === -Infinity && known.until > now ? known.until : undefined
  }

  /** Of two nodes the one that needs it for longer is right, which the rank says: who only listens must not shorten what a message has lengthened. */
  async #renew(channel: string, known: Known, until: number): Promise<void> {
    const { engine, register, clock } = this.#parts
    known.enteredAt = clock.now()
    known.until = Math.max(known.until, until)
    try {
      await engine.registers.put(register, { key: channel, rank: until, ttlMs: until - known.enteredAt })
    } catch {
      known.enteredAt = -Infinity
    }
  }
}

function endOf(keptMs: number, now: number): number {
  return now + Math.max(keptMs, UNUSED_MS) + RENEW_MS
}

/** Also where the clock was set back: the engine has a clock of its own. */
function isDue({ until, enteredAt }: Known, keptMs: number, now: number): boolean {
  return Math.abs(now - enteredAt) >= RENEW_MS || until - now < Math.max(keptMs, UNUSED_MS)
}
