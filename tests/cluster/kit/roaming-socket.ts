import { WebSocket } from 'ws'

/** Chooses the node for the next connection. */
export type ChooseNode = () => string

/**
 * A WebSocket for the client that asks where to connect each time, as behind a load balancer: what one node did not keep, another has to
 * know. `opened` is told of every socket.
 */
export function roamingSocket(
  choose: ChooseNode,
  opened: (socket: WebSocket) => void,
): new (url: string, protocols?: string | string[]) => WebSocket {
  return class extends WebSocket {
    constructor(_url: string, protocols?: string | string[]) {
      super(choose(), protocols, { perMessageDeflate: false })
      opened(this)
    }
  }
}
