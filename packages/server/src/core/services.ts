import type { OperationSnapshot, Sender } from '@holdfast/protocol'
import type { Authentication, Authenticator } from '../access/authenticator.js'
import type { AccessQuestion, ChannelRule, SentText, Verb } from '../access/channel-rules.js'
import type { Identity } from '../access/identity.js'
import type { Clock } from '../clock.js'
import type { Engine, Stream } from '../engine/engine.js'
import type { Random } from '../random.js'
import type { Audit } from '../telemetry/audit.js'
import type { Logger } from '../telemetry/log.js'
import type { FrameEncoder, Upgrade } from '../transport/transport.js'
import type { Admission } from './limits/admission.js'
import type { Authorisation } from './rights/authorisation.js'
import type { ChannelTokenDoor } from './rights/channel-grants.js'
import type { Census } from './nodes/census.js'
import type { ControlDesk } from './nodes/control.js'
import type { Dismissal } from './rights/dismissal.js'
import type { Revocations } from './rights/revocations.js'
import type { Flusher } from './connection/flusher.js'
import type { Heartbeat } from './connection/heartbeat.js'
import type { Hub } from './channels/hub.js'
import type { Inboxes } from './channels/inbox.js'
import type { Limits } from './limits/limits.js'
import type { LifecycleDoor } from './lifecycle.js'
import type { Methods } from './connection/methods.js'
import type { NodeLease } from './nodes/node-lease.js'
import type { OutboxBudget } from './connection/outbox-budget.js'
import type { PresenceTracker } from './channels/presence.js'
import type { Degradation } from './nodes/degradation.js'
import type { Publisher } from './channels/publisher.js'
import type { ReceiptDoor } from './channels/receipts.js'
import type { Quotas } from './limits/quotas.js'
import type { Rechecks } from './rights/rechecks.js'
import type { Retries } from './retries.js'
import type { Safeguards } from './limits/safeguards.js'
import type { Sessions } from './sessions/session.js'

/** The decisions of the access rules, as the core asks for them. */
export interface Rules {
  ruleOf(channel: string, identity: Identity | undefined): ChannelRule | undefined
  allows(identity: Identity, verb: Verb, channel: string): boolean | Promise<boolean>
  /** Whether the rule of the channel allows what is asked; a promise only where the answer lies elsewhere. */
  judge(rule: ChannelRule, question: AccessQuestion): boolean | Promise<boolean>
  /** Why a client must not send this data, by the fields of identity that the rule declares; undefined when it may. */
  findForeign(rule: ChannelRule, sent: SentText): string | undefined
}

/** Lets the application have its say on a credential that was found good. */
export type ArrivalDecision = (
  result: Authentication,
  arrival: { readonly id: string; readonly address: string },
) => Authentication | Promise<Authentication>

/** Which pages may connect. Refusals are recorded there. */
export interface OriginDoor {
  /** Whether a page may connect, before anybody knows for which tenant. */
  admits(upgrade: Pick<Upgrade, 'origin' | 'address'>): boolean
  /** Whether a page that was admitted may connect for this tenant. */
  admitsFor(tenant: string, upgrade: Pick<Upgrade, 'origin' | 'address'>): boolean
}

/** What the core needs of operations. */
export interface OperationDoor {
  /** The snapshot an identity may see; undefined for what does not exist or belongs to another. */
  find(identity: Identity, id: string): Promise<OperationSnapshot | undefined>
  /** Asks the worker to stop. False when the operation has ended. */
  requestCancel(tenant: string, id: string): Promise<boolean>
  /** The event and snapshot that a new subscriber of this channel starts with; undefined where the channel carries no operation. */
  opening(stream: Stream, state: string | undefined): OperationOpening | undefined
  /** As `opening`, of each operation that has not ended, for a channel that is the feed of all operations of this identity; nothing for every other. */
  feed(identity: Identity, channel: string): Promise<readonly OperationOpening[]>
}

/** An event that tells a new subscriber where an operation is. */
export interface OperationOpening {
  readonly event: string
  /** The snapshot, as JSON text. */
  readonly data: string
  readonly at: string
  readonly final: boolean
}

/** Everything that the connections of a node share. */
export interface Services {
  readonly node: string
  readonly clock: Clock
  readonly random: Random
  readonly engine: Engine
  readonly frames: FrameEncoder
  readonly authenticator: Authenticator
  readonly origins: OriginDoor
  readonly channelTokens: ChannelTokenDoor
  readonly decideArrival: ArrivalDecision
  readonly rules: Rules
  readonly authorisation: Authorisation
  readonly rechecks: Rechecks
  readonly hub: Hub
  readonly publisher: Publisher
  readonly quotas: Quotas
  readonly degradation: Degradation
  readonly flusher: Flusher
  readonly budget: OutboxBudget
  readonly presence: PresenceTracker
  readonly retries: Retries
  readonly sessions: Sessions
  readonly lease: NodeLease
  readonly control: ControlDesk
  /** Who is there, on all nodes. */
  readonly census: Census
  readonly dismissal: Dismissal
  readonly revocations: Revocations
  readonly inboxes: Inboxes
  readonly receipts: ReceiptDoor
  readonly heartbeat: Heartbeat
  readonly methods: Methods
  readonly operations: OperationDoor
  readonly admission: Admission
  /** Who follows the lives of connections, if anybody does. */
  readonly lifecycle: LifecycleDoor
  readonly limits: Limits
  readonly safeguards: Safeguards
  readonly log: Logger
  /** Where decisions are written down. */
  readonly audit: Audit
  /** Whether `?token=` is read. */
  readonly queryToken: boolean
}

/** A message that the application itself sends. */
export const SYSTEM: Sender = { system: true }
