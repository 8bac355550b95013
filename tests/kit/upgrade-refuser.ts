import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer, request as ask } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** What a proxy answers by itself; undefined: it asks a node. */
export type OwnAnswer = (request: IncomingMessage, response: ServerResponse) => boolean

/** A proxy as some companies have it: HTTP gets through, to one node after the other, and WebSockets are refused, or answered by nobody, unless they are let through. */
export class UpgradeRefuser {
  upgrades: 'refused' | 'ignored' | 'taken' = 'refused'
  /** The ports of the nodes, each asked in its turn. */
  nodes: readonly number[]
  /** Upgrades that were asked for. */
  asked = 0
  readonly #server: Server
  readonly #answer: OwnAnswer
  readonly #upgraded = new Set<Duplex>()
  #turn = 0

  private constructor(nodes: readonly number[], answer: OwnAnswer) {
    this.nodes = nodes
    this.#answer = answer
    this.#server = createServer((request, response) => this.#pass(request, response))
    this.#server.on('upgrade', (request, socket) => this.#upgrade(request, socket))
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
    for (const socket of this.#upgraded) socket.destroy()
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #upgrade({ url, rawHeaders }: IncomingMessage, socket: Duplex): void {
    this.asked += 1
    if (this.upgrades === 'refused')
      return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    this.#upgraded.add(socket)
    if (this.upgrades === 'ignored') return
    const onward = connect(this.nodes[0] ?? 0, '127.0.0.1')
    const headers = rawHeaders.map((part, at) => (at % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('')
    onward.write(`GET ${url} HTTP/1.1\r\n${headers}\r\n`)
    onward.pipe(socket).pipe(onward)
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const)
      one.on('error', () => other.destroy()).once('close', () => other.destroy())
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
