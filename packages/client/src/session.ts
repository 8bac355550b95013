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
    const named = positions.slice(0, POSITIONS_MAX)
    for (;;) {
      this.named = this.#resume ? Object.fromEntries(named) : {}
      const resume = this.#resume && { ...this.#resume, positions: this.named }
      const frame = JSON.stringify({ type: 'hello', token, client: { name, version }, resume })
      if (bytesOf(frame) <= HELLO_BYTES_MAX || !named.pop()) return frame
    }
  }
}
