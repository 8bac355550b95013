import type { FrameLimits } from '@holdfast/protocol'
import type { AdmissionLimits } from './admission.js'
import type { HeartbeatOptions } from '../connection/heartbeat.js'
import type { OverloadLimits } from './overload.js'
import type { PresenceOptions } from '../channels/presence.js'
import type { RateLimits } from './rate-limits.js'
import type { SpoolLimits } from '../channels/spool.js'
import type { SubscriptionLimits } from '../channels/subscription.js'

/** Every bound of a node, with its unit. */
export interface Limits extends FrameLimits, AdmissionLimits {
  /** Channels of one connection. */
  readonly channelsMax: number
  /** Commands of one connection that wait for their answer. */
  readonly commandsInFlightMax: number
  /** Bytes queued to one connection. */
  readonly outboxBytesMax: number
  /** Milliseconds that a slow reader may take for what waits for it. */
  readonly outboxAgeMaxMs: number
  /** Bytes queued to all slow readers of this node together. */
  readonly outboxTotalBytesMax: number
  /** Malformed commands of one connection before it is closed. */
  readonly errorsMax: number
  /** Bytes of a session's state. */
  readonly stateBytesMax: number
  /** Bytes of what a member tells of itself. */
  readonly presenceInfoBytesMax: number
  /** Milliseconds until `hello` must have come. */
  readonly handshakeTimeoutMs: number
  /** Notifications of one tenant whose receipts are open. */
  readonly receiptsPerTenantMax: number
  /** Milliseconds that a session outlives its connection. */
  readonly sessionWindowMs: number
  /** Milliseconds without a message after which a channel is compared with its log. */
  readonly quietCheckMs: number
  /** What may wait for an engine that is away. */
  readonly spool: SpoolLimits
  /** How much of what in how long. */
  readonly rates: RateLimits
  readonly overload: OverloadLimits
  readonly heartbeat: HeartbeatOptions
  readonly presence: PresenceOptions
  readonly subscription: SubscriptionLimits
}
