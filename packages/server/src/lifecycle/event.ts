/** The kinds of lifecycle events. */
export const LIFECYCLE_TYPES = [
  'connected',
  'resumed',
  'disconnected',
  'occupied',
  'vacated',
  'joined',
  'left',
  'notification.confirmed',
  'notification.expired',
  'notification.unreachable',
] as const

/** The name of a kind of lifecycle event. */
export type LifecycleType = (typeof LIFECYCLE_TYPES)[number]

/** What every lifecycle event has. */
export interface LifecycleHeading<T extends LifecycleType> {
  /** The same however often an event is delivered: a receiver that remembers it handles each event once. */
  readonly id: string
  readonly type: T
  readonly tenant: string
  /** Events of one key arrive in order: the channel for those of channels and members, the user for the others. */
  readonly key: string
  /** When it happened, or was found to have happened; ISO-8601, UTC. */
  readonly at: string
}

/** A client was welcomed: with a new session (`connected`) or with the one that it had (`resumed`). */
export interface ConnectionEvent<T extends 'connected' | 'resumed' | 'disconnected'> extends LifecycleHeading<T> {
  readonly user: string
  readonly connection: string
  readonly session: string
  /** The node that held the connection. */
  readonly node: string
  /** Of the client, after trusted proxies. */
  readonly address: string
}

/** A connection has ended. */
export interface DisconnectedEvent extends ConnectionEvent<'disconnected'> {
  /** As in the protocol; 1006 where the connection broke or its node died. */
  readonly code: number
  /** The reason of the protocol where the server ended it; else `Closed by client`, `Connection lost` or `Node lost`. */
  readonly reason: string
  /** From the opening of the connection to its end, or to when that was found out. */
  readonly durationMs: number
}

/** A channel has its first subscriber (`occupied`), or none any more (`vacated`), in the whole cluster. */
export interface ChannelEvent<T extends 'occupied' | 'vacated'> extends LifecycleHeading<T> {
  readonly channel: string
}

/** A user is a member of a channel now, or is none any more, however many connections the user has. */
export interface MemberEvent<T extends 'joined' | 'left'> extends LifecycleHeading<T> {
  readonly channel: string
  readonly user: string
}

/**
 * What has become of a notification with a receipt: a device of the user has acknowledged it (`confirmed`), nobody did in time (`expired`), or it is critical and the user has no device that is
 * connected (`unreachable`).
 */
export interface NotificationEvent<
  T extends 'notification.confirmed' | 'notification.expired' | 'notification.unreachable',
> extends LifecycleHeading<T> {
  readonly user: string
  /** The id of the notification. */
  readonly notification: string
  readonly priority: 'low' | 'normal' | 'high' | 'critical'
  /** How often it was handed to a connection so far. */
  readonly attempts: number
  /** ISO-8601, UTC. */
  readonly sentAt: string
  readonly expiresAt: string
}

/** A notification has expired. */
export interface NotificationExpiredEvent extends NotificationEvent<'notification.expired'> {
  /** Its time was over, or the inbox kept it no longer. */
  readonly reason: 'ttl' | 'trimmed'
}

/** Nobody is there to get a critical notification. */
export interface NotificationUnreachableEvent extends NotificationEvent<'notification.unreachable'> {
  /** How often that was told of this notification, this time included. */
  readonly times: number
}

/** Each kind of event by its name. */
export interface LifecycleEvents {
  readonly connected: ConnectionEvent<'connected'>
  readonly resumed: ConnectionEvent<'resumed'>
  readonly disconnected: DisconnectedEvent
  readonly occupied: ChannelEvent<'occupied'>
  readonly vacated: ChannelEvent<'vacated'>
  readonly joined: MemberEvent<'joined'>
  readonly left: MemberEvent<'left'>
  readonly 'notification.confirmed': NotificationEvent<'notification.confirmed'>
  readonly 'notification.expired': NotificationExpiredEvent
  readonly 'notification.unreachable': NotificationUnreachableEvent
}

/** Any lifecycle event. */
export type LifecycleEvent = LifecycleEvents[LifecycleType]

/** Whether this names a kind of event. */
export function isLifecycleType(name: unknown): name is LifecycleType {
  return (LIFECYCLE_TYPES as readonly unknown[]).includes(name)
}

/** The event that a text holds, as the log has it; undefined where it holds none. */
export function readLifecycleEvent(text: string): LifecycleEvent | undefined {
  try {
    const event = JSON.parse(text) as Partial<LifecycleEvent> | null
    const hasHeading =
      isLifecycleType(event?.type) &&
      [event.id, event.tenant, event.key, event.at].every((member) => typeof member === 'string')
    return hasHeading ? (event as LifecycleEvent) : undefined
  } catch {
    return undefined
  }
}
