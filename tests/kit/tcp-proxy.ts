import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

interface Line {
  readonly near: Socket
  readonly far: Socket
  /** Bytes to the client until the line is cut; undefined: no end. */
  bytesLeft: number | undefined
}

/** A proxy between clients and a server of this machine: one address for several nodes, and lines that can be cut or held. */
export class TcpProxy {
  readonly #server: Server
  readonly #lines = new Set<Line>()
  #target: number | undefined
  readonly #acceptedAt: number[] = []

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((near) => this.#accept(near))
  }

  /** Starts a proxy to a port. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The address of the WebSocket behind it. */
  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`
  }

  /** Lines that are open. */
  get size(): number {
    return this.#lines.size
  }

  /** When each line was opened, as `performance.now` has it. */
  get acceptedAt(): readonly number[] {
    return this.#acceptedAt
  }

  /** Sends new lines to another port, or refuses them; those that are open stay where they are. */
  switchUpstream(target: number | undefined): void {
    this.#target = target
  }

  /** Cuts one line, or all of them, without a close frame. */
  cut(index?: number): void {
    for (const line of this.#chosen(index)) line.near.destroy()
  }

  /** Lets so many more bytes through to the client of a line, and cuts it there, in the middle of whatever that is. */
  cutAfter(bytes: number, index: number): void {
    for (const line of this.#chosen(index)) line.bytesLeft = bytes
  }

  /** Lets nothing through to the client of a line, or of all lines, until `resume`. */
  pause(index?: number): void {
    for (const { far } of this.#chosen(index)) far.pause()
  }

  /** Lets everything through again. */
  resume(): void {
    for (const { far } of this.#lines) far.resume()
  }

  /** Cuts everything and accepts nothing more. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #chosen(index: number | undefined): Line[] {
    const lines = [...this.#lines]
    return index === undefined ? lines : lines.slice(index, index + 1)
  }

  #accept(near: Socket): void {
    this.#acceptedAt.push(performance.now())
    if (this.#target === undefined) return void near.destroy()
    const far = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const line: Line = { near: near.setNoDelay(true), far, bytesLeft: undefined }
    this.#lines.add(line)
    near
      .on('error', () => undefined)
      .on('close', () => {
        this.#lines.delete(line)
        far.destroy()
      })
    far.on('error', () => near.destroy()).on('close', () => near.destroy())
    near.pipe(far)
    far.on('data', (chunk: Buffer) => this.#pass(line, chunk))
  }

  #pass(line: Line, chunk: Buffer): void {
    const { near, far, bytesLeft } = line
    if (bytesLeft !== undefined && chunk.length >= bytesLeft) {
      near.end(chunk.subarray(0, bytesLeft), () => near.destroy())
      far.destroy()
      return
    }
    if (bytesLeft !== undefined) line.bytesLeft = bytesLeft - chunk.length
    near.write(chunk)
  }
}
