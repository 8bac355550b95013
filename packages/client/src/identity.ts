import type { ServerMessageOf } from '@holdfast/protocol'
import type { Welcome } from './link.js'

/** What the server says about itself (`degraded`, `recovered`, `draining`) or about the token (`token_expiring`, which the client acts upon). */
export type Notice = Pick<ServerMessageOf<'notice'>, 'code' | 'message' | 'details'>

/** Who the server says we are. */
export interface WhoWeAre {
  readonly tenant: string
  readonly user: string
  readonly roles: readonly string[]
  /** This connection; another one after each reconnect. */
  readonly connection: string
  readonly session: string
  /** The session went on where the last connection left it. */
  readonly resumed: boolean
  /** The server process that answered. */
  readonly node: string
  /** When the token expires, ISO-8601 UTC. */
  readonly expiresAt?: string
  /** The session's state, as it was set last. */
  readonly state?: unknown
}

/** The part of a welcome that an application may want to know. */
export function whoWeAre(welcome: Welcome): WhoWeAre {
  const { type: _, session, heartbeat: _heartbeat, limits: _limits, channels: _channels, ...rest } = welcome
  return { ...rest, session: session.id, resumed: session.resumed }
}
