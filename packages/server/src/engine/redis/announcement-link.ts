import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import type { Logger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { encodeText } from './announcement.js'
import { Backoff } from './backoff.js'
import type { Connector, RedisConnection } from './connector.js'
import type { Interest } from './interest.js'
import type { Address } from './shard.js'

/** The bounds of an announcement link. */
export interface AnnouncementLimits {
  /** Milliseconds within which the server must confirm that it listens for us (4,000). */
  readonly confirmMs: number
  /** Milliseconds of silence after which the link probes itself (10,000). */
  readonly probeMs: number
  /** Milliseconds within which a probe that was published must be heard (1,000). */
  readonly hearMs: number
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
  /** Whether the link hears has changed. */
  changed(): void
}

/** Channels that are asked for at one time. */
const BATCH = 500

/** The link looks so often within `probeMs` whether it has heard anything. */
const LOOKS = 4

/** Probes that may go unheard; with the next the link is given up. */
const MISSES_MAX = 1

/** Milliseconds between two attempts to publish a probe while commands are refused. */
const PUBLISH_AGAIN_MS = 25

/** Milliseconds until what the server would not listen to is asked for again. */
const LISTEN_AGAIN_MS = 100

/** Failures after which nobody waits for the link any more. */
const TRIES = 3

/**
 * The connection that brings the announcements of one shard, made anew for as long as the link is open. Connected is not the same as receiving: the link
 * `hears` only after something that was published came back over it, and proves that again after a silence.
 */
export class AnnouncementLink {
  readonly id: string
  readonly #parts: AnnouncementLinkParts
  readonly #backoff: Backoff
  #address: Address
  #connection: RedisConnection | undefined
  #isOpening = false
  #isClosed = false
  #isHearing = false
  #problem: string
  #refusal = ''
  #isResolving = false
  #failures = 0
  #probe: string | undefined
  /** Channels that the server has confirmed on this connection. */
  readonly #held = new Set<string>()
  /** Channels that the server took away, or would not give. */
  readonly #missing = new Set<string>()
  /** Channels for which something may have to be asked. */
  readonly #touched = new Set<string>()
  /** Channels of the round under way. */
  #asked: readonly string[] = []
  #isAsking = false
  #isProving = false
  #hasHeard = false
  #onHeard: (() => void) | undefined
  #silentLooks = 0
  #stopLooking: Cancel | undefined
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
    if (!this.#isHearing) return this.#problem
    return this.#missing.size === 0 ? undefined : `${this.#missing.size} channels cannot be heard: ${this.#refusal}`
  }

  /** Whether it can be asked for channels. */
  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  /** Whether it hears, or has failed so often that waiting for it makes no sense. */
  get hasTried(): boolean {
    return this.#isHearing || this.#isClosed || this.#failures >= TRIES
  }

  holds(channel: string): boolean {
    return this.#held.has(channel)
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
    const connection = this.#connection
    // Whoever has just begun need not wait; whoever had begun before is listened for again when the link is back.
    if (connection === undefined) return this.#parts.interest.refuse(channel, new EngineUnavailableError(this.#problem))
    this.#touched.add(channel)
    // Not at once: what else is wished for in the same turn goes into the same command.
    if (!this.#isAsking) void Promise.resolve().then(() => this.#ask(connection))
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
    if (!this.#isHearing) return
    this.#isHearing = false
    this.#problem = reason
    this.#parts.changed()
    void this.#prove()
  }

  get #where(): string {
    return `${this.#address.host}:${this.#address.port}`
  }

  async #attempt(): Promise<void> {
    if (this.#isClosed || this.#isOpening || this.#connection !== undefined) return
    this.#isOpening = true
    const address = this.#address
    try {
      const connection = await this.#parts.connector.open(address, {
        broken: (error) => this.#broken(connection, error),
        taken: (channel) => this.#taken(connection, channel),
      })
      this.#isOpening = false
      if (this.#isClosed || address !== this.#address) connection.destroy()
      else this.#begin(connection)
    } catch (error) {
      this.#isOpening = false
      this.#fail(`cannot listen to ${this.#where}: ${reasonOf(error)}`)
    }
    if (this.#connection === undefined && !this.#isClosed) this.#retryAfter(this.#backoff.next())
  }

  #begin(connection: RedisConnection): void {
    this.#connection = connection
    this.#silentLooks = 0
    this.#stopLooking = this.#parts.clock.every(this.#parts.limits.probeMs / LOOKS, () => this.#look())
    this.#probe = this.#parts.probeChannel()
    if (this.#probe !== undefined) this.#touched.add(this.#probe)
    for (const channel of this.#parts.interest.channels()) if (this.#parts.belongs(channel)) this.#touched.add(channel)
    void this.#ask(connection).then(() => this.#prove())
  }

  #broken(connection: RedisConnection, error: Error): void {
    if (this.#connection !== connection) return
    this.#drop(`the link that brings announcements of ${this.#where} broke: ${error.message}`)
    this.#parts.resolve().catch(() => undefined)
    this.#retryAfter(this.#backoff.next())
  }

  /** Asks for what is wished and not had, and gives back what is had and not wished; one round at a time, so that a later wish never overtakes. */
  async #ask(connection: RedisConnection): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    while (this.#touched.size > 0 && connection === this.#connection) await this.#askRound(connection)
    if (connection === this.#connection) this.#isAsking = false
  }

  async #askRound(connection: RedisConnection): Promise<void> {
    const { listen, leave } = this.#nextRound()
    this.#asked = listen
    if (listen.length + leave.length === 0) return
    const stopWaiting = this.#parts.clock.after(this.#parts.limits.confirmMs, () => {
      if (connection === this.#connection) this.#giveUp(`${this.#where} did not confirm in time what we listen to`)
    })
    const asked = this.#parts.groups(listen).map((group) => this.#listen(connection, group))
    const left = this.#parts.groups(leave).map((group) => connection.sUnsubscribe([...group], this.#hear))
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
    return channel === this.#probe || (this.#parts.interest.has(channel) && this.#parts.belongs(channel))
  }

  async #listen(connection: RedisConnection, channels: readonly string[]): Promise<void> {
    try {
      await connection.sSubscribe([...channels], this.#hear)
    } catch (error) {
      if (connection === this.#connection) this.#refused(channels, error)
      return
    }
    if (connection !== this.#connection) return
    for (const channel of channels) {
      this.#held.add(channel)
      this.#found(channel)
      this.#parts.interest.confirm(channel)
      if (this.#isHearing) this.#parts.interest.restored(channel)
    }
  }

  /** The server would not listen for us: its slots moved, or it is not itself. */
  #refused(channels: readonly string[], error: unknown): void {
    const away = new EngineUnavailableError(`${this.#where} does not listen: ${reasonOf(error)}`, { cause: error })
    for (const channel of channels) {
      this.#parts.interest.lost(channel)
      this.#parts.interest.refuse(channel, away)
    }
    this.#miss(channels, away.message)
  }

  #taken(connection: RedisConnection, channel: string): void {
    if (this.#connection !== connection) return
    this.#held.delete(channel)
    this.#parts.interest.lost(channel)
    this.#miss([channel], `${this.#where} gave up part of the key space`)
  }

  /** Finds out where the channels belong. Those that are still ours are asked for again; the others come over another link. */
  #miss(channels: readonly string[], reason: string): void {
    for (const channel of channels) this.#missing.add(channel)
    this.#refusal = reason
    this.#parts.changed()
    if (this.#isResolving) return
    this.#isResolving = true
    const later = (): void => {
      this.#parts.clock.after(LISTEN_AGAIN_MS, () => {
        this.#isResolving = false
        if (this.#connection !== undefined) this.#askAgain()
      })
    }
    this.#parts.resolve().then(later, later)
  }

  #askAgain(): void {
    if (this.#probe !== undefined && this.#missing.delete(this.#probe)) {
      // Whatever is found out of this link is found out by another channel.
      this.#probe = this.#parts.probeChannel()
      if (this.#probe !== undefined) this.touch(this.#probe)
    }
    for (const channel of this.#missing) this.touch(channel)
    this.#parts.changed()
  }

  #found(channel: string): void {
    if (this.#missing.delete(channel) && this.#missing.size === 0) this.#parts.changed()
  }

  readonly #hear = (text: string, channel: string): void => {
    this.#hasHeard = true
    this.#onHeard?.()
    if (channel !== this.#probe) this.#parts.interest.hear(channel, text)
  }

  #look(): void {
    this.#silentLooks = this.#hasHeard ? 0 : this.#silentLooks + 1
    this.#hasHeard = false
    if (this.#silentLooks < LOOKS) return
    this.#silentLooks = 0
    void this.#prove()
  }

  /** Publishes to ourselves until something is heard: then the link hears. */
  async #prove(): Promise<void> {
    const connection = this.#connection
    if (this.#isProving || connection === undefined) return
    this.#isProving = true
    let misses = 0
    while (connection === this.#connection && misses <= MISSES_MAX) {
      const outcome = await this.#probeOnce(connection)
      if (outcome === 'heard') break
      if (outcome === 'unheard') misses += 1
      else await this.#pause(PUBLISH_AGAIN_MS)
    }
    if (connection !== this.#connection) return
    this.#isProving = false
    if (misses > MISSES_MAX) this.#giveUp(`announcements of ${this.#where} do not arrive, though the link stands`)
    else this.#proved()
  }

  /** Only what was published counts: when commands are refused nothing is said about this link. */
  async #probeOnce(connection: RedisConnection): Promise<'heard' | 'unheard' | 'unpublished'> {
    if (this.#probe === undefined) return 'heard'
    if (!this.#held.has(this.#probe)) return 'unpublished'
    let isHeard = false
    const heard = new Promise<void>((resolve) => {
      this.#onHeard = () => {
        isHeard = true
        resolve()
      }
    })
    try {
      await this.#parts.publish(this.#probe, encodeText(this.#parts.random.id(8)))
    } catch {
      return 'unpublished'
    }
    if (!isHeard && connection === this.#connection) await Promise.race([heard, this.#pause(this.#parts.limits.hearMs)])
    return isHeard ? 'heard' : 'unheard'
  }

  #proved(): void {
    this.#onHeard = undefined
    this.#backoff.succeeded()
    if (this.#isHearing) return
    this.#isHearing = true
    this.#failures = 0
    for (const channel of this.#held) this.#parts.interest.restored(channel)
    this.#parts.log.info({ shard: this.id, server: this.#where }, 'announcements of redis arrive')
    this.#parts.changed()
  }

  /** Drops a link that does not do what it should, and makes another. */
  #giveUp(reason: string): void {
    this.#drop(reason)
    this.#parts.resolve().catch(() => undefined)
    this.#retryAfter(this.#backoff.next())
  }

  #drop(reason: string): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#stopLooking?.()
    this.#isAsking = false
    this.#isProving = false
    this.#onHeard = undefined
    connection?.destroy()
    const away = new EngineUnavailableError(reason)
    for (const channel of [...this.#touched, ...this.#asked]) this.#parts.interest.refuse(channel, away)
    this.#touched.clear()
    this.#missing.clear()
    this.#asked = []
    for (const channel of this.#held) this.#parts.interest.lost(channel)
    this.#held.clear()
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

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(ms, resolve)
    })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
