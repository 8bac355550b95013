export { Holdfast } from './holdfast.js'
export type {
  Counts,
  GapRange,
  GapReason,
  Member,
  OperationProgress,
  OperationSnapshot,
  OperationState,
  Position,
  Sender,
  Since,
} from '@holdfast/protocol'
export type { BackoffOptions } from './backoff.js'
export type {
  AnyMessage,
  ChannelEvent,
  EventMap,
  History,
  HistoryOptions,
  Published,
  PublishOptions,
  SubscribeOptions,
} from './channel.js'
export type { Channel } from './channel.js'
export type { ChannelEvents } from './channel-core.js'
export type { Clock } from './clock.js'
export type { CursorStore } from './cursor-store.js'
export { localStorageCursor, memoryCursor } from './cursor-store.js'
export type { Gap, Message, Subscribed } from './dispatcher.js'
export type { ClientErrorCode, HoldfastErrorCode, HoldfastErrorOptions } from './errors.js'
export { HoldfastError, OperationError } from './errors.js'
export type { CallOptions, ChannelOptions, HoldfastEvents } from './holdfast.js'
export type { Notice, WhoWeAre } from './identity.js'
export type { InboxEvents, InboxOptions, Notification, Reminder } from './inbox.js'
export type { Inbox } from './inbox.js'
export type { OfflineQueueOptions } from './offline-queue.js'
export type { OperationEvents, Progress } from './operation.js'
export type { Operation } from './operation.js'
export type { HoldfastOptions } from './options.js'
export type { Random } from './random.js'
export type { Roster, RosterEvents } from './roster.js'
export type { WebSocketConstructor, WebSocketLike } from './socket.js'
export type { Latency, Statistics } from './statistics.js'
export type { Status, StatusChange } from './status.js'
export type { PresenceOption, SubscriptionState, Unsubscribed } from './subscription.js'
export type { TokenOption } from './token.js'
export type { Typing } from './typing.js'
export type { WakeSource } from './wakes.js'
