import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A question as it arrived. */
export interface AskedQuestion {
  readonly headers: IncomingMessage['headers']
  readonly method: string
  readonly path: string
  /** Byte for byte. */
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

/** How a question is answered: with a body and 200, or however the function likes. */
export type AnswerScript = object | ((response: ServerResponse, question: AskedQuestion) => void)

/** An HTTP server on this machine that is asked, and answers what the test says. */
export class DecisionServer {
  readonly asked: AskedQuestion[] = []
  readonly url: string
  /** What is answered from now on. */
  answer: AnswerScript = { allow: true }
  readonly #server: Server

  /** Use `DecisionServer.start`. */
  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/decide`
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response))
  }

  /** Resolves when it listens. */
  static async start(): Promise<DecisionServer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new DecisionServer(server)
  }

  /** Ends it, whoever waits for an answer. */
  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString('utf8')
    const { headers, method = '', url: path = '' } = request
    const body = JSON.parse(text) as AskedQuestion['body']
    const question = { headers, method, path, text, body }
    this.asked.push(question)
    if (typeof this.answer === 'function') this.answer(response, question)
    else response.end(JSON.stringify(this.answer))
  }
}
