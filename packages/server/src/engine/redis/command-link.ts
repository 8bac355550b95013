import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { type Logger, errorFields } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { Backoff } from './backoff.js'
import type { Connector, RedisConnection } from './connector.js'
import { type Remedy, remedyOf } from './error-replies.js'
import type { Address, Commands, Reply, Script, Shard } from './shard.js'

/** The bounds of a link. */
export interface LinkLimits {
  /** Milliseconds within which a command must be answered (4,000). */
  readonly commandTimeoutMs: number
  /** Commands without an answer at one time (10,000); beyond it they are refused at once. */
  readonly inFlightMax: number
  /** Characters of those commands together (67,108,864). */
  readonly inFlightCharactersMax: number
}

/** The bounds that hold where none are given. */
export const LINK_LIMITS: LinkLimits = {
  commandTimeoutMs: 4_000,
  inFlightMax: 10_000,
  inFlightCharactersMax: 67_108_864,
}

/** What a link needs of the rest. */
export interface LinkParts {
  readonly connector: Connector
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly limits: LinkLimits
  /** Done on each new connection before anything else is let through; when it rejects, the connection is dropped and another made. */
  greet(shard: Shard, line: Commands): Promise<void>
  /** The link came up. */
  arrived(shard: Shard): void
  /** The link went down, which was up. */
  left(shard: Shard): void
  /** `problem` may have changed. */
  changed(): void
  /** This may be the wrong server: find out anew where the shard is. */
  astray(): void
}

/** The first attempts of a node that starts while Redis does too. */
const FIRST_DELAYS_MS = [1_000, 2_000]

/** How many times within its timeout a command is looked at. */
const LOOKS_PER_TIMEOUT = 20

interface Exchange {
  /** The look at which it is late. Looks are counted, not milliseconds: a process that stood still has not waited for Redis. */
  readonly lateAt: number
  readonly characters: number
  readonly fail: (error: Error) => void
}

/**
 * One connection to the master of a shard, made anew for as long as the link is open. While it is down commands are refused at once; nothing waits for a
 * connection, and nothing is sent twice. A command that is not answered in time ends the connection, so that its late answer cannot be taken for
 * another's; with it all others fail that were under way.
 */
export class CommandLink implements Commands {
  readonly id: string
  readonly #parts: LinkParts
  readonly #backoff: Backoff
  readonly #inFlight = new Set<Exchange>()
  #characters = 0
  #address: Address
  #connection: RedisConnection | undefined
  #isUp = false
  #wasUp = false
  #problem: string | undefined
  #attempts = 0
  #looks = 0
  #stopRetry: Cancel | undefined
  #stopLooking: Cancel | undefined
  #isOpening = false
  #isClosed = false
  readonly #tried: (() => void)[] = []

  constructor(shard: Shard, parts: LinkParts) {
    this.id = shard.id
    this.#address = shard.address
    this.#parts = parts
    this.#backoff = new Backoff(parts.random)
    this.#problem = `not connected to ${this.#where} yet`
  }

  /** Undefined while commands are let through; else why not, in one sentence. */
  get problem(): string | undefined {
    return this.#isUp ? undefined : this.#problem
  }

  get address(): Address {
    return this.#address
  }

  start(): void {
    void this.#attempt()
  }

  /** Resolves when the link is up, or after the third attempt that failed. */
  tried(): Promise<void> {
    if (this.#hasTried) return Promise.resolve()
    return new Promise((resolve) => this.#tried.push(resolve))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopRetry?.()
    this.#drop('the link was closed')
    for (const resolve of this.#tried.splice(0)) resolve()
  }

  /** The shard has another master. */
  moveTo(address: Address): void {
    if (address.host === this.#address.host && address.port === this.#address.port) return
    this.#address = address
    this.#drop(`the shard moved to ${this.#where}`)
    this.#retryNow()
  }

  /** Drops the connection and makes another. */
  renew(reason: string): void {
    if (this.#connection === undefined) return
    // While it is greeted, whoever greets it tries again.
    const wasUp = this.#isUp
    this.#drop(reason)
    if (wasUp) this.#retryLater()
  }

  send(args: readonly string[]): Promise<Reply> {
    const refusal = this.#refusal()
    return refusal === undefined ? this.#exchange(args) : Promise.reject(refusal)
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const refusal = this.#refusal()
    return refusal === undefined ? this.#run(script, keys, args) : Promise.reject(refusal)
  }

  /** As `send`, after `ASKING`: for a key on its way to this shard. */
  async ask(args: readonly string[]): Promise<Reply> {
    const asking = this.send(['ASKING'])
    const answer = this.send(args)
    await Promise.allSettled([asking, answer])
    return answer
  }

  get #shard(): Shard {
    return { id: this.id, address: this.#address }
  }

  get #where(): string {
    return `${this.#address.host}:${this.#address.port}`
  }

  get #hasTried(): boolean {
    return this.#isUp || this.#isClosed || this.#attempts > FIRST_DELAYS_MS.length
  }

  #refusal(): EngineUnavailableError | undefined {
    if (!this.#isUp) return new EngineUnavailableError(this.#problem ?? `not connected to ${this.#where}`)
    const { inFlightMax, inFlightCharactersMax } = this.#parts.limits
    if (this.#inFlight.size < inFlightMax && this.#characters < inFlightCharactersMax) return undefined
    const waiting = `${this.#inFlight.size} commands of ${this.#characters} characters`
    return new EngineUnavailableError(`${waiting} wait for ${this.#where} already`)
  }

  #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args]
    return this.#exchange(['EVALSHA', script.sha, ...rest], () => ['EVAL', script.text, ...rest])
  }

  /** Sends one command. Where the server does not know a script, `withText` is sent instead: the first was not executed. */
  #exchange(args: readonly string[], withText?: () => readonly string[]): Promise<Reply> {
    const connection = this.#connection
    if (connection === undefined) return Promise.reject(new EngineUnavailableError(`not connected to ${this.#where}`))
    return new Promise((resolve, reject) => {
      const exchange: Exchange = {
        lateAt: this.#looks + LOOKS_PER_TIMEOUT + 1,
        characters: lengthOf(args),
        fail: reject,
      }
      this.#inFlight.add(exchange)
      this.#characters += exchange.characters
      connection.sendCommand(args).then(
        (reply) => {
          if (this.#settled(exchange)) resolve(reply as Reply)
        },
        (error: unknown) => {
          if (!this.#settled(exchange)) return
          const remedy = remedyOf(error)
          if (remedy === 'load' && withText !== undefined) resolve(this.#exchange(withText()))
          else reject(this.#failure(error, remedy, connection))
        },
      )
    })
  }

  /** Takes an exchange off the list; false when it has failed already. */
  #settled(exchange: Exchange): boolean {
    if (!this.#inFlight.delete(exchange)) return false
    this.#characters -= exchange.characters
    return true
  }

  #failure(error: unknown, remedy: Remedy | undefined, connection: RedisConnection): EngineUnavailableError {
    const reason = error instanceof Error ? error.message : String(error)
    if (remedy === 'resolve' && connection === this.#connection) {
      this.renew(`${this.#where} answers: ${reason}`)
      this.#parts.astray()
    }
    return new EngineUnavailableError(`${this.#where}: ${reason}`, { cause: error })
  }

  async #attempt(): Promise<void> {
    if (this.#isClosed || this.#isOpening || this.#connection !== undefined) return
    this.#isOpening = true
    const address = this.#address
    try {
      const connection = await this.#parts.connector.open(address, {
        broken: (error) => this.#broken(connection, error),
      })
      this.#isOpening = false
      if (this.#isClosed || address !== this.#address) connection.destroy()
      else await this.#greet(connection)
    } catch (error) {
      this.#isOpening = false
      if (address === this.#address) this.#failed(error)
    }
    if (this.#connection !== undefined) return
    if (address === this.#address) this.#retryLater()
    else this.#retryNow()
  }

  async #greet(connection: RedisConnection): Promise<void> {
    this.#connection = connection
    this.#stopLooking = this.#parts.clock.every(this.#parts.limits.commandTimeoutMs / LOOKS_PER_TIMEOUT, () =>
      this.#look(),
    )
    try {
      await this.#parts.greet(this.#shard, this.#line())
    } catch (error) {
      if (this.#connection === connection) this.#drop(reasonOf(error))
      throw error
    }
    if (this.#connection === connection) this.#up()
  }

  /** The connection itself, for what has to be done before others may use it. */
  #line(): Commands {
    const connection = this.#connection
    const isGone = (): Promise<Reply> | undefined =>
      connection === this.#connection
        ? undefined
        : Promise.reject(new EngineUnavailableError(`the connection to ${this.#where} broke`))
    return {
      send: (args) => isGone() ?? this.#exchange(args),
      run: (script, keys, args) => isGone() ?? this.#run(script, keys, args),
    }
  }

  #up(): void {
    this.#isUp = true
    this.#wasUp = true
    this.#problem = undefined
    this.#backoff.succeeded()
    this.#parts.log.info({ shard: this.id, server: this.#where }, 'connected to redis')
    this.#settleTried()
    this.#parts.arrived(this.#shard)
    this.#parts.changed()
  }

  #broken(connection: RedisConnection, error: Error): void {
    if (this.#connection !== connection) return
    this.renew(`the connection to ${this.#where} broke: ${error.message}`)
    this.#parts.astray()
  }

  /** An attempt came to nothing. */
  #failed(error: unknown): void {
    if (this.#isClosed) return
    const problem = `cannot use the server at ${this.#where}: ${reasonOf(error)}`
    if (problem !== this.#problem)
      this.#parts.log.warn({ shard: this.id, server: this.#where, ...errorFields(error) }, 'redis is away')
    this.#problem = problem
    this.#parts.changed()
    this.#parts.astray()
  }

  #drop(reason: string): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#stopLooking?.()
    this.#problem = reason
    const wasUp = this.#isUp
    this.#isUp = false
    connection?.destroy()
    const error = new EngineUnavailableError(reason)
    const failed = [...this.#inFlight]
    this.#inFlight.clear()
    this.#characters = 0
    for (const exchange of failed) exchange.fail(error)
    if (!wasUp) return
    if (!this.#isClosed) this.#parts.log.warn({ shard: this.id, server: this.#where, reason }, 'redis is away')
    this.#parts.left(this.#shard)
    this.#parts.changed()
  }

  /** Answers come in the order of the commands: if the oldest is in time all are. */
  #look(): void {
    this.#looks += 1
    for (const { lateAt } of this.#inFlight) {
      if (this.#looks < lateAt) return
      this.renew(`${this.#where} did not answer within ${this.#parts.limits.commandTimeoutMs} ms`)
      this.#parts.astray()
      return
    }
  }

  #retryLater(): void {
    this.#attempts += 1
    this.#settleTried()
    if (this.#isClosed) return
    const first = this.#wasUp ? undefined : FIRST_DELAYS_MS[this.#attempts - 1]
    this.#stopRetry?.()
    this.#stopRetry = this.#parts.clock.after(first ?? this.#backoff.next(), () => void this.#attempt())
  }

  #retryNow(): void {
    this.#stopRetry?.()
    if (!this.#isClosed) this.#stopRetry = this.#parts.clock.after(0, () => void this.#attempt())
  }

  #settleTried(): void {
    if (this.#hasTried) for (const resolve of this.#tried.splice(0)) resolve()
  }
}

function lengthOf(args: readonly string[]): number {
  let length = 0
  for (const arg of args) length += arg.length
  return length
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
