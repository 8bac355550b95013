import type { Position } from '@holdfast/protocol'
import type { Welcome } from './link.js'
import type { Settings } from './options.js'
import { bytesOf } from './requests.js'

/** Bytes that a server reads before it knows who speaks. */
const HELLO_BYTES_MAX = 16_384

/** Positions that a `hello` may name. */
const POSITIONS_MAX = 256

type ClientName = Pick<Settings, 'name' | 'version'>

/** What survives a connection: the session's id and its current secret, and which positions were last offered to resume it. */
export class Session {
  /** The positions that the last `hello` named. */
  named: Readonly<Record<string, Position>> = {}
  readonly #settings: ClientName
  #resume: { readonly session: string; readonly secret: string } | undefined

  constructor(settings: ClientName) {
    this.#settings = settings
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
  hello(token: string | undefined, positions: readonly (readonly [string, Position])[]): string {
    const { name, version } = this.#settings
    const hello = { type: 'hello', token, client: { name, version } }
    this.named = {}
    if (!this.#resume) return JSON.stringify(hello)
    const frame = (resumed: Record<string, Position>): string =>
      JSON.stringify({ ...hello, resume: { ...this.#resume, positions: resumed } })
    this.named = fitting(positions, HELLO_BYTES_MAX - bytesOf(frame({})))
    return frame(this.named)
  }
}

function fitting(positions: readonly (readonly [string, Position])[], bytesMax: number): Record<string, Position> {
  const fit: Record<string, Position> = {}
  let left = bytesMax
  for (const [channel, position] of positions.slice(0, POSITIONS_MAX)) {
    // Names, epochs and ids are ASCII: a character is a byte. Two quotes, a colon and a comma go with each.
    left -= channel.length + JSON.stringify(position).length + 4
    if (left < 0) break
    fit[channel] = position
  }
  return fit
}
