import { type Clock, timestamp } from '../clock.js'
import type { Engine, LogPage, LogTop } from '../engine/engine.js'
import type { LifecycleEvent } from './event.js'
import { inParallel } from './in-parallel.js'
import { ENTRY_MS, LOG_RETENTION, TENANTS, TENANTS_MAX, TOLD_MS, eventLogOf } from './places.js'
import type { Wake } from './wake.js'

/** What an event log works with. */
export interface EventLogParts {
  readonly engine: Pick<Engine, 'publish' | 'read' | 'tops' | 'registers'>
  readonly clock: Pick<Clock, 'now'>
  readonly wake: Pick<Wake, 'say'>
  /** An event of a tenant that has no place among those with events. */
  readonly onRefused: (tenant: string) => void
}

/** How long it is believed that a tenant is among those with events. */
const KNOWN_MS = ENTRY_MS / 24

/** Characters of events that are read at a time. */
const READ_CHARACTERS_MAX = 1_048_576

/** Tenants that are entered again at a time. */
const TENANTS_AT_ONCE = 16

/** Logs whose tops are asked for together. */
const TOPS_AT_ONCE = 500

/** The events of all tenants, one log for each. */
export class EventLog {
  readonly #parts: EventLogParts
  /** Until when a tenant is known to be among those with events. */
  readonly #known = new Map<string, number>()

  constructor(parts: EventLogParts) {
    this.#parts = parts
  }

  /** Stores an event; the same id again within five minutes changes nothing, whatever it says. Rejects when the engine refuses. */
  async tell(event: LifecycleEvent): Promise<void> {
    const { engine, wake, onRefused } = this.#parts
    if (!(await this.#admit(event.tenant))) return onRefused(event.tenant)
    await engine.publish({
      stream: eventLogOf(event.tenant),
      event: event.type,
      data: JSON.stringify(event),
      from: { system: true },
      at: event.at,
      retention: LOG_RETENTION,
      idempotency: { scope: 'lifecycle', key: event.id },
    })
    wake.say('logged', event.tenant)
  }

  /** At most `limit` events of a tenant from an offset on. */
  read(tenant: string, from: number, limit: number): Promise<LogPage> {
    const range = { from, limit, bytesMax: READ_CHARACTERS_MAX, keep: 'oldest' } as const
    return this.#parts.engine.read(eventLogOf(tenant), LOG_RETENTION, range)
  }

  /** The offset of the oldest event of a tenant that is kept. */
  async first(tenant: string): Promise<number> {
    const range = { limit: 0, bytesMax: 0, keep: 'oldest' } as const
    return (await this.#parts.engine.read(eventLogOf(tenant), LOG_RETENTION, range)).first
  }

  /** Lets the events of a tenant go up to one that everybody has. What is written for that is no event to anybody who reads. */
  async settle(tenant: string, settled: { readonly epoch: string; readonly offset: number }): Promise<void> {
    const { engine, clock } = this.#parts
    const at = timestamp(clock.now())
    const stream = eventLogOf(tenant)
    const from = { system: true } as const
    await engine.publish({ stream, event: 'settled', data: '{}', from, at, retention: LOG_RETENTION, settled })
  }

  /** The tenants that have events. */
  async tenants(): Promise<readonly string[]> {
    const entries = await this.#parts.engine.registers.list(TENANTS, TENANTS_MAX)
    return entries.map(({ key }) => key)
  }

  /** Where the logs of these tenants stand. */
  async tops(tenants: readonly string[]): Promise<readonly LogTop[]> {
    const tops: LogTop[] = []
    for (let at = 0; at < tenants.length; at += TOPS_AT_ONCE) {
      const some = tenants.slice(at, at + TOPS_AT_ONCE)
      const logs = some.map((tenant) => ({ stream: eventLogOf(tenant), retention: LOG_RETENTION }))
      tops.push(...(await this.#parts.engine.tops(logs)))
    }
    return tops
  }

  /** Enters the tenants again that this node has told of: the engine may have lost them. Rejects when the engine refuses. */
  async refresh(): Promise<void> {
    const tenants = [...this.#known.keys()]
    this.#known.clear()
    await inParallel(tenants, TENANTS_AT_ONCE, (tenant) => this.#admit(tenant))
  }

  /** Makes sure that whoever delivers will look at the tenant. */
  async #admit(tenant: string): Promise<boolean> {
    const { engine, clock } = this.#parts
    const now = clock.now()
    if ((this.#known.get(tenant) ?? 0) > now) return true
    const request = { key: tenant, ttlMs: TOLD_MS, entriesMax: TENANTS_MAX }
    if ((await engine.registers.put(TENANTS, request)) === undefined) return false
    if (this.#known.size >= TENANTS_MAX) this.#known.clear()
    this.#known.set(tenant, now + KNOWN_MS)
    return true
  }
}
