import { DEFAULT_FRAME_LIMITS } from '@holdfast/protocol'
import * as z from 'zod'
import type { Limits } from '../core/limits/limits.js'
import type { PresenceOptions } from '../core/channels/presence.js'
import { type Loose, whole } from './leaves.js'
import { type OverloadOptions, type RateOptions, rateSchemas, resolveOverload, resolveRates } from './rate-options.js'

/** Every bound that may be changed, with its unit in its name. Defaults in brackets. */
export interface LimitOptions extends RateOptions {
  /** Bytes of a frame, and of the data of one message, 1,024 to 16,777,216 (65,536). */
  readonly messageBytesMax?: number
  /** Bytes of a frame before authentication, 1,024 to 65,536 (16,384). */
  readonly handshakeBytesMax?: number
  /** Commands in one frame, 1 to 1,024 (64). */
  readonly commandsPerFrameMax?: number
  /** Nesting of arrays and objects in a command, 4 to 128 (32). */
  readonly jsonDepthMax?: number
  /** Members of one object in a command, 16 to 65,536 (256). */
  readonly objectKeysMax?: number
  /** Channels of one connection, 1 to 10,000 (256). */
  readonly channelsMax?: number
  /** Commands of one connection that wait for their answer, 1 to 1,024 (32). */
  readonly commandsInFlightMax?: number
  /** Bytes queued to one connection, 65,536 to 1,073,741,824 (1,048,576). */
  readonly outboxBytesMax?: number
  /** Milliseconds that a slow reader may take for what waits for it, 1,000 to 3,600,000 (30,000). */
  readonly outboxAgeMaxMs?: number
  /** Bytes queued to all slow readers of this node, 1,048,576 to 1,099,511,627,776 (268,435,456). Over it the largest queue is given up. */
  readonly outboxTotalBytesMax?: number
  /** Malformed commands before a connection is closed, 1 to 10,000 (10). */
  readonly errorsMax?: number
  /** Connections of one user, on all nodes, 1 to 1,000,000 (10). */
  readonly connectionsPerUserMax?: number
  /** Connections of one tenant, on all nodes, 1 to 100,000,000 (as many as the nodes take). */
  readonly connectionsPerTenantMax?: number
  /** Connections from one address (of IPv6: from one /64), on all nodes, 1 to 100,000,000 (as many as come). Behind a proxy all have the address of the proxy. */
  readonly connectionsPerAddressMax?: number
  /** Connections of this node, 1 to 1,000,000 (100,000). */
  readonly connectionsMax?: number
  /** Bytes of a session's state, 0 to 1,048,576 (16,384). */
  readonly stateBytesMax?: number
  /** Bytes of what a member tells of itself, 0 to 65,536 (1,024). */
  readonly presenceInfoBytesMax?: number
  /** Notifications of one tenant with a receipt that is neither confirmed nor expired, 1 to 10,000,000 (100,000). */
  readonly receiptsPerTenantMax?: number
  /** Milliseconds until `hello` must have come, 100 to 120,000 (10,000). */
  readonly handshakeTimeoutMs?: number
  /** Messages that one subscription recovers at most, 0 to 9,999 (1,000). */
  readonly recoveryMessagesMax?: number
  /** Characters of data that one subscription recovers at most (half of `outboxBytesMax`). */
  readonly recoveryBytesMax?: number
  /** Messages that may arrive while one subscription recovers, 1 to 100,000 (1,000). */
  readonly gateMessagesMax?: number
  /** Characters of data that may arrive while one subscription recovers (a quarter of `outboxBytesMax`). */
  readonly gateBytesMax?: number
  /** Milliseconds without a message after which a channel is compared with its log, 100 to 3,600,000 (25,000). */
  readonly quietCheckMs?: number
  /** Messages of `whenDegraded: 'local'` that wait for the engine, 0 to 1,000,000 (10,000). */
  readonly spoolMessagesMax?: number
  /** Characters of data that wait so, 0 to 1,073,741,824 (16,777,216). */
  readonly spoolBytesMax?: number
}

/** What else bounds a node, beside its `limits`. */
export interface Timings {
  readonly heartbeat?: Loose<{ readonly intervalMs: number; readonly timeoutMs: number }> | undefined
  readonly session?: Loose<{ readonly windowMs: number }> | undefined
  readonly presence?: Loose<PresenceOptions> | undefined
  readonly overload?: Loose<OverloadOptions> | undefined
}

/** The heartbeat where nothing is said. */
export const HEARTBEAT = { intervalMs: 25_000, timeoutMs: 35_000 }

/** The schema of `limits`. */
export const limitsSchema: z.ZodType<Loose<LimitOptions>> = z.strictObject({
  messageBytesMax: whole(1_024, 16_777_216),
  handshakeBytesMax: whole(1_024, 65_536),
  commandsPerFrameMax: whole(1, 1_024),
  jsonDepthMax: whole(4, 128),
  objectKeysMax: whole(16, 65_536),
  channelsMax: whole(1, 10_000),
  commandsInFlightMax: whole(1, 1_024),
  outboxBytesMax: whole(65_536, 1_073_741_824),
  outboxAgeMaxMs: whole(1_000, 3_600_000),
  outboxTotalBytesMax: whole(1_048_576, 1_099_511_627_776),
  errorsMax: whole(1, 10_000),
  connectionsPerUserMax: whole(1, 1_000_000),
  connectionsPerTenantMax: whole(1, 100_000_000),
  connectionsPerAddressMax: whole(1, 100_000_000),
  connectionsMax: whole(1, 1_000_000),
  stateBytesMax: whole(0, 1_048_576),
  presenceInfoBytesMax: whole(0, 65_536),
  receiptsPerTenantMax: whole(1, 10_000_000),
  handshakeTimeoutMs: whole(100, 120_000),
  quietCheckMs: whole(100, 3_600_000),
  spoolMessagesMax: whole(0, 1_000_000),
  spoolBytesMax: whole(0, 1_073_741_824),
  recoveryMessagesMax: whole(0, 9_999),
  recoveryBytesMax: whole(1_024, 1_073_741_824),
  gateMessagesMax: whole(1, 100_000),
  gateBytesMax: whole(1_024, 1_073_741_824),
  ...rateSchemas,
})

/** Fills in the defaults. */
export function resolveLimits({
  limits = {},
  heartbeat = {},
  session = {},
  presence = {},
  overload,
}: Timings & { readonly limits?: Loose<LimitOptions> | undefined }): Limits {
  const outboxBytesMax = limits.outboxBytesMax ?? 1_048_576
  const channelsMax = limits.channelsMax ?? 256
  const connectionsPerUserMax = limits.connectionsPerUserMax ?? 10
  const messageBytesMax = limits.messageBytesMax ?? DEFAULT_FRAME_LIMITS.messageBytesMax
  const heartbeatMs = heartbeat.intervalMs ?? HEARTBEAT.intervalMs
  const handshakeTimeoutMs = limits.handshakeTimeoutMs ?? 10_000
  return {
    messageBytesMax,
    handshakeBytesMax: limits.handshakeBytesMax ?? DEFAULT_FRAME_LIMITS.handshakeBytesMax,
    commandsPerFrameMax: limits.commandsPerFrameMax ?? DEFAULT_FRAME_LIMITS.commandsPerFrameMax,
    jsonDepthMax: limits.jsonDepthMax ?? DEFAULT_FRAME_LIMITS.jsonDepthMax,
    objectKeysMax: limits.objectKeysMax ?? DEFAULT_FRAME_LIMITS.objectKeysMax,
    channelsMax,
    commandsInFlightMax: limits.commandsInFlightMax ?? 32,
    outboxBytesMax,
    outboxAgeMaxMs: limits.outboxAgeMaxMs ?? 30_000,
    outboxTotalBytesMax: limits.outboxTotalBytesMax ?? 268_435_456,
    errorsMax: limits.errorsMax ?? 10,
    connectionsPerUserMax,
    connectionsPerTenantMax: limits.connectionsPerTenantMax,
    connectionsPerAddressMax: limits.connectionsPerAddressMax,
    connectionsMax: limits.connectionsMax ?? 100_000,
    stateBytesMax: limits.stateBytesMax ?? 16_384,
    presenceInfoBytesMax: limits.presenceInfoBytesMax ?? 1_024,
    receiptsPerTenantMax: limits.receiptsPerTenantMax ?? 100_000,
    handshakeTimeoutMs,
    sessionWindowMs: session.windowMs ?? 300_000,
    quietCheckMs: limits.quietCheckMs ?? 25_000,
    spool: { messagesMax: limits.spoolMessagesMax ?? 10_000, bytesMax: limits.spoolBytesMax ?? 16_777_216 },
    rates: resolveRates(limits, {
      channelsMax,
      connectionsPerUserMax,
      messageBytesMax,
      heartbeatMs,
      handshakeTimeoutMs,
    }),
    overload: resolveOverload(overload),
    heartbeat: {
      intervalMs: heartbeatMs,
      timeoutMs: heartbeat.timeoutMs ?? HEARTBEAT.timeoutMs,
    },
    presence: {
      graceMs: presence.graceMs ?? 15_000,
      coalesceMs: presence.coalesceMs ?? 250,
      sampleMax: presence.sampleMax ?? 1_000,
    },
    subscription: {
      recovery: {
        messagesMax: limits.recoveryMessagesMax ?? 1_000,
        bytesMax: limits.recoveryBytesMax ?? outboxBytesMax / 2,
      },
      gate: { messagesMax: limits.gateMessagesMax ?? 1_000, bytesMax: limits.gateBytesMax ?? outboxBytesMax / 4 },
    },
  }
}
