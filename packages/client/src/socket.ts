import { HoldfastError } from './errors.js'

/** What the client needs of a WebSocket: that of the browser, of Node 22, of Bun, or of the package `ws`. */
export interface WebSocketLike {
  readonly readyState: number
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send(data: string): void
  close(code?: number, reason?: string): void
}

/** The constructor of a WebSocket. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

/** What happens to a socket. After `closed` nothing else does. */
export interface SocketEvents {
  opened(): void
  received(frame: string): void
  closed(code: number, reason: string): void
}

/** A WebSocket behind the few calls that the client makes. */
export interface Socket {
  /** Sends a frame; one that the socket does not take is lost, and the socket about to report its end. */
  send(frame: string): boolean
  /** Closes with 1000; the end is reported as any other. With `gone` it is dropped: a closing handshake would wait for an end that is not there. */
  close(gone?: boolean): void
}

const OPEN = 1

/** Opens a socket. */
export function openSocket(
  WebSocket: WebSocketConstructor,
  url: string,
  subprotocol: string,
  events: SocketEvents,
): Socket {
  const socket = new WebSocket(url, [subprotocol])
  socket.onopen = events.opened
  socket.onmessage = ({ data }: { data: unknown }) => typeof data === 'string' && events.received(data)
  socket.onclose = ({ code, reason }: { code: number; reason: string }) => events.closed(code, reason)
  // A close event follows every error, but in Node 22 where the server refused the upgrade: then it is connecting for ever.
  socket.onerror = () => socket.readyState || events.closed(1006, '')
  return {
    send: (frame) => socket.readyState === OPEN && attempt(() => socket.send(frame)),
    close(gone) {
      const { terminate } = socket as { terminate?: () => void }
      attempt(() => ((gone && terminate) || socket.close).call(socket, 1000, 'Normal closure'))
    },
  }
}

/** A socket that is closed already, or was never open, may throw; either way there is nothing left to do. */
function attempt(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

/**
 * The WebSocket to use: the one given, the platform's, or that of the package `ws`.
 *
 * @throws HoldfastError `invalid_option` when there is none.
 */
export async function findWebSocket(given: WebSocketConstructor | undefined): Promise<WebSocketConstructor> {
  const present = given ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  if (present) return present
  // A name that is computed keeps bundlers for the browser from looking for the package.
  const name = ['w', 's'].join('')
  try {
    const module: unknown = await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
    return (module as { WebSocket: WebSocketConstructor }).WebSocket
  } catch (cause) {
    throw new HoldfastError('invalid_option', 'options.WebSocket must be given', { cause })
  }
}
