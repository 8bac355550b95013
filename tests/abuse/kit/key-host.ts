import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a host answers. */
export type HostAnswer = (request: IncomingMessage, response: ServerResponse) => void

/** A host in this process that somebody may be made to ask; it notes everything that reaches it. */
export class KeyHost {
  /** Method and path of each request. */
  readonly requests: string[] = []
  /** Connections, be they requests or not. */
  connections = 0
  answer: HostAnswer
  readonly #server: Server

  private constructor(answer: HostAnswer) {
    this.answer = answer
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`)
      this.answer(request, response)
    })
    this.#server.on('connection', () => (this.connections += 1))
  }

  /** Starts one that answers with a key set, or in any other way. */
  static async start(answer: HostAnswer | object = { keys: [] }): Promise<KeyHost> {
    const host = new KeyHost(typeof answer === 'function' ? (answer as HostAnswer) : answerWith(answer))
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve))
    return host
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Where its key set is. */
  get url(): string {
    return `${this.origin}/keys`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Answers every request with a value as JSON. */
export function answerWith(value: unknown, status: number = 200): HostAnswer {
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  return (_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}
