import type { OperationSnapshot } from '@holdfast/protocol'
import { ApiKeyAuthenticator } from './access/api-key-authenticator.js'
import { ApiKeyRecords } from './access/api-key-records.js'
import { ChannelRules } from './access/channel-rules.js'
import { ChannelTokens } from './access/channel-token.js'
import { type DecisionParts, DecisionWebhooks } from './access/decision-webhooks.js'
import type { Identity } from './access/identity.js'
import { OriginPolicy } from './access/origin-policy.js'
import { authenticatorOf, tokenLifetimeMsOf } from './authentication.js'
import { systemClock, timestamp } from './clock.js'
import { Admission } from './core/limits/admission.js'
import { Authorisation } from './core/rights/authorisation.js'
import type { Connection } from './core/connection/connection.js'
import { Census } from './core/nodes/census.js'
import { ControlDesk } from './core/nodes/control.js'
import { Degradation } from './core/nodes/degradation.js'
import { Dismissal } from './core/rights/dismissal.js'
import { asHoldfastError } from './core/errors.js'
import { Flusher } from './core/connection/flusher.js'
import { Heartbeat } from './core/connection/heartbeat.js'
import { Hub } from './core/channels/hub.js'
import { Inboxes } from './core/channels/inbox.js'
import { OutboxBudget } from './core/connection/outbox-budget.js'
import { Methods } from './core/connection/methods.js'
import { NodeLease } from './core/nodes/node-lease.js'
import { Peers } from './core/nodes/peers.js'
import { StreamPosts } from './core/nodes/stream-posts.js'
import { PresenceTracker } from './core/channels/presence.js'
import { Publisher } from './core/channels/publisher.js'
import { Quotas } from './core/limits/quotas.js'
import type { OperationDoor, Services } from './core/services.js'
import { Rechecks } from './core/rights/rechecks.js'
import { Restoration } from './core/sessions/restoration.js'
import { Retries } from './core/retries.js'
import { Safeguards } from './core/limits/safeguards.js'
import { Revocations } from './core/rights/revocations.js'
import { SecretGuard } from './core/sessions/secret-guard.js'
import { Sessions } from './core/sessions/session.js'
import { Spool } from './core/channels/spool.js'
import { connectionsMax } from './descriptors.js'
import { DiskEngine } from './engine/disk/disk-engine.js'
import type { Engine } from './engine/engine.js'
import { MemoryEngine } from './engine/memory/memory-engine.js'
import { RedisEngine } from './engine/redis/redis-engine.js'
import { redisOptions } from './engine/redis/redis-options.js'
import { Lifecycle, type LifecycleWebhook } from './lifecycle/lifecycle.js'
import { Notifications } from './notifications/notifications.js'
import { Operations } from './operations/operations.js'
import { ReportsReader } from './operations/reports-reader.js'
import type { EngineChoice, HoldfastOptions, ResolvedOptions } from './options.js'
import { OptionsError } from './options/options-error.js'
import { quotasOf } from './options/tenant-options.js'
import type { ResolvedWebhooks } from './options/webhook-options.js'
import { guardedOutbound } from './outbound/guarded-outbound.js'
import { systemMemory } from './memory.js'
import { systemRandom } from './random.js'
import { AuditTrail } from './telemetry/audit.js'
import { errorFields, silentLogger } from './telemetry/log.js'
import type { TenantKeysSurroundings } from './tenant-keys.js'
import type { TenantUserSurroundings } from './tenant-user.js'
import { webSocketFrames } from './transport/frame.js'
import { EventWebhook } from './webhooks/event-webhook.js'
import { VERSION } from './version.js'

/** Of an answer of a webhook that decides. */
const DECISION_BYTES_MAX = 65_536

/** The parts of a node, put together. */
export interface Wiring {
  readonly services: Services
  readonly operations: Operations
  readonly audit: AuditTrail
  readonly origins: OriginPolicy
  readonly streamPosts: StreamPosts
  readonly credentials: CredentialDoors
  readonly lifecycle: Lifecycle
  /** Undefined where nothing can be left, or nobody is to read it. */
  readonly reports: ReportsReader | undefined
  readonly notifications: Notifications
}

/** What applications need to make and withdraw credentials. */
export type CredentialDoors = Omit<TenantKeysSurroundings & TenantUserSurroundings, 'clock'>

/** The feed of some user. */
const FEED = 'operations:someone'

/** How long a channel is listened to when nobody wants it any more. */
const LINGER_MS = 1_000

/** Puts the parts of a node together. `connections` are those that the node has now. */
export function wire(
  options: HoldfastOptions,
  resolved: ResolvedOptions,
  connections: () => Iterable<Connection>,
): Wiring {
  const { clock = systemClock, random = systemRandom, log = silentLogger } = options
  const { limits } = resolved
  const engine = engineOf(resolved.engine, { clock, random, log })
  const frames = webSocketFrames
  const report = (event: string) => (error: unknown) => {
    // That it is away was said once; what every attempt comes to meanwhile is no news.
    const level = engine.problem() === undefined ? 'error' : 'debug'
    log[level]({ event, ...errorFields(error) }, 'the engine refused')
  }
  const retries = new Retries(clock, report('retry.waits'))
  const node = resolved.node ?? random.id(6)
  const audit = new AuditTrail({ node, clock, log })
  const origins = new OriginPolicy(resolved.origins, { clock, audit })
  const { secret, ...lease } = resolved.cluster
  const control = new ControlDesk({ control: engine.control, secret, node, clock, random, retries, log })
  const operations = new Operations({
    engine,
    clock,
    random,
    node,
    retention: resolved.operations,
    bytesMax: limits.messageBytesMax,
    ...resolved.operations,
    feedRetention: resolved.rules.find(({ pattern }) => pattern.matches(FEED, undefined))?.retention,
    onEnded: (tenant, id) => {
      // Elsewhere a place is held only where places are counted.
      if (quotasOf(resolved, tenant)?.operations === undefined) return
      control.tell('operation.ended', { tenant, id }).catch(report('end.untold'))
    },
    onCancelAsked: (tenant, id) => void control.tell('operation.cancel', { tenant, id }).catch(report('cancel.untold')),
    onError: report('operation.unsaved'),
    admit: (tenant) => quotas.beginOperation(tenant),
  })
  const { jsonDepthMax, objectKeysMax, messageBytesMax } = limits
  const wordLimits = { jsonDepthMax, objectKeysMax, dataBytesMax: messageBytesMax }
  const reports = resolved.operations.reports && engine.reports
  const reportsReader = reports
    ? new ReportsReader({ reports, desk: operations, node, clock, log, limits: wordLimits })
    : undefined
  control.on('operation.cancel', ({ tenant, id }) => operations.cancelAsked(tenant, id))
  control.on('operation.ended', ({ tenant, id }) => operations.endHeard(tenant, id))
  const decisions =
    resolved.webhooks && new DecisionWebhooks(decisionParts(resolved.webhooks, { clock, random, audit }))
  const rules = new ChannelRules(resolved.rules, operations, {
    clock,
    roles: resolved.roles,
    ...(decisions && { askWebhook: decisions.allows }),
  })
  const peers = new Peers(engine.nodes, clock)
  const lifecycle = new Lifecycle({
    engine,
    clock,
    random,
    node,
    control,
    log,
    audit,
    webhooks: lifecycleWebhooks(resolved.webhooks, { clock, audit }),
    isHeardHere: (stream) => hub.find(stream) !== undefined,
    connections,
    onError: report('lifecycle.unwritten'),
  })
  const presence = new PresenceTracker(engine, clock, limits.presence, retries, lifecycle)
  const quotas = new Quotas({
    engine,
    clock,
    node,
    retries,
    peers,
    control,
    audit,
    limitsOf: (tenant) => quotasOf(resolved, tenant),
    messageBytesMax: limits.messageBytesMax,
    isListened: (stream) => hub.find(stream) !== undefined,
  })
  const room = { ...limits, connectionsMax: Math.min(limits.connectionsMax, connectionsMax()) }
  const admission = new Admission(engine, node, room, retries, quotas.connections)
  const sessions = new Sessions({
    engine,
    clock,
    random,
    node,
    windowMs: limits.sessionWindowMs,
    // In an engine of its own memory a session would end with the process in any case.
    keepsLive: resolved.engine !== 'memory',
    control,
    peers,
    retries,
    secrets: new SecretGuard(clock, audit),
    onError: report('session.unsaved'),
  })
  const restoration = new Restoration({ retries, admission, quotas, sessions, presence, connections })
  const hub = new Hub({
    engine,
    clock,
    frames,
    retries,
    limits,
    quietMs: limits.quietCheckMs,
    lingerMs: LINGER_MS,
    lifecycle,
    receipts: { handed: (...handed) => notifications.handed(...handed) },
    onError: report('topic.behind'),
  })
  const publisher = new Publisher({
    engine,
    random,
    hub,
    retries,
    spool: new Spool(limits.spool),
    quotas,
    onLost: ({ tenant, channel }, reason) =>
      log.error({ event: 'spool.refused', tenant, channel, reason }, 'a message that waited was refused'),
  })
  const inboxes = new Inboxes(engine, rules.inboxes)
  const notifications = new Notifications({
    engine,
    clock,
    random,
    node,
    publisher,
    inboxes,
    rules,
    hub,
    control,
    peers,
    retries,
    lifecycle,
    receiptsMax: limits.receiptsPerTenantMax,
    onError: report('receipt.unwritten'),
  })
  const revocations = new Revocations({
    engine,
    control,
    clock,
    audit,
    connections,
    onError: report('revocation.unchecked'),
  })
  const apiKeys = new ApiKeyRecords(engine)
  const credentials: CredentialDoors = {
    random,
    retries,
    audit,
    apiKeys,
    channelTokenSecret: resolved.channelTokenSecret,
    tokenLifetimeMs: tokenLifetimeMsOf(resolved.auth),
    revoke: (scope, how) => revocations.revoke(scope, how).catch(refuse),
  }
  const budget = new OutboxBudget(limits.outboxTotalBytesMax)
  const services: Services = {
    node,
    clock,
    random,
    engine,
    frames,
    authenticator: revocations.guard(
      new ApiKeyAuthenticator({
        keys: resolved.apiKeys,
        records: apiKeys,
        clock,
        next: authenticatorOf(resolved.auth, { clock, random, log, audit }),
      }),
    ),
    channelTokens: new ChannelTokens(resolved.channelTokenSecret, clock),
    origins,
    decideArrival: decisions?.admit ?? ((result) => result),
    rules,
    authorisation: new Authorisation({ rules, audit }),
    rechecks: new Rechecks({ node, control, peers, connections, onError: report('recheck.failed') }),
    hub,
    publisher,
    quotas,
    degradation: new Degradation({ engine, hub, publisher, frames, log, onError: report('spool.waits') }, connections),
    flusher: new Flusher(clock),
    budget,
    presence,
    retries,
    sessions,
    control,
    lease: new NodeLease({
      engine,
      node,
      about: { version: VERSION, startedAt: timestamp(clock.now()) },
      clock,
      random,
      options: lease,
      restore: () => restoration.run(),
      onError: report('lease.unrenewed'),
    }),
    revocations,
    dismissal: new Dismissal({ node, control, peers, connections }),
    census: new Census({ node, control, peers, connections, topics: () => hub.topics() }),
    inboxes,
    receipts: notifications,
    heartbeat: new Heartbeat(clock, random, limits.heartbeat),
    methods: new Methods(clock, (method, error) =>
      log.error({ event: 'method.failed', method, ...errorFields(error) }, 'a method failed'),
    ),
    operations: operationDoor(operations, rules),
    admission,
    lifecycle,
    limits,
    safeguards: new Safeguards({
      clock,
      random,
      engine,
      admission,
      budget,
      audit,
      limits,
      memory: options.memory ?? systemMemory,
      isAlone: resolved.engine === 'memory' || 'disk' in resolved.engine,
      nodes: () => peers.count(),
      connections,
    }),
    log,
    audit,
    queryToken: resolved.queryToken,
  }
  const streamPosts = new StreamPosts({ node, secret, random, control, peers })
  return {
    services,
    operations,
    audit,
    origins,
    streamPosts,
    credentials,
    lifecycle,
    notifications,
    reports: reportsReader,
  }
}

function refuse(error: unknown): never {
  throw asHoldfastError(error)
}

/** The webhooks that get lifecycle events. */
function lifecycleWebhooks(
  webhooks: ResolvedWebhooks | undefined,
  { clock, audit }: Pick<Services, 'clock' | 'audit'>,
): LifecycleWebhook[] {
  const { events = [], allowPrivate = false } = webhooks ?? {}
  const outbound = guardedOutbound({ allowPrivate, clock, audit })
  return events.map((event) => ({
    destination: new EventWebhook(event, { outbound, clock }),
    wanted: { types: event.events, tenants: event.tenant === undefined ? undefined : [event.tenant] },
  }))
}

function decisionParts(
  { secret, urls, allowPrivate }: ResolvedWebhooks,
  parts: Pick<DecisionParts, 'clock' | 'random' | 'audit'>,
): DecisionParts {
  const { clock, audit } = parts
  const outbound = guardedOutbound({ allowPrivate, clock, audit, bytesMax: DECISION_BYTES_MAX })
  return { ...parts, secret, urls, outbound }
}

function engineOf(choice: EngineChoice, parts: Pick<Services, 'clock' | 'random' | 'log'>): Engine {
  if (choice === 'memory') return new MemoryEngine(parts)
  if ('disk' in choice)
    return new DiskEngine(typeof choice.disk === 'string' ? { dir: choice.disk } : choice.disk, parts)
  if (!('redis' in choice)) return choice
  const { redis } = choice
  try {
    return new RedisEngine(typeof redis === 'string' ? redisOptions(redis) : redis, parts)
  } catch (error) {
    throw new OptionsError(`engine.redis: ${(error as Error).message}`)
  }
}

function operationDoor(operations: Operations, rules: ChannelRules): OperationDoor {
  return {
    opening: (stream, state) => operations.opening(stream.channel, state),
    feed: (identity, channel) => operations.feed(identity.tenant, channel, identity.user),
    requestCancel: (tenant, id) => operations.requestCancel(tenant, id),
    async find(identity: Identity, id: string): Promise<OperationSnapshot | undefined> {
      const snapshot = await operations.get(identity.tenant, id)
      return snapshot && (await rules.allows(identity, 'subscribe', `operation:${id}`)) ? snapshot : undefined
    },
  }
}
