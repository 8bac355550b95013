import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a proxy answers by itself; undefined: it asks a node. */
export type OwnAnswer = (request: IncomingMessage, response: ServerResponse) => boolean

/** A proxy as some companies have it: HTTP gets through, to one node after the other, and WebSockets are refused. */
export class UpgradeRefuser {
  /** The ports of the nodes, each asked in its turn. */
  nodes: readonly number[]
  /** Upgrades that were refused. */
  refused = 0
  readonly #server: Server
  readonly #answer: OwnAnswer
  #turn = 0

  private constructor(nodes: readonly number[], answer: OwnAnswer) {
    this.nodes = nodes
    this.#answer = answer
    this.#server = createServer((request, response) => this.#pass(request, response))
    this.#server.on('upgrade', (_, socket) => {
      this.refused += 1
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    })
  }

  /** Starts a proxy in front of nodes of this machine. */
  static async start(nodes: readonly number[], answer: OwnAnswer = () => false): Promise<UpgradeRefuser> {
    const proxy = new UpgradeRefuser(nodes, answer)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The address of pages and of HTTP behind it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Ends every connection, as a broken network does. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    if (this.#answer(request, response)) return
    const port = this.nodes[(this.#turn += 1) % this.nodes.length]
    const { method, url, headers } = request
    const onward = ask({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    onward.once('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
    response.once('close', () => onward.destroy())
    request.pipe(onward)
  }
}
