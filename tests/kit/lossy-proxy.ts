import { once } from 'node:events'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

const PASSED_ON = ['authorization', 'content-type', 'idempotency-key']

/** Stands before the REST API of a server, and loses the answer to one request, which the server has carried out. */
export class LossyProxy {
  readonly #server: Server
  readonly #target: string
  #loses: string | undefined

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((request, response) => {
      // A server that is not there answers nothing either.
      const passed = this.#pass(request).catch(() => undefined)
      void passed.then((answer) => {
        if (answer === undefined) return void request.socket.destroy()
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
      })
    })
  }

  /** Starts a proxy to a server at `target`, such as `http://127.0.0.1:8000`. */
  static async start(target: string): Promise<LossyProxy> {
    const proxy = new LossyProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** `http://127.0.0.1:54321` */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Whether the answer was lost that is to be. */
  get hasLost(): boolean {
    return this.#loses === undefined
  }

  /** Loses the next answer to a request that is named so: `POST /api/v1/keys`. */
  lose(line: string): void {
    this.#loses = line
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #pass(request: IncomingMessage): Promise<{ readonly status: number; readonly body: string } | undefined> {
    const { method = 'GET', url = '/', headers } = request
    const sent = await text(request)
    const kept = PASSED_ON.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : []))
    const init = { method, headers: Object.fromEntries(kept) as Record<string, string> }
    const answer = await fetch(`${this.#target}${url}`, sent === '' ? init : { ...init, body: sent })
    const body = await answer.text()
    if (this.#loses !== `${method} ${url}`) return { status: answer.status, body }
    this.#loses = undefined
    return undefined
  }
}
