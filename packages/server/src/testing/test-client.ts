import { SUBPROTOCOL } from '@holdfast/protocol'
import { WebSocket } from 'ws'
import { systemClock } from '../clock.js'

/** A message as it arrived. */
export type Received = Readonly<Record<string, unknown>>

/** How a socket was closed. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** How a test connects. */
export interface TestClientOptions {
  /** The subprotocols offered (default: ours). */
  readonly protocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** How long a test waits for what it expects. */
const DEADLINE_MS = 20_000

interface Waiter {
  readonly wants: (message: Received) => boolean
  readonly take: (message: Received) => void
}

/** A WebSocket client for tests: what arrives waits until it is asked for. */
export class TestClient {
  readonly socket: WebSocket
  /** Everything that arrived, in order. */
  readonly received: Received[] = []
  /** Text frames that are no JSON object. */
  readonly words: string[] = []
  /** Resolves when the socket is closed. */
  readonly closed: Promise<Closed>
  readonly #unread: Received[] = []
  readonly #waiters: Waiter[] = []
  #commands = 0

  /** Use `TestClient.connect`. */
  private constructor(url: string, { protocols = [SUBPROTOCOL], headers = {} }: TestClientOptions) {
    this.socket = new WebSocket(url, [...protocols], { headers })
    this.socket.on('message', (data: Buffer) => this.#take(data.toString('utf8')))
    this.socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
    })
  }

  /** Resolves when the socket is open. */
  static async connect(url: string, options: TestClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(url, options)
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', resolve)
      client.socket.once('error', reject)
    })
    return client
  }

  /** Sends a command, or a text as it is. */
  send(command: object | string): void {
    this.socket.send(typeof command === 'string' ? command : JSON.stringify(command))
  }

  /** Sends `hello` and resolves to the welcome. */
  async hello(token: string, members: object = {}): Promise<Received> {
    this.send({ type: 'hello', token, ...members })
    return this.next('welcome')
  }

  /** Sends a command and resolves to its answer, whatever it is. */
  async request(command: object): Promise<Received> {
    const id = `t${(this.#commands += 1)}`
    this.send({ id, ...command })
    return this.nextWhere((message) => message['id'] === id, JSON.stringify(command))
  }

  /** Resolves to the first message of a type that was not read yet, and has these members. */
  next(type: string, members: Readonly<Record<string, unknown>> = {}): Promise<Received> {
    const wanted = { type, ...members }
    const fits = (message: Received): boolean =>
      Object.entries(wanted).every(([name, value]) => message[name] === value)
    return this.nextWhere(fits, JSON.stringify(wanted))
  }

  /** Resolves to the first message that was not read yet and fits; rejects when none comes in time. */
  nextWhere(wants: (message: Received) => boolean, wanted: string): Promise<Received> {
    const at = this.#unread.findIndex(wants)
    const [message] = at < 0 ? [] : this.#unread.splice(at, 1)
    return message === undefined ? this.#wait(wants, wanted) : Promise.resolve(message)
  }

  /** Closes the socket as a client does that means to go. */
  async leave(): Promise<Closed> {
    this.socket.close(1000)
    return this.closed
  }

  /** Breaks the socket as a lost network does. */
  async break(): Promise<Closed> {
    this.socket.terminate()
    return this.closed
  }

  #wait(wants: Waiter['wants'], wanted: string): Promise<Received> {
    return new Promise((resolve, reject) => {
      const cancel = systemClock.after(DEADLINE_MS, () => {
        const types = this.received.map(({ type }) => String(type)).join(', ')
        reject(new Error(`${wanted} did not come; what came: ${types}`))
      })
      const take = (message: Received): void => {
        cancel()
        resolve(message)
      }
      this.#waiters.push({ wants, take })
    })
  }

  #take(frame: string): void {
    for (const line of frame.split('\n')) {
      if (line.startsWith('{')) this.#deliver(JSON.parse(line) as Received)
      else this.words.push(line)
    }
  }

  #deliver(message: Received): void {
    this.received.push(message)
    const at = this.#waiters.findIndex(({ wants }) => wants(message))
    const [waiter] = at < 0 ? [] : this.#waiters.splice(at, 1)
    if (waiter === undefined) this.#unread.push(message)
    else waiter.take(message)
  }
}
