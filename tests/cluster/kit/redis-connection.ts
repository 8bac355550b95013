import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { RespReader } from './resp/reader.js'
import { type RespValue, encodeCommand, itemsOf, textOf } from './resp/value.js'

interface Waiting {
  resolve(value: RespValue): void
  reject(error: Error): void
}

/** A connection that sends commands to a Redis server and knows nothing else: for what a test does to it behind the product's back. */
export class RedisConnection {
  readonly #socket: Socket
  readonly #reader = new RespReader()
  readonly #waiting: Waiting[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('close', () => this.#end(new Error('the connection to Redis ended')))
    socket.on('error', () => undefined)
  }

  /** Connects, with a password where the server wants one. Rejects when nobody listens. */
  static async open(port: number, password?: string): Promise<RedisConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const connection = new RedisConnection(socket)
    if (password !== undefined) await connection.command('AUTH', password)
    return connection
  }

  /** Sends a command and resolves with its reply. Rejects when the reply is an error. */
  async command(...words: string[]): Promise<RespValue> {
    const reply = await new Promise<RespValue>((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection to Redis has ended'))
      this.#waiting.push({ resolve, reject })
      this.#socket.write(encodeCommand(words))
    })
    if (reply.kind === 'error') throw new Error(`${words[0]}: ${reply.text}`)
    return reply
  }

  /** As `command`, with the reply as text. */
  async text(...words: string[]): Promise<string> {
    return textOf(await this.command(...words))
  }

  /** As `command`, with the members of the reply as text. */
  async list(...words: string[]): Promise<string[]> {
    return itemsOf(await this.command(...words)).map(textOf)
  }

  /** One field of `INFO`. */
  async info(section: string, field: string): Promise<string | undefined> {
    const text = await this.text('INFO', section)
    return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(text)?.[1]
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    for (const { value } of this.#reader.push(chunk)) this.#waiting.shift()?.resolve(value)
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** Opens a connection, does one thing over it, and closes it. */
export async function askRedis<T>(
  port: number,
  ask: (redis: RedisConnection) => Promise<T>,
  password?: string,
): Promise<T> {
  const redis = await RedisConnection.open(port, password)
  try {
    return await ask(redis)
  } finally {
    redis.close()
  }
}
