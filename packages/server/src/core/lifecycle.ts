import type { Identity } from '../access/identity.js'
import type { MemberChange, PresenceEntry, Stream } from '../engine/engine.js'

/** A connection as those see it who follow its life. */
export interface FollowedConnection {
  readonly id: string
  readonly address: string
  /** When its socket was accepted, in milliseconds since 1970. */
  readonly openedAt: number
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  readonly session: { readonly id: string }
}

/** How a connection ended. */
export interface ConnectionEnd {
  readonly code: number
  readonly reason: string
}

/** What is told of connections, channels and members of this node, as it happens. None of it may throw or take its time. */
export interface LifecycleListener {
  /** A connection was welcomed; `resumed`: its session goes on. */
  welcomed(connection: FollowedConnection, resumed: boolean): void
  /** A connection that was welcomed has ended. */
  ended(connection: FollowedConnection, end: ConnectionEnd): void
  /** Somebody on this node listens to a channel for the first time, or nobody does any more. */
  channelChanged(stream: Stream): void
  /** A session is about to enter a channel. */
  entering(stream: Stream, entry: PresenceEntry): void
  entered(stream: Stream, entry: PresenceEntry, change: MemberChange): void
  left(stream: Stream, entry: PresenceEntry, change: MemberChange): void
}

/** Where the parts of a node find who follows them: nobody, as long as nobody wants lifecycle events. */
export interface LifecycleDoor {
  readonly listener: LifecycleListener | undefined
}

/** A door behind which there is never anybody. */
export const NOBODY_FOLLOWS: LifecycleDoor = { listener: undefined }
