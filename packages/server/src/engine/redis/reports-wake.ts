import type { Clock } from '../../clock.js'
import type { Connector, RedisConnection } from './connector.js'
import type { Address, Topology } from './shard.js'

/** What a wake needs of the rest. */
export interface ReportsWakeParts {
  readonly connector: Connector
  readonly topology: Topology
  readonly clock: Clock
  /** Milliseconds beyond those of the wait within which the server must answer. */
  readonly answerMs: number
}

/** A connection of its own that waits for something new in a stream: a command that blocks would hold up all others on theirs. */
export class ReportsWake {
  readonly #parts: ReportsWakeParts
  #line: { readonly connection: RedisConnection; readonly address: Address } | undefined
  /** Ends the wait under way. */
  #end: ((reason: Error) => void) | undefined
  #isClosed = false

  constructor(parts: ReportsWakeParts) {
    this.#parts = parts
  }

  /** Resolves when there is something behind `entry`, or after `ms`, or when it is closed. Where the server does not answer it rejects, at once or in the end. */
  async wait(stream: string, entry: string, ms: number): Promise<void> {
    if (this.#isClosed) return
    try {
      await new Promise<void>((resolve, reject) => {
        const end = (settle: () => void) => (): void => {
          cancel()
          settle()
        }
        const cancel = this.#parts.clock.after(ms + this.#parts.answerMs, () => reject(new Error('no answer in time')))
        this.#end = (reason) => end(() => reject(reason))()
        this.#block(stream, entry, ms).then(end(resolve), (error: Error) => end(() => reject(error))())
      })
    } catch (error) {
      this.#drop()
      if (!this.#isClosed) throw error
    } finally {
      this.#end = undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#drop()
    this.#end?.(new Error('closed'))
  }

  #drop(): void {
    this.#line?.connection.destroy()
    this.#line = undefined
  }

  async #block(stream: string, entry: string, ms: number): Promise<void> {
    const connection = await this.#connect(stream)
    await connection.sendCommand(['XREAD', 'COUNT', '1', 'BLOCK', String(ms), 'STREAMS', stream, entry])
  }

  async #connect(stream: string): Promise<RedisConnection> {
    const { connector, topology } = this.#parts
    const address = topology.shardOf(stream)?.address
    if (address === undefined) throw new Error('no server holds the stream')
    const held = this.#line
    if (held?.address.host === address.host && held.address.port === address.port) return held.connection
    this.#drop()
    const connection = await connector.open(address, {
      broken: (error) => {
        if (this.#line?.connection !== connection) return
        this.#line = undefined
        this.#end?.(error)
      },
    })
    if (this.#isClosed) connection.destroy()
    else this.#line = { connection, address }
    return connection
  }
}
