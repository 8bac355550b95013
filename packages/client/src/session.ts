import type { Position } from '@holdfast/protocol'
import type { Welcome } from './link.js'
import type { Settings } from './options.js'
import { bytesOf } from './requests.js'

/** Bytes that a server reads before it knows who speaks. */
const HELLO_BYTES_MAX = 16_384

/** Channels that the two sides tell each other of when a session goes on: whose positions a `hello` names, and which of a `welcome` are left. A server may name any number. */
export const CHANNELS_MAX = 256

type ClientName = Pick<Settings, 'name' | 'version'>

/** What survives a connection: the session's id and its current secret, and which positions were last offered to resume it. */
export class Session {
  /** The positions that the last `hello` named. */
  named: Readonly<Record<string, Position>> = {}
  readonly #settings: ClientName
  /** What the next `hello` resumes; undefined: it begins anew. */
  key: { readonly session: string; readonly secret: string } | undefined

  constructor(settings: ClientName) {
    this.#settings = settings
  }

  /** Remembers what the next `hello` resumes. */
  welcomed({ session: { id: session, secret } }: Welcome): void {
    this.key = { session, secret }
  }

  /** The first frame of a connection: at most 16 KiB, so positions that do not fit are left out, the last ones first. */
  hello(token: string | undefined, positions: readonly (readonly [string, Position])[]): string {
    const { name, version } = this.#settings
    const named = positions.slice(0, CHANNELS_MAX)
    for (;;) {
      this.named = this.key ? Object.fromEntries(named) : {}
      const resume = this.key && { ...this.key, positions: this.named }
      const frame = JSON.stringify({ type: 'hello', token, client: { name, version }, resume })
      if (bytesOf(frame) <= HELLO_BYTES_MAX || !named.pop()) return frame
    }
  }
}
