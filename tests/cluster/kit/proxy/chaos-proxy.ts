import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import type { SeededRandom } from '../../../kit/seeded-random.js'
import { type Conditions, type Direction, fairWeather } from './conditions.js'
import { Lane } from './lane.js'

/** Reads along on one line and decides what is handed on instead of what came. */
export interface Reader {
  /** Bytes came from one side; `send` hands bytes on to the other. */
  read(direction: Direction, bytes: Buffer, send: (bytes: Buffer) => void): void
}

/** What a proxy may be set up with. */
export interface ChaosProxyOptions {
  /** Makes the reader of a new line (default: bytes pass as they are). */
  readonly reader?: () => Reader
  /** What a client is given besides a port. Default 127.0.0.1. */
  readonly host?: string
}

interface Line {
  readonly near: Socket
  readonly far: Socket
  readonly up: Lane
  readonly down: Lane
}

/**
 * A TCP proxy that can do to a connection whatever networks do: delay, narrow, stall, swallow, cut. It stands before nodes, before
 * Redis, or between a master and its replica. All of it is about lines that are open and lines to come, until `heal`.
 */
export class ChaosProxy {
  readonly #server: Server
  readonly #reader: (() => Reader) | undefined
  readonly #lines = new Set<Line>()
  readonly #silent = new Set<Socket>()
  readonly #conditions: Record<Direction, Conditions> = { up: fairWeather(), down: fairWeather() }
  #target: number
  #accepts: 'all' | 'none' | 'silently' = 'all'
  #accepted = 0

  private constructor(target: number, { reader }: ChaosProxyOptions) {
    this.#target = target
    this.#reader = reader
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near))
  }

  /** Starts a proxy to a port of this machine. */
  static async start(target: number, options: ChaosProxyOptions = {}): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target, options)
    proxy.#server.listen(0, options.host ?? '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Lines that are open. */
  get size(): number {
    return this.#lines.size
  }

  /** Lines that were accepted since the start. */
  get accepted(): number {
    return this.#accepted
  }

  /** Everything arrives so many milliseconds later, in one direction or in both. */
  latency(ms: number, direction?: Direction): void {
    this.#change(direction, { latencyMs: ms })
  }

  /** At most so many bytes a second on each line. */
  bandwidth(bytesPerSecond: number, direction?: Direction): void {
    this.#change(direction, { bytesPerSecond })
  }

  /** Pieces of `bytes`, one in each `gapMs`. */
  slice(bytes: number, gapMs: number, direction?: Direction): void {
    this.#change(direction, { sliceBytes: bytes, sliceGapMs: gapMs })
  }

  /** Reads nothing more: whoever sends finds its window full. */
  blackhole(direction?: Direction): void {
    this.#change(direction, { isBlocked: true })
  }

  /** Reads everything and hands nothing on: whoever sends notices nothing. What came meanwhile never arrives. */
  sink(direction?: Direction): void {
    this.#change(direction, { isSunk: true })
  }

  /** Resets the lines that are open after so many more bytes in that direction, each on its own count. */
  resetAfter(bytes: number, direction: Direction): void {
    for (const line of this.#lines) line[direction].resetAfter(bytes)
  }

  /** Tells the receivers of a direction that nothing more comes, on the lines that are open; the other direction goes on. */
  halfClose(direction: Direction): void {
    for (const { near, far } of this.#lines) (direction === 'up' ? far : near).end()
  }

  /** Refuses new lines: they end at once. */
  stopAccept(): void {
    this.#accepts = 'none'
  }

  /** Takes new lines and never says a word on them. */
  acceptSilent(): void {
    this.#accepts = 'silently'
  }

  /** New lines lead to another port; those that are open stay. */
  switchUpstream(target: number): void {
    this.#target = target
  }

  /** Resets a share of the lines that are open, from 0 to 1 (all of them), chosen by `random`; answers how many. */
  killAll(fraction: number = 1, random?: SeededRandom): number {
    const chosen = [...this.#lines].filter(() => fraction >= 1 || (random?.fraction() ?? 0) < fraction)
    for (const { near, far } of chosen) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    return chosen.length
  }

  /** Ends every condition, and accepts again. What is lost stays lost. */
  heal(): void {
    this.#accepts = 'all'
    for (const socket of this.#silent) socket.resetAndDestroy()
    this.#change(undefined, fairWeather())
  }

  /** Cuts everything and accepts nothing more. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.killAll()
    for (const socket of this.#silent) socket.destroy()
    await closed
  }

  #change(direction: Direction | undefined, change: Partial<Conditions>): void {
    for (const one of direction === undefined ? (['up', 'down'] as const) : [direction]) {
      Object.assign(this.#conditions[one], change)
      for (const line of this.#lines) line[one].look()
    }
  }

  #accept(near: Socket): void {
    this.#accepted += 1
    near.on('error', () => undefined)
    if (this.#accepts === 'none') return void near.resetAndDestroy()
    if (this.#accepts === 'silently') return this.#keepSilent(near)
    const far = connect({ port: this.#target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const up = new Lane(near, far, this.#conditions.up)
    const down = new Lane(far, near, this.#conditions.down)
    const line = { near, far, up, down }
    this.#lines.add(line)
    this.#join(near, far, () => this.#lines.delete(line))
    this.#carry(line, this.#reader?.())
    // A condition in force may forbid to read at all.
    up.look()
    down.look()
  }

  #keepSilent(near: Socket): void {
    this.#silent.add(near)
    near.on('close', () => this.#silent.delete(near)).pause()
  }

  #join(near: Socket, far: Socket, ended: () => void): void {
    far.on('error', () => near.resetAndDestroy())
    near.on('error', () => far.resetAndDestroy())
    near.on('close', () => {
      ended()
      far.destroy()
    })
    far.on('close', () => near.destroy())
  }

  #carry({ near, far, up, down }: Line, reader: Reader | undefined): void {
    const toFar = (bytes: Buffer): void => up.carry(bytes)
    const toNear = (bytes: Buffer): void => down.carry(bytes)
    near.on('data', (bytes) => (reader ? reader.read('up', bytes, toFar) : toFar(bytes)))
    far.on('data', (bytes) => (reader ? reader.read('down', bytes, toNear) : toNear(bytes)))
    near.on('end', () => up.finish())
    far.on('end', () => down.finish())
  }
}
