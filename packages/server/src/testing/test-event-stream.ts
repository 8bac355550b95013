import { type IncomingMessage, get } from 'node:http'
import { systemClock } from '../clock.js'

/** An event as it arrived. */
export interface ReceivedEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** How long a test waits for what it expects. */
const DEADLINE_MS = 20_000

/** A reader of an event stream for tests: what arrives waits until it is asked for. */
export class TestEventStream {
  readonly headers: IncomingMessage['headers']
  readonly received: ReceivedEvent[] = []
  /** Comments and `retry` lines. */
  readonly asides: string[] = []
  /** Resolves when the server has ended it, to whether that was in order. */
  readonly ended: Promise<boolean>
  readonly #response: IncomingMessage
  #read = 0
  #lastId: string | undefined

  /** Use `TestEventStream.open`. */
  private constructor(response: IncomingMessage) {
    this.headers = response.headers
    this.#response = response
    this.ended = this.#run()
  }

  /** Resolves when the answer begins; throws when it is no event stream. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<TestEventStream> {
    // A connection of its own: one that is kept for others would keep the server from closing.
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers, agent: false }, resolve).on('error', reject)
    })
    if (response.statusCode === 200) return new TestEventStream(response)
    let text = ''
    for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString()
    throw new Error(`${response.statusCode} ${text}`)
  }

  /** The last id, which a browser sends when it comes back. */
  get lastId(): string {
    return this.#lastId ?? ''
  }

  /** Resolves to the first event of this name that was not read yet; what came before it counts as read. */
  async next(event: string): Promise<ReceivedEvent> {
    const end = systemClock.now() + DEADLINE_MS
    while (systemClock.now() < end) {
      const at = this.received.findIndex((received, index) => index >= this.#read && received.event === event)
      const found = this.received[at]
      if (found !== undefined) {
        this.#read = at + 1
        return found
      }
      await new Promise<void>((resolve) => systemClock.after(5, resolve))
    }
    throw new Error(`${event} did not come; what came: ${JSON.stringify(this.received)}`)
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#response.socket.pause()
  }

  resume(): void {
    this.#response.socket.resume()
  }

  /** Goes away. */
  leave(): void {
    this.#response.destroy()
  }

  async #run(): Promise<boolean> {
    const decoder = new TextDecoder()
    let text = ''
    try {
      for await (const chunk of this.#response as AsyncIterable<Buffer>) {
        text += decoder.decode(chunk, { stream: true })
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      }
      return true
    } catch {
      return false
    }
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => splitAtColon(line)))
    const data = fields.get('data')
    if (data === undefined) return void this.asides.push(block)
    this.#lastId = fields.get('id') ?? this.#lastId
    const event = fields.get('event') ?? 'message'
    this.received.push({ id: fields.get('id'), event, data: JSON.parse(data) as ReceivedEvent['data'] })
  }
}

function splitAtColon(line: string): readonly [string, string] {
  const at = line.indexOf(':')
  return [line.slice(0, at), line.slice(at + 1).trimStart()]
}
