import { type IncomingHttpHeaders, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type LifecycleEvent, verifyWebhook } from '@holdfast/server'
import { eventually } from './deadline.js'

/** One request as it came. */
export interface Delivered {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly tenant: string
  readonly events: readonly LifecycleEvent[]
}

/** A server that gets lifecycle events, as an application would write one. What is not signed with its secret it refuses. */
export class EventReceiver {
  readonly url: string
  /** Every request that was signed, in the order of its arrival. */
  readonly requests: Delivered[] = []
  /** Requests that were not. */
  unsigned = 0
  /** What it answers to a request. */
  answer: (request: Delivered) => number = () => 204
  readonly #server: Server
  readonly #taken: LifecycleEvent[] = []

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  }

  /** Listens on a free port of this machine. */
  static async start(secret: string): Promise<EventReceiver> {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const receiver = new EventReceiver(server)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        response.writeHead(receiver.#receive(request.headers, body, secret)).end()
      })
    })
    return receiver
  }

  /** The events that it took, each once, in the order in which they came first. */
  get events(): readonly LifecycleEvent[] {
    const ids = new Set<string>()
    return this.#taken.filter(({ id }) => !ids.has(id) && ids.add(id))
  }

  /** How often an event came, more than once. */
  get repetitions(): number {
    return this.#taken.length - this.events.length
  }

  /** The kinds of the events of a key, in order. */
  words(key: string, types?: readonly string[]): string[] {
    const words = this.events.filter((event) => event.key === key).map(({ type }) => type)
    return words.filter((word) => types === undefined || types.includes(word))
  }

  /** Resolves to an event when it has come. */
  took(type: string, key: string, withinMs?: number): Promise<LifecycleEvent> {
    const find = (): LifecycleEvent | undefined => this.events.find((event) => event.type === type && event.key === key)
    return eventually(`${type} of ${key}`, find, withinMs)
  }

  async close(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  #receive(headers: IncomingHttpHeaders, body: string, secret: string): number {
    if (!verifyWebhook(secret, headers['holdfast-signature'] as string | undefined, body)) {
      this.unsigned += 1
      return 401
    }
    const request = { headers, body, ...(JSON.parse(body) as Pick<Delivered, 'tenant' | 'events'>) }
    this.requests.push(request)
    const status = this.answer(request)
    if (status < 300) this.#taken.push(...request.events)
    return status
  }
}
