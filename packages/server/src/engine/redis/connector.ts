import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type * as driver from '@redis/client'
import type { Clock } from '../../clock.js'
import type { Address } from './shard.js'

/** One connection of the driver: `createClient` of @redis/client, connected and authenticated. */
export interface RedisConnection {
  /** Sends a command; rejects with the driver's error. Bounded by nothing: who calls it has its own timeout. */
  sendCommand(args: readonly string[]): Promise<unknown>
  /** One SSUBSCRIBE for all of `channels`. `listener` is the same function for all. Resolves when the server has confirmed each. */
  sSubscribe(channels: string[], listener: (payload: string, channel: string) => void): Promise<void>
  /** One SUNSUBSCRIBE for all of `channels`. */
  sUnsubscribe(channels: string[], listener?: (payload: string, channel: string) => void): Promise<void>
  /** Cuts the connection at once; never throws. Nothing is told afterwards. */
  destroy(): void
}

/** What is told of a connection after it was opened. */
export interface ConnectionEvents {
  /** It broke, once, by itself. The connection is of no use afterwards and need not be destroyed. */
  broken(error: Error): void
  /** The server took a sharded subscription away, because its slot moved. */
  taken?(channel: string): void
}

/** Opens connections. There is no reconnecting inside: who opened it opens another. */
export interface Connector {
  /** Within the connect timeout (1 s): connects, authenticates, selects the database. Rejects with the driver's error, and leaves nothing open. */
  open(address: Address, events: ConnectionEvents): Promise<RedisConnection>
}

/** How to connect. */
export interface ConnectionOptions {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly database?: number | undefined
  readonly tls: boolean | TlsOptions
  readonly connectTimeoutMs: number
}

/** How many times within its timeout a connection that is being made is looked at: looks are counted, since a process that stood still has not waited. */
const LOOKS_PER_TIMEOUT = 10

type Driver = typeof driver
type Client = ReturnType<Driver['createClient']>

/** The same shapes from every server, and one that is too old can still be asked what it is. */
const RESP = 2

/** The driver. @throws Error that says how to install it. */
export async function loadDriver(): Promise<Driver> {
  try {
    return await import('@redis/client')
  } catch (error) {
    throw new Error('the redis engine needs the package @redis/client: npm install @redis/client', { cause: error })
  }
}

/** Connections of @redis/client, without what it would do behind our back: no reconnecting, no queue while away, no repeating. */
export class DriverConnector implements Connector {
  readonly #options: ConnectionOptions
  readonly #clock: Clock
  #create: ((options: object) => Client) | undefined

  constructor(options: ConnectionOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  async open(address: Address, events: ConnectionEvents): Promise<RedisConnection> {
    const { host, port } = address
    this.#create ??= creatorOf(await loadDriver())
    const client = this.#create(this.#clientOptions(address))
    let told = false
    const tell = (error: Error): void => {
      if (told) return
      told = true
      destroy()
      events.broken(error)
    }
    const destroy = (): void => {
      told = true
      client.destroy()
    }
    // What breaks while it connects is told by the rejection.
    let fail: (error: Error) => void = () => {}
    client.on('error', (error: Error) => fail(error))
    client.on('sharded-channel-moved', (channel: string) => events.taken?.(channel))
    const late = new Promise<never>((_resolve, reject) => {
      const { connectTimeoutMs } = this.#options
      let looks = 0
      const cancel = this.#clock.every(connectTimeoutMs / LOOKS_PER_TIMEOUT, () => {
        looks += 1
        if (looks > LOOKS_PER_TIMEOUT) fail(new Error(`no answer from ${host}:${port} within ${connectTimeoutMs} ms`))
      })
      fail = (error) => {
        cancel()
        reject(error)
      }
    })
    try {
      await Promise.race([client.connect(), late])
    } catch (error) {
      fail(error as Error)
      destroy()
      throw error
    }
    fail(new Error('connected'))
    fail = tell
    return {
      sendCommand: (args) => client.sendCommand(args as string[]),
      sSubscribe: (channels, listener) => client.sSubscribe(channels, listener),
      sUnsubscribe: (channels, listener) => client.sUnsubscribe(channels, listener),
      destroy,
    }
  }

  #clientOptions({ host, port }: Address): object {
    const { username, password, database, tls, connectTimeoutMs } = this.#options
    return {
      RESP,
      socket: {
        ...(typeof tls === 'object' && tls),
        ...(tls !== false && { tls: true }),
        host,
        port,
        connectTimeout: connectTimeoutMs,
        reconnectStrategy: false,
      },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(database !== undefined && { database }),
      disableOfflineQueue: true,
      // Its own would be a timer for each command; the link looks after all of them with one.
      commandOptions: { timeout: 0 },
      disableClientInfo: true,
      maintNotifications: 'disabled',
    }
  }
}

/** `createClient`, without building its class of some hundred commands again for each address. */
function creatorOf({ RedisClient }: Driver): (options: object) => Client {
  return RedisClient.factory({ RESP }) as unknown as (options: object) => Client
}
