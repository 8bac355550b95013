import type { QuotaStats } from '../core/limits/quotas.js'
import type { LimitStats } from '../core/limits/safeguards.js'
import type { DiskStats } from '../engine/engine.js'
import type { LifecycleStats } from '../lifecycle/lifecycle.js'
import type { OperationStats } from '../operations/operations.js'
import type { ReportsStats } from '../operations/reports-reader.js'
import type { NotificationStats } from '../notifications/notifications.js'

/** What a node is doing, at one moment. */
export interface HoldfastStats {
  readonly node: string
  readonly connections: number
  /** Channels that somebody on this node listens to. */
  readonly channels: number
  /** Operations that run on this node. */
  readonly operations: number
  /** Connections by their last sign of life. */
  readonly heartbeat: { readonly healthy: number; readonly late: number; readonly stale: number }
  readonly draining: boolean
  /** What was refused because there was too much of it, and how the node stands. */
  readonly limits: LimitStats
  /** What tenants with quotas have come to. */
  readonly quotas: QuotaStats
  /** What was refused to clients since the node began: by a channel rule, or because data named another user in a field of identity. */
  readonly access: { readonly refusedByRule: number; readonly refusedByIdentityGuard: number }
  /** Which engine, and what is wrong with it: undefined while all is well. */
  readonly engine: {
    readonly name: string
    readonly problem: string | undefined
    /** Stored things that should have had an end and had none, and got one from this node. */
    readonly lifetimesGiven: number
    /** What is on the disk of this node; undefined where the engine keeps nothing there. */
    readonly disk: DiskStats | undefined
  }
  readonly cluster: {
    /** Whether the engine took the last renewal of this node's lease. */
    readonly leaseHeld: boolean
    /** Sessions whose record waits to be written, or is being written. */
    readonly sessionsUnsaved: number
    /** Works that the engine refused and that are tried again. */
    readonly retriesWaiting: number
    /** Messages of other nodes that were not believed. */
    readonly controlRefused: number
  }
  /** How operations are written down and looked after by this node. */
  readonly operationWork: OperationStats
  /** Reports that programs have left in Redis; undefined where that is not read. */
  readonly reports: ReportsStats | undefined
  /** Lifecycle events. */
  readonly lifecycle: LifecycleStats
  readonly notifications: NotificationStats
}
