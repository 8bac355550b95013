import type { Position } from '@holdfast/protocol'
import type { Welcome } from './link.js'

/** Bytes that a server reads before it knows who speaks. */
const HELLO_BYTES_MAX = 16_384

/** Positions that a `hello` may name. */
const POSITIONS_MAX = 256

const utf8 = new TextEncoder()

/** What survives a connection: the session's id and its current secret, and which positions were last offered to resume it. */
export class Session {
  readonly #client: { readonly name: string; readonly version: string }
  #resume: { readonly session: string; readonly secret: string } | undefined
  #named: Readonly<Record<string, Position>> = {}

  constructor(client: { readonly name: string; readonly version: string }) {
    this.#client = { name: client.name, version: client.version }
  }

  /** The positions that the last `hello` named. */
  get named(): Readonly<Record<string, Position>> {
    return this.#named
  }

  /** Remembers what the next `hello` resumes. */
  welcomed({ session }: Welcome): void {
    this.#resume = { session: session.id, secret: session.secret }
  }

  /** Begins anew next time. */
  forget(): void {
    this.#resume = undefined
  }

  /** The first frame of a connection: at most 16 KiB, so positions that do not fit are left out, the last ones first. */
  hello(token: string | undefined, positions: Iterable<readonly [string, Position]>): string {
    const hello = { type: 'hello', token, client: this.#client }
    this.#named = {}
    if (!this.#resume) return JSON.stringify(hello)
    const frame = (resumed: Record<string, Position>): string =>
      JSON.stringify({ ...hello, resume: { ...this.#resume, positions: resumed } })
    this.#named = fitting(positions, HELLO_BYTES_MAX - utf8.encode(frame({})).length)
    return frame(this.#named)
  }
}

function fitting(positions: Iterable<readonly [string, Position]>, bytesMax: number): Record<string, Position> {
  const fit: Record<string, Position> = {}
  let left = bytesMax
  let count = 0
  for (const [channel, position] of positions) {
    // Names, epochs and ids are ASCII: a character is a byte. Two quotes, a colon and a comma go with each.
    left -= channel.length + JSON.stringify(position).length + 4
    if (left < 0 || (count += 1) > POSITIONS_MAX) break
    fit[channel] = position
  }
  return fit
}
