import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import type { Logger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { HearingProbe, type ProbeLimits } from './announcement-probe.js'
import { ChannelSubscriptions } from './announcement-subscriptions.js'
import { Backoff } from './backoff.js'
import type { Connector, RedisConnection } from './connector.js'
import type { Interest } from './interest.js'
import type { Address } from './shard.js'

/** The bounds of an announcement link. */
export interface AnnouncementLimits extends ProbeLimits {
  /** Milliseconds within which the server must confirm that it listens for us (4,000). */
  readonly confirmMs: number
}

/** The bounds that hold where none are given. */
export const ANNOUNCEMENT_LIMITS: AnnouncementLimits = { confirmMs: 4_000, probeMs: 10_000, hearMs: 1_000 }

/** What a link needs of the rest. */
export interface AnnouncementLinkParts {
  readonly connector: Connector
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly limits: AnnouncementLimits
  readonly interest: Interest
  /** Whether this link is the one that has to bring a channel. */
  belongs(channel: string): boolean
  /** Channels in groups that may stand in one command. */
  groups(channels: readonly string[]): readonly (readonly string[])[]
  /** A channel of the shard that nobody else uses; undefined when the shard has none. */
  probeChannel(): string | undefined
  /** Announces over the command link of the shard. */
  publish(channel: string, text: string): Promise<unknown>
  /** This may be the wrong server, or the wrong one for some channels: find out anew. Rejects when that cannot be found out. */
  resolve(): Promise<void>
  /** `problem` may have changed. */
  changed(): void
}

/** Failures after which nobody waits for the link any more. */
const TRIES = 3

/** One connection, and what goes with it. */
interface Line {
  readonly connection: RedisConnection
  readonly subscriptions: ChannelSubscriptions
  readonly probe: HearingProbe
}

/**
 * The connection that brings the announcements of one shard, made anew for as long as the link is open. It hears only after something that was published
 * came back over it, and proves that again after a silence.
 */
export class AnnouncementLink {
  readonly id: string
  readonly #parts: AnnouncementLinkParts
  readonly #backoff: Backoff
  #address: Address
  #line: Line | undefined
  #isOpening = false
  #isClosed = false
  #isHearing = false
  #problem: string
  #failures = 0
  #stopRetry: Cancel | undefined

  constructor(id: string, address: Address, parts: AnnouncementLinkParts) {
    this.id = id
    this.#address = address
    this.#parts = parts
    this.#backoff = new Backoff(parts.random)
    this.#problem = `announcements of ${this.#where} do not arrive yet`
  }

  /** Undefined while announcements arrive; else why not, in one sentence. */
  get problem(): string | undefined {
    const refusal = this.#line?.subscriptions.problem
    return this.#isHearing ? refusal : (refusal ?? this.#problem)
  }

  /** Whether it can be asked for channels. */
  get isConnected(): boolean {
    return this.#line !== undefined
  }

  /** Whether it hears, or has failed so often that waiting for it makes no sense. */
  get hasTried(): boolean {
    return this.#isHearing || this.#isClosed || this.#failures >= TRIES
  }

  holds(channel: string): boolean {
    return this.#line?.subscriptions.holds(channel) ?? false
  }

  start(): void {
    void this.#attempt()
  }

  close(): void {
    this.#isClosed = true
    this.#stopRetry?.()
    this.#drop('the engine is closed')
  }

  /** Somebody began or ended to listen to a channel, or it belongs elsewhere now. */
  touch(channel: string): void {
    // Whoever has just begun need not wait; whoever had begun before is listened for again when the link is back.
    if (this.#line === undefined) this.#parts.interest.refuse(channel, new EngineUnavailableError(this.#problem))
    else this.#line.subscriptions.touch(channel)
  }

  /** The shard has another master. */
  moveTo(address: Address): void {
    if (address.host === this.#address.host && address.port === this.#address.port) return
    this.#address = address
    this.#drop(`the shard moved to ${this.#where}`)
    this.#retryAfter(0)
  }

  /** Something happened to the server: the link has to prove again that it hears. */
  doubt(reason: string): void {
    if (!this.#isHearing || this.#line === undefined) return
    this.#isHearing = false
    this.#problem = reason
    this.#parts.changed()
    void this.#prove(this.#line)
  }

  get #where(): string {
    return `${this.#address.host}:${this.#address.port}`
  }

  async #attempt(): Promise<void> {
    if (this.#isClosed || this.#isOpening || this.#line !== undefined) return
    this.#isOpening = true
    const address = this.#address
    try {
      const connection = await this.#parts.connector.open(address, {
        broken: (error) => this.#broken(connection, error),
        taken: (channel) => {
          if (this.#line?.connection === connection) this.#line.subscriptions.taken(channel)
        },
      })
      this.#isOpening = false
      if (this.#isClosed || address !== this.#address) connection.destroy()
      else this.#begin(connection)
    } catch (error) {
      this.#isOpening = false
      this.#fail(`cannot listen to ${this.#where}: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (this.#line === undefined && !this.#isClosed) this.#retryAfter(this.#backoff.next())
  }

  #begin(connection: RedisConnection): void {
    const { limits, interest } = this.#parts
    const line: Line = {
      connection,
      subscriptions: new ChannelSubscriptions(connection, {
        ...this.#parts,
        confirmMs: limits.confirmMs,
        where: this.#where,
        isHearing: () => this.#isHearing,
        hear: (text, channel) => {
          line.probe.heard()
          if (channel !== line.subscriptions.own) interest.hear(channel, text)
        },
        late: () => this.#giveUp(`${this.#where} did not confirm in time what we listen to`),
      }),
      probe: new HearingProbe({
        ...this.#parts,
        channel: () => line.subscriptions.own,
        isListening: (channel) => line.subscriptions.holds(channel),
        silent: () => void this.#prove(line),
      }),
    }
    this.#line = line
    void line.subscriptions.begin().then(() => this.#prove(line))
  }

  async #prove(line: Line): Promise<void> {
    const outcome = await line.probe.prove()
    if (line !== this.#line) return
    if (outcome === 'deaf') this.#giveUp(`announcements of ${this.#where} do not arrive, though the link stands`)
    else this.#proved(line)
  }

  #proved(line: Line): void {
    this.#backoff.succeeded()
    if (this.#isHearing) return
    this.#isHearing = true
    this.#failures = 0
    line.subscriptions.restored()
    this.#parts.log.info({ shard: this.id, server: this.#where }, 'announcements of redis arrive')
    this.#parts.changed()
  }

  #broken(connection: RedisConnection, error: Error): void {
    if (this.#line?.connection !== connection) return
    // A server that is full says so in its answer, and closes.
    const refusal = this.#line.subscriptions.problem
    this.#giveUp(refusal ?? `the link that brings announcements of ${this.#where} broke: ${error.message}`)
  }

  /** Drops the connection, and makes another, to wherever the shard is by then. */
  #giveUp(reason: string): void {
    this.#drop(reason)
    this.#parts.resolve().catch(() => undefined)
    this.#retryAfter(this.#backoff.next())
  }

  #drop(reason: string): void {
    const line = this.#line
    this.#line = undefined
    line?.probe.end()
    line?.connection.destroy()
    line?.subscriptions.end(reason)
    this.#fail(reason)
  }

  #fail(reason: string): void {
    if (this.#isClosed) return
    if (reason !== this.#problem)
      this.#parts.log.warn({ shard: this.id, server: this.#where, reason }, 'announcements of redis do not arrive')
    this.#failures += 1
    this.#problem = reason
    this.#isHearing = false
    this.#parts.changed()
  }

  #retryAfter(ms: number): void {
    this.#stopRetry?.()
    if (!this.#isClosed) this.#stopRetry = this.#parts.clock.after(ms, () => void this.#attempt())
  }
}
