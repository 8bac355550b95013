import type { Socket, Upgrade } from '../transport/transport.js'

/** A socket without a network, for tests: keeps what was written, and lets it leave only while it is told to. */
export class FakeSocket implements Socket {
  /** What was written, one entry a write. */
  readonly writes: Uint8Array[] = []
  /** How it was closed. */
  closedWith: { readonly code: number; readonly reason: string } | undefined
  paused = false
  #pending = 0
  #stalled = false

  pendingBytes(): number {
    return this.#pending
  }

  isReady(): boolean {
    return this.#pending === 0
  }

  write(bytes: Uint8Array): void {
    this.writes.push(bytes)
    if (this.#stalled) this.#pending += bytes.length
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason }
  }

  hangUp(code: number, reason: string): void {
    this.close(code, reason)
  }

  /** From now on nothing leaves; `pending` bytes wait already. */
  stall(pending: number = 1): void {
    this.#stalled = true
    this.#pending = pending
  }

  /** Everything that waits leaves, and what is written from now on too. */
  release(): void {
    this.#stalled = false
    this.#pending = 0
  }

  /** What waits leaves, but what is written from now on waits again. */
  leak(): void {
    this.#pending = 0
  }

  /** Everything written, as one text. */
  get text(): string {
    return Buffer.concat(this.writes).toString('utf8')
  }

  /** The JSON objects in the text frames written. */
  get messages(): Record<string, unknown>[] {
    return textFrames(Buffer.concat(this.writes))
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text) as Record<string, unknown>)
  }
}

/** The content of the unmasked text frames in `bytes` (RFC 6455 5.2). */
function textFrames(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < bytes.length;) {
    const short = bytes.readUInt8(at + 1)
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (bytes.readUInt8(at) === 0x81) texts.push(bytes.toString('utf8', at + header, at + header + length))
    at += header + length
  }
  return texts
}

/** What a client that speaks the protocol asks for when it connects, but for `changes`. */
export function upgrade(changes: Partial<Upgrade> = {}): Upgrade {
  return {
    address: '127.0.0.1',
    path: '',
    query: new URLSearchParams(),
    authorization: undefined,
    origin: undefined,
    speaksProtocol: true,
    protocolToken: undefined,
    ...changes,
  }
}
