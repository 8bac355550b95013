import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'

/** How a command is answered: a reply in RESP 2 as it goes over the wire, without the last line break; later, if it is a promise; undefined: not at all. */
export type Answer = (words: readonly string[]) => string | undefined | Promise<string>

const INFO = 'redis_version:7.0.15\r\nrun_id:scripted\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:master'

/** What a healthy server says to what a link asks when it comes up. */
export function greeting(info: string = INFO): Answer {
  return ([command = '', sub = '', ...rest]) => {
    switch (command.toUpperCase()) {
      case 'INFO':
        return bulk(info)
      case 'ROLE':
        return `*1\r\n${bulk('master')}`
      case 'SCRIPT':
        return sub === 'EXISTS' ? `*${rest.length}\r\n${rest.map(() => ':1').join('\r\n')}` : bulk('loaded')
      default:
        return '+OK'
    }
  }
}

/** A text in RESP. */
export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}`
}

/** A server that speaks RESP 2 and answers what a test says. */
export class ScriptedRedis {
  readonly port: number
  /** Every command that came, after the greeting. */
  readonly commands: string[][] = []
  /** Connections that were ever made. */
  accepted = 0
  answer: Answer
  readonly #server: Server
  readonly #sockets: Set<Socket>

  private constructor(server: Server, sockets: Set<Socket>, answer: Answer) {
    this.port = (server.address() as AddressInfo).port
    this.#server = server
    this.#sockets = sockets
    this.answer = answer
  }

  static async start(answer: Answer = greeting(), port: number = 0): Promise<ScriptedRedis> {
    const sockets = new Set<Socket>()
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    const redis = new ScriptedRedis(server, sockets, answer)
    server.on('connection', (socket) => redis.#serve(socket))
    return redis
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #serve(socket: Socket): void {
    this.accepted += 1
    this.#sockets.add(socket)
    let waiting = ''
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.setEncoding('latin1').on('data', (text) => {
      waiting += String(text)
      for (let next = take(waiting); next !== undefined; next = take(waiting)) {
        waiting = next.rest
        this.commands.push(next.words)
        const reply = this.answer(next.words)
        if (typeof reply === 'string') socket.write(`${reply}\r\n`)
        else void reply?.then((late) => socket.write(`${late}\r\n`))
      }
    })
  }
}

/** The first whole command of a text, and what follows it. */
function take(text: string): { words: string[]; rest: string } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (head === null) return undefined
  const words: string[] = []
  let at = head[0].length
  for (let left = Number(head[1]); left > 0; left -= 1) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at, at + 16))
    if (length === null) return undefined
    const from = at + length[0].length
    at = from + Number(length[1]) + 2
    if (text.length < at) return undefined
    words.push(Buffer.from(text.slice(from, at - 2), 'latin1').toString())
  }
  return { words, rest: text.slice(at) }
}
