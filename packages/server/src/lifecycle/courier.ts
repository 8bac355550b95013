import type { Cancel, Clock } from '../clock.js'
import type { Engine, LogTop } from '../engine/engine.js'
import type { Random } from '../random.js'
import type { DeliveryCounts } from './delivery-counts.js'
import { DeliveryLine } from './delivery-line.js'
import type { Destination } from './destination.js'
import type { EventLog } from './event-log.js'
import { inParallel } from './in-parallel.js'
import { TOLD_MS, bornOf } from './places.js'
import { writeCursor } from './cursors.js'
import { RECEIVER_SHOWN_MS, showReceiver } from './receivers.js'

/** What a courier works with. */
export interface CourierParts {
  readonly engine: Pick<Engine, 'records' | 'leases' | 'registers' | 'problem'>
  readonly clock: Clock
  readonly random: Random
  readonly log: EventLog
  readonly destination: Destination
  readonly counts: DeliveryCounts
  /** The name under which this process holds leases. */
  readonly holder: string
  /** The destination is known in the engine: events may be written for it from now on. */
  readonly onReady: () => void
  readonly onError: (error: unknown) => void
}

/** How often a courier shows that it is there, and for how long it may deliver without doing so. */
const LOOK_MS = 1_500
const LEASE_MS = 6_000

/** How often all logs are compared with what was delivered: a call that there is something new may be lost. */
const COMPARE_MS = 15_000

/** How long a courier that ends goes on with what can be delivered at once. */
const FLUSH_MS = 1_500
const FLUSH_STEP_MS = 20

/** Tenants that are begun at a time. */
const TENANTS_AT_ONCE = 16

/** Tenants whose position is remembered. */
const POSITIONS_MAX = 100_000

/** Brings events to one destination. Of all nodes that could, one does; when it dies another goes on where its position was kept last. */
export class Courier {
  readonly #parts: CourierParts
  readonly #lines = new Map<string, DeliveryLine>()
  /** Where tenants are of whom nothing is on its way. */
  readonly #positions = new Map<string, Pick<LogTop, 'epoch'> & { readonly offset: number }>()
  /** Lines that wait for a place. */
  readonly #waiting = new Set<DeliveryLine>()
  #underWay = 0
  #deliversUntil = -Infinity
  #comparedAt = -Infinity
  #shownAt = -Infinity
  #isReady = false
  #looking: Promise<void> | undefined
  #comparing: Promise<void> | undefined
  #stop: Cancel | undefined

  constructor(parts: CourierParts) {
    this.#parts = parts
  }

  /** Events that were read and are not done. */
  get size(): number {
    let size = 0
    for (const line of this.#lines.values()) size += line.size
    return size
  }

  /** Whether this node is the one that delivers. */
  get isHolder(): boolean {
    return this.#parts.clock.now() < this.#deliversUntil
  }

  /** Whether the destination is known in the engine. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Delivers, or is ready to, from now on; resolves when the destination is known in the engine, or that could not be. */
  start(): Promise<void> {
    this.#stop ??= this.#parts.clock.every(LOOK_MS, () => void this.look())
    return this.look()
  }

  /** There may be something new of these tenants (undefined: of any). */
  logged(tenants: readonly string[] | undefined): void {
    if (!this.isHolder) return
    if (tenants === undefined) this.#comparedAt = -Infinity
    for (const tenant of tenants ?? []) if (this.#serves(tenant)) void this.#line(tenant).look()
  }

  /** Takes or renews the lease, and whoever holds it compares all logs now and then. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch(this.#parts.onError)
      .finally(() => (this.#looking = undefined))
    return this.#looking
  }

  /** Delivers what can be delivered at once, keeps the positions and leaves the rest to the others. */
  async stop(): Promise<void> {
    const { engine, destination, holder, onError } = this.#parts
    this.#stop?.()
    await this.#looking
    if (this.isHolder) {
      await this.#comparing
      await this.#compare().catch(onError)
      await this.#flush()
    }
    const lines = this.#endLines()
    await Promise.all(lines.map((line) => line.saved()))
    if (!this.isHolder) return
    this.#deliversUntil = -Infinity
    await engine.leases.release(leaseOf(destination), holder).catch(onError)
  }

  async #look(): Promise<void> {
    const { engine, clock, destination, holder } = this.#parts
    if (engine.problem() !== undefined) return
    const wasHolder = this.isHolder
    const askedAt = clock.now()
    if (!(await engine.leases.hold(leaseOf(destination), holder, LEASE_MS))) return this.#yield()
    if (!wasHolder) this.#forget()
    this.#deliversUntil = askedAt + LEASE_MS
    // Before it is known where it begins: from now on nothing goes that it did not get.
    await this.#show()
    await this.#bear()
    if (clock.now() - this.#comparedAt >= COMPARE_MS) this.#beginComparing()
  }

  /** Not waited for: with many tenants it may take longer than the lease lasts. */
  #beginComparing(): void {
    if (this.#comparing !== undefined) return
    this.#comparedAt = this.#parts.clock.now()
    this.#comparing = this.#compare()
      .catch(this.#parts.onError)
      .finally(() => (this.#comparing = undefined))
  }

  async #show(): Promise<void> {
    const { engine, clock, destination } = this.#parts
    const now = clock.now()
    if (Math.abs(now - this.#shownAt) < RECEIVER_SHOWN_MS) return
    await showReceiver(engine, destination)
    this.#shownAt = now
  }

  /** Another delivers. Events are written for it once the destination is known. */
  async #yield(): Promise<void> {
    this.#deliversUntil = -Infinity
    this.#forget()
    const { engine, destination } = this.#parts
    if (!this.#isReady && (await engine.records.get(bornOf(destination.id))) !== undefined) this.#ready()
  }

  /** A destination that nobody knew gets what is told from now on, not what others were told before. */
  async #bear(): Promise<void> {
    if (this.#isReady) return
    const { engine, log, destination } = this.#parts
    const key = bornOf(destination.id)
    if ((await engine.records.get(key)) === undefined) {
      const tenants = await this.#tenants()
      const tops = await log.tops(tenants)
      const places = tenants.map((tenant, at) => ({ tenant, top: tops[at] }))
      await inParallel(places, TENANTS_AT_ONCE, async ({ tenant, top }) => {
        const cursor = { epoch: top?.epoch ?? '', offset: top?.top.offset ?? 0, done: [] }
        await writeCursor(engine, { destination: destination.id, tenant }, cursor, 0)
      })
    }
    await engine.records.put(key, '', { ttlMs: TOLD_MS })
    this.#ready()
  }

  #ready(): void {
    this.#isReady = true
    this.#parts.onReady()
  }

  /** Looks at each tenant whose log has more than was delivered. */
  async #compare(): Promise<void> {
    const { log, onError } = this.#parts
    const tenants = await this.#tenants()
    for (const line of this.#lines.values()) if (line.isIdle) this.#rest(line)
    const tops = await log.tops(tenants)
    const behind = tenants.filter((tenant, at) => !this.#isAt(tenant, tops[at]))
    await inParallel(behind, TENANTS_AT_ONCE, (tenant) => this.#line(tenant).look()).catch(onError)
  }

  /** Those with events, of which the destination may get some. */
  async #tenants(): Promise<readonly string[]> {
    const tenants = await this.#parts.log.tenants()
    return tenants.filter((tenant) => this.#serves(tenant))
  }

  #serves(tenant: string): boolean {
    const only = this.#parts.destination.tenant
    return only === undefined || only === tenant
  }

  #isAt(tenant: string, top: LogTop | undefined): boolean {
    const position = this.#positions.get(tenant)
    return position !== undefined && position.epoch === top?.epoch && position.offset === top.top.offset
  }

  #line(tenant: string): DeliveryLine {
    const known = this.#lines.get(tenant)
    if (known !== undefined) return known
    const line: DeliveryLine = new DeliveryLine(tenant, {
      ...this.#parts,
      takePlace: (one) => this.#takePlace(one),
      leavePlace: () => this.#leavePlace(),
      mayDeliver: () => this.isHolder,
      onUsurped: () => void (this.#lines.get(tenant) === line && this.#forget()),
    })
    this.#positions.delete(tenant)
    this.#lines.set(tenant, line)
    return line
  }

  /** Nothing of the tenant is on its way: it is enough to know where it is. */
  #rest(line: DeliveryLine): void {
    this.#lines.delete(line.tenant)
    line.end()
    if (this.#positions.size >= POSITIONS_MAX) this.#positions.clear()
    this.#positions.set(line.tenant, line.position)
  }

  #takePlace(line: DeliveryLine): boolean {
    if (this.#underWay >= this.#parts.destination.atOnce) {
      this.#waiting.add(line)
      return false
    }
    this.#underWay += 1
    return true
  }

  /** Each line that waits gets its turn: one with much to deliver goes to the end of them. */
  #leavePlace(): void {
    this.#underWay -= 1
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    this.#parts.clock.defer(() => next.pump())
  }

  /** What is on its way is read anew, from what is stored. */
  #forget(): void {
    this.#endLines()
    this.#positions.clear()
    this.#waiting.clear()
    this.#comparedAt = -Infinity
  }

  #endLines(): DeliveryLine[] {
    const lines = [...this.#lines.values()]
    for (const line of lines) line.end()
    this.#lines.clear()
    return lines
  }

  async #flush(): Promise<void> {
    const { clock } = this.#parts
    const end = clock.now() + FLUSH_MS
    const isOver = (): boolean => [...this.#lines.values()].every((line) => line.isIdle || line.isWaiting)
    while (!isOver() && clock.now() < end)
      await new Promise<void>((resolve) => {
        clock.after(FLUSH_STEP_MS, resolve)
      })
  }
}

function leaseOf({ id }: Destination): string {
  return `lifecycle:to:${id}`
}
