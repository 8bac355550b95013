import type { Cancel, Clock } from '../../clock.js'
import type { Engine, Stream } from '../../engine/engine.js'
import type { Audit } from '../../telemetry/audit.js'
import type { Admission, ConnectionQuota } from './admission.js'
import { ChannelQuota } from './channel-quota.js'
import type { ControlDesk } from '../nodes/control.js'
import { HistoryQuota } from './history-quota.js'
import type { Peers } from '../nodes/peers.js'
import { type Quota, type QuotaLimits, QuotaRefusals } from './quota.js'
import type { Retries } from '../retries.js'
import { SharedCounts } from './shared-counts.js'
import { SharedRate } from './shared-rate.js'
import { TenantUse } from './tenant-use.js'

/** What quotas work with. */
export interface QuotasParts {
  readonly engine: Pick<Engine, 'rates' | 'registers' | 'counters' | 'problem'>
  readonly clock: Clock
  readonly node: string
  readonly retries: Retries
  readonly peers: Pick<Peers, 'count' | 'live'>
  readonly control: Pick<ControlDesk, 'on' | 'askAll'>
  readonly audit: Audit
  /** The quotas of a tenant; undefined: it has none. */
  readonly limitsOf: (tenant: string) => QuotaLimits | undefined
  /** The longest message; a bucket of bytes holds at least one. */
  readonly messageBytesMax: number
  readonly isListened: (stream: Stream) => boolean
}

/** What a tenant uses, over all nodes, and what it may. Undefined: no quota, so that nobody counts. */
export interface TenantUsage extends Readonly<Record<Quota, number | undefined>> {
  readonly quotas: QuotaLimits
}

/** What quotas have come to on this node. */
export interface QuotaStats {
  /** Tenants with quotas that this node has to do with now. */
  readonly tenants: number
  /** QuotaRefusals so far, by quota. */
  readonly refused: Readonly<Record<Quota, number>>
}

/** How often channels are entered again, and what is not used any more is forgotten. */
const RENEW_MS = 5_000

const NO_LIMITS: QuotaLimits = {
  connections: undefined,
  channels: undefined,
  messagesPerSecond: undefined,
  bytesPerSecond: undefined,
  historyBytes: undefined,
  operations: undefined,
}

/** What tenants may use, over all nodes together. A tenant without quotas costs one look. */
export class Quotas {
  readonly #parts: QuotasParts
  readonly #uses = new Map<string, TenantUse>()
  readonly #operations: SharedCounts
  readonly #refused: Record<Quota, number> = {
    connections: 0,
    channels: 0,
    messagesPerSecond: 0,
    bytesPerSecond: 0,
    historyBytes: 0,
    operations: 0,
  }
  #cancel: Cancel | undefined
  /** The quota of connections, which is counted where places are. */
  readonly connections: ConnectionQuota = {
    of: (tenant) => this.#parts.limitsOf(tenant)?.connections,
    reached: ({ identity }) => void this.of(identity.tenant)?.refuse('connections'),
  }

  constructor(parts: QuotasParts) {
    this.#parts = parts
    this.#operations = new SharedCounts(parts.engine, parts.node, parts.retries)
    parts.control.on('tenant.usage', ({ tenant }) => this.#uses.get(tenant)?.lately() ?? { messages: 0, bytes: 0 })
  }

  start(): void {
    this.#parts.peers.count()
    this.#cancel ??= this.#parts.clock.every(RENEW_MS, () => this.#renew())
  }

  stop(): void {
    this.#cancel?.()
    for (const tenant of this.#uses.keys()) this.#forget(tenant)
  }

  /** The use of a tenant that has quotas. */
  of(tenant: string): TenantUse | undefined {
    const known = this.#uses.get(tenant)
    if (known !== undefined) return known
    const limits = this.#parts.limitsOf(tenant)
    return limits && this.#open(tenant, limits)
  }

  /** An operation begins; answers what to call when it has ended. @throws HoldfastError `rate_limited`, `limit_exceeded`. */
  async beginOperation(tenant: string): Promise<() => void> {
    const use = this.of(tenant)
    const max = use?.parts.limits.operations
    await use?.charge({ characters: 0 })
    if (use === undefined || max === undefined) return () => undefined
    const name = operationsOf(tenant)
    if ((await this.#operations.take([{ name, max }])) !== undefined) throw use.refuse('operations')
    let isHeld = true
    return () => {
      if (isHeld) this.#operations.leave([name])
      isHeld = false
    }
  }

  /** Enters again what this node holds. Rejects when the engine refuses. */
  restore(): Promise<void> {
    return this.#operations.restore()
  }

  /** What a tenant uses now. Rejects when the engine cannot be reached. */
  async usage(tenant: string, admission: Pick<Admission, 'connectionsOf'>): Promise<TenantUsage> {
    const use = this.of(tenant)
    const quotas = use?.parts.limits ?? NO_LIMITS
    const isPaced = quotas.messagesPerSecond !== undefined || quotas.bytesPerSecond !== undefined
    const [connected, channels, historyBytes, operations, lately] = await Promise.all([
      admission.connectionsOf(tenant),
      use?.parts.channels?.used(),
      use?.parts.history?.used(),
      quotas.operations === undefined ? undefined : this.#operations.total(operationsOf(tenant)),
      isPaced ? this.#lately(tenant) : undefined,
    ])
    return {
      connections: connected,
      channels,
      messagesPerSecond: lately?.messages,
      bytesPerSecond: lately?.bytes,
      historyBytes,
      operations,
      quotas,
    }
  }

  stats(): QuotaStats {
    return { tenants: this.#uses.size, refused: { ...this.#refused } }
  }

  /** What all nodes that answer have published for a tenant in the last second. */
  async #lately(tenant: string): Promise<{ readonly messages: number; readonly bytes: number }> {
    const { control, peers, node } = this.#parts
    const here = this.#uses.get(tenant)?.lately() ?? { messages: 0, bytes: 0 }
    const others = [...(await peers.live())].filter((other) => other !== node)
    const all = [here, ...(await control.askAll(others, 'tenant.usage', { tenant }))]
    const sum = (of: 'messages' | 'bytes'): number => all.reduce((total, one) => total + one[of], 0)
    return { messages: sum('messages'), bytes: sum('bytes') }
  }

  #open(tenant: string, limits: QuotaLimits): TenantUse {
    const { engine, clock, peers, audit, isListened, messageBytesMax } = this.#parts
    const { messagesPerSecond, bytesPerSecond, channels, historyBytes } = limits
    const rate = (perSecond: number | undefined, least: number): SharedRate | undefined =>
      perSecond === undefined
        ? undefined
        : new SharedRate(
            { engine, clock, nodes: () => peers.count() },
            { perSecond, burst: Math.max(perSecond, least) },
          )
    const use = new TenantUse(tenant, {
      limits,
      messages: rate(messagesPerSecond, 1),
      bytes: rate(bytesPerSecond, messageBytesMax),
      channels:
        channels === undefined
          ? undefined
          : new ChannelQuota(channels, {
              engine,
              clock,
              register: `tenant-channels:${tenant}`,
              isListened: (channel) => isListened({ tenant, channel }),
            }),
      history:
        historyBytes === undefined
          ? undefined
          : new HistoryQuota(historyBytes, { engine, clock, register: `tenant-history:${tenant}` }),
      refusals: new QuotaRefusals((rule, count) => audit.record('quota.reached', { tenant, rule, count })),
      now: () => clock.now(),
      refused: (quota) => void (this.#refused[quota] += 1),
    })
    this.#uses.set(tenant, use)
    return use
  }

  #renew(): void {
    // Known already when the engine goes away.
    if (this.#uses.size > 0) this.#parts.peers.count()
    for (const [tenant, use] of this.#uses) {
      use.parts.refusals.flush()
      void use.parts.channels?.renew()
      if (use.isIdle) this.#forget(tenant)
    }
  }

  #forget(tenant: string): void {
    const parts = this.#uses.get(tenant)?.parts
    parts?.refusals.flush()
    parts?.messages?.close()
    parts?.bytes?.close()
    parts?.history?.close()
    this.#uses.delete(tenant)
  }
}

function operationsOf(tenant: string): string {
  return `tenant-operations:${tenant}`
}
