import type { Clock } from '../../clock.js'
import { EngineUnavailableError } from '../unavailable.js'
import type { RedisConnection } from './connector.js'
import type { Interest } from './interest.js'

/** What the subscriptions of a connection need of the rest. */
export interface SubscriptionParts {
  readonly clock: Clock
  readonly interest: Interest
  /** Milliseconds within which the server must confirm that it listens for us. */
  readonly confirmMs: number
  /** The server, for people. */
  readonly where: string
  /** Whether this connection is the one that has to bring a channel. */
  belongs(channel: string): boolean
  /** Channels in groups that may stand in one command. */
  groups(channels: readonly string[]): readonly (readonly string[])[]
  /** A channel of the shard that nobody else uses; undefined when the shard has none. */
  probeChannel(): string | undefined
  /** Whether it was proved that the connection hears: then whoever lost a channel is told as soon as it is back. */
  isHearing(): boolean
  /** What comes over the connection. */
  hear(text: string, channel: string): void
  /** The server did not confirm in time. */
  late(): void
  /** Some channels may be elsewhere: find out. Rejects when that cannot be found out. */
  resolve(): Promise<void>
  /** `problem` may have changed. */
  changed(): void
}

/** Channels that are asked for at one time. */
const BATCH = 500

/** Milliseconds until what the server would not listen to is asked for again. */
const AGAIN_MS = 100

/** What the server is asked to listen to over one connection, kept equal to what is wished for: many wishes in one command, and one command after another. */
export class ChannelSubscriptions {
  readonly #connection: RedisConnection
  readonly #parts: SubscriptionParts
  readonly #hear = (text: string, channel: string): void => this.#parts.hear(text, channel)
  /** Channels that the server has confirmed. */
  readonly #held = new Set<string>()
  /** Channels that the server took away, or would not give. */
  readonly #missing = new Set<string>()
  /** Channels for which something may have to be asked. */
  readonly #touched = new Set<string>()
  /** Channels of the round under way. */
  #asked: readonly string[] = []
  #own: string | undefined
  #refusal = ''
  #isAsking = false
  #isResolving = false
  #isEnded = false

  constructor(connection: RedisConnection, parts: SubscriptionParts) {
    this.#connection = connection
    this.#parts = parts
  }

  /** The channel for probes. */
  get own(): string | undefined {
    return this.#own
  }

  /** Undefined while everything that is wished for is had, or being asked for. */
  get problem(): string | undefined {
    return this.#missing.size === 0 ? undefined : `${this.#missing.size} channels cannot be heard: ${this.#refusal}`
  }

  holds(channel: string): boolean {
    return this.#held.has(channel)
  }

  /** Asks for everything that belongs here; resolves when that was answered. */
  async begin(): Promise<void> {
    this.#own = this.#parts.probeChannel()
    if (this.#own !== undefined) this.#touched.add(this.#own)
    for (const channel of this.#parts.interest.channels()) if (this.#parts.belongs(channel)) this.#touched.add(channel)
    await this.#ask()
  }

  /** Somebody began or ended to listen to a channel, or it belongs elsewhere now. */
  touch(channel: string): void {
    this.#touched.add(channel)
    // Not at once: what else is wished for in the same turn goes into the same command.
    if (!this.#isAsking) void Promise.resolve().then(() => this.#ask())
  }

  /** The server took a channel away. */
  taken(channel: string): void {
    this.#held.delete(channel)
    this.#parts.interest.lost(channel)
    this.#miss([channel], `${this.#parts.where} gave up part of the key space`)
  }

  /** It is proved that the connection hears: whoever lost a channel is told. */
  restored(): void {
    for (const channel of this.#held) this.#parts.interest.restored(channel)
  }

  /** The connection is gone: nobody waits for it, and all who listened are told once their channel is back. */
  end(reason: string): void {
    this.#isEnded = true
    const away = new EngineUnavailableError(reason)
    for (const channel of [...this.#touched, ...this.#asked]) this.#parts.interest.refuse(channel, away)
    for (const channel of this.#held) this.#parts.interest.lost(channel)
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    while (this.#touched.size > 0 && !this.#isEnded) await this.#askRound()
    this.#isAsking = false
  }

  async #askRound(): Promise<void> {
    const { listen, leave } = this.#nextRound()
    this.#asked = listen
    if (listen.length + leave.length === 0) return
    const stopWaiting = this.#parts.clock.after(this.#parts.confirmMs, () => {
      if (!this.#isEnded) this.#parts.late()
    })
    const asked = this.#parts.groups(listen).map((group) => this.#listen(group))
    const left = this.#parts.groups(leave).map((group) => this.#connection.sUnsubscribe([...group], this.#hear))
    // What ends badly here ends the connection, or was dealt with.
    await Promise.allSettled([...asked, ...left])
    stopWaiting()
  }

  #nextRound(): { listen: string[]; leave: string[] } {
    const listen: string[] = []
    const leave: string[] = []
    for (const channel of this.#touched) {
      if (listen.length + leave.length >= BATCH) break
      this.#touched.delete(channel)
      if (this.#isWanted(channel)) {
        if (this.#held.has(channel)) this.#parts.interest.confirm(channel)
        else listen.push(channel)
      } else if (this.#held.delete(channel)) {
        this.#parts.interest.lost(channel)
        leave.push(channel)
      } else this.#found(channel)
    }
    return { listen, leave }
  }

  #isWanted(channel: string): boolean {
    return channel === this.#own || (this.#parts.interest.has(channel) && this.#parts.belongs(channel))
  }

  async #listen(channels: readonly string[]): Promise<void> {
    try {
      await this.#connection.sSubscribe([...channels], this.#hear)
    } catch (error) {
      if (!this.#isEnded) this.#refused(channels, error)
      return
    }
    if (this.#isEnded) return
    for (const channel of channels) {
      this.#held.add(channel)
      this.#found(channel)
      this.#parts.interest.confirm(channel)
      if (this.#parts.isHearing()) this.#parts.interest.restored(channel)
    }
  }

  /** The server would not listen for us: its slots moved, or it is not itself. */
  #refused(channels: readonly string[], error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    const away = new EngineUnavailableError(`${this.#parts.where} does not listen: ${reason}`, { cause: error })
    for (const channel of channels) {
      this.#parts.interest.lost(channel)
      this.#parts.interest.refuse(channel, away)
    }
    this.#miss(channels, away.message)
  }

  /** Finds out where the channels belong. Those that are still ours are asked for again; the others come over another connection. */
  #miss(channels: readonly string[], reason: string): void {
    for (const channel of channels) this.#missing.add(channel)
    this.#refusal = reason
    this.#parts.changed()
    if (this.#isResolving) return
    this.#isResolving = true
    const later = (): void => void this.#parts.clock.after(AGAIN_MS, () => this.#askAgain())
    this.#parts.resolve().then(later, later)
  }

  #askAgain(): void {
    this.#isResolving = false
    if (this.#isEnded) return
    if (this.#own !== undefined && this.#missing.delete(this.#own)) {
      // Whatever is found out of this connection is found out by another channel.
      this.#own = this.#parts.probeChannel()
      if (this.#own !== undefined) this.touch(this.#own)
    }
    for (const channel of this.#missing) this.touch(channel)
    this.#parts.changed()
  }

  #found(channel: string): void {
    if (this.#missing.delete(channel) && this.#missing.size === 0) this.#parts.changed()
  }
}
