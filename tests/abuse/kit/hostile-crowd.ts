import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ROOT } from '../../source-tree.js'

/** What the attackers of a crowd do. */
export const ATTACKS = [
  'send their headers a byte at a time',
  'say nothing at all',
  'say nothing after the upgrade',
  'say half of a hello',
  'send one message in fragments without end',
  'flood pings and never read',
  'send rubbish instead of frames',
  'send rubbish instead of HTTP',
] as const

/** The program of the attackers: plain JavaScript that needs nothing but Node, so that it starts at once and is no part of what is measured. */
const PROGRAM = `
  import { connect } from 'node:net'
  import { randomBytes } from 'node:crypto'
  const [where, sockets, tokens] = process.argv.slice(1).map((text) => JSON.parse(text))
  const UPGRADE = ['GET /ws HTTP/1.1', 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: holdfast.v1+json', '', ''].join('\\r\\n')
  const frame = (first, payload) => {
    const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 255]
    return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), payload])
  }
  const hello = (index) => frame(0x81, Buffer.from(JSON.stringify({ type: 'hello', token: tokens[index % tokens.length] })))
  const PINGS = Buffer.concat(Array.from({ length: 100 }, () => frame(0x89, Buffer.alloc(100, 120))))
  const FRAGMENTS = Buffer.concat(Array.from({ length: 20 }, () => frame(0x00, Buffer.from('x'))))
  const again = (socket, ms, send) => {
    const timer = setInterval(() => (socket.writableLength < 65_536 ? send() : undefined), ms)
    socket.once('close', () => clearInterval(timer))
  }
  const upgraded = (socket, then) => {
    socket.write(UPGRADE)
    socket.once('data', then)
  }
  const ATTACKS = [
    (socket) => { let at = 0; again(socket, 1000, () => socket.write(UPGRADE[at++ % UPGRADE.length])) },
    () => {},
    (socket) => upgraded(socket, () => {}),
    (socket, index) => upgraded(socket, () => socket.write(hello(index).subarray(0, 60))),
    (socket, index) => upgraded(socket, () => {
      socket.write(hello(index))
      socket.write(frame(0x01, Buffer.from('{')))
      again(socket, 200, () => socket.write(FRAGMENTS))
    }),
    (socket, index) => upgraded(socket, () => {
      socket.write(hello(index))
      socket.pause()
      again(socket, 5, () => socket.write(PINGS))
    }),
    (socket) => upgraded(socket, () => again(socket, 500, () => socket.write(randomBytes(500)))),
    (socket) => again(socket, 500, () => socket.write(randomBytes(500))),
  ]
  const lives = []
  let opened = 0
  const tell = () => console.log(JSON.stringify({ begun: opened, lives }))
  for (let index = 0; index < sockets; index += 1) setTimeout(() => attack(index), (index / sockets) * 5_000)
  const attack = (index) => {
    let begun = performance.now()
    const socket = connect({ ...where, localAddress: '127.0.0.' + (2 + index % 4) })
    const kind = index % ATTACKS.length
    const over = () => {
      lives.push([kind, Math.round(performance.now() - begun)])
    }
    socket.on('error', () => undefined)
    socket.once('close', over)
    // Who does not read does not see the end: a reset shows when it writes.
    socket.once('connect', () => {
      begun = performance.now()
      opened += 1
      if (kind !== 5) socket.resume()
      ATTACKS[kind](socket, index)
    })
  }
  setInterval(tell, 100)
  process.stdin.on('end', () => process.exit(0)).resume()
`

/** A connection of an attacker that has ended: which of `ATTACKS`, and after how many milliseconds. */
export type Life = readonly [attack: number, ms: number]

/** Hostile sockets in a process of their own, a part of them for each of `ATTACKS`. */
export class HostileCrowd {
  /** Sockets that the node has ended, as far as those who do not read notice. */
  lives: readonly Life[] = []
  /** When all sockets were open, on the clock of `performance`. */
  begunAt = Infinity
  readonly #process: ChildProcess

  /** `tokens` are for the attackers that say hello, who may share them. */
  constructor(port: number, sockets: number, tokens: readonly string[]) {
    const args = [{ port, host: '127.0.0.1' }, sockets, tokens].map((value) => JSON.stringify(value))
    this.#process = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, '--', ...args], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (this.#process.stdout === null) throw new Error('the process has no output')
    createInterface(this.#process.stdout).on('line', (line) => {
      const { begun, lives } = JSON.parse(line) as { begun: number; lives: Life[] }
      if (begun === sockets && !this.hasBegun) this.begunAt = performance.now()
      this.lives = lives
    })
  }

  /** Whether all sockets were open. */
  get hasBegun(): boolean {
    return this.begunAt < Infinity
  }

  /** How long the longest of those that have ended lasted, in milliseconds, by attack. */
  longest(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      ATTACKS.map((attack, kind) => [
        attack,
        Math.max(0, ...this.lives.filter(([of]) => of === kind).map(([, ms]) => ms)),
      ]),
    )
  }

  /** Ends the process, and with it whatever is left. */
  async end(): Promise<void> {
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }
}
