import { Holdfast } from '../holdfast.js'
import type { TokenOption } from '../token.js'

interface Shared {
  readonly url: string
  readonly token: TokenOption | undefined
  readonly client: Holdfast
  uses: number
}

const shared: Shared[] = []

/** A client that is used with others, and how to let go of it. */
export interface Borrowed {
  readonly client: Holdfast
  /** At the end of the turn, so that an element that is moved in its page keeps its connection. */
  release(): void
}

/** Elements with the same address and token share one connection. Throws `invalid_option` for an address that is none. */
export function borrowClient(url: string, token: TokenOption | undefined): Borrowed {
  const entry = shared.find((other) => other.url === url && other.token === token) ?? open(url, token)
  entry.uses += 1
  let isReleased = false
  return {
    client: entry.client,
    release() {
      if (isReleased) return
      isReleased = true
      queueMicrotask(() => giveBack(entry))
    },
  }
}

function open(url: string, token: TokenOption | undefined): Shared {
  const options = { name: 'holdfast-progress', ...(token !== undefined && { token }) }
  const entry = { url, token, client: new Holdfast(url, options), uses: 0 }
  shared.push(entry)
  return entry
}

function giveBack(entry: Shared): void {
  entry.uses -= 1
  if (entry.uses > 0) return
  shared.splice(shared.indexOf(entry), 1)
  entry.client.disconnect()
}
