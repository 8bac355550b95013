import { type Clock, timestamp } from '../clock.js'
import { Duty } from '../core/nodes/duty.js'
import type { Rules } from '../core/services.js'
import type { Engine } from '../engine/engine.js'
import { inParallel } from '../lifecycle/in-parallel.js'
import type { LifecycleEvent } from '../lifecycle/event.js'
import type { Random } from '../random.js'
import { OVERSIGHT } from './places.js'
import { type ReceiptRecord, hasEnded } from './receipt.js'
import type { ReceiptName, ReceiptStore } from './receipt-store.js'
import { type Receipts, headingOf } from './receipts.js'
import type { Reminder, Reminders } from './reminders.js'
import { REMINDERS_MAX, lookedAt, nextLook } from './schedule.js'

/** What an overseer of receipts works with. */
export interface OverseerParts {
  readonly engine: Pick<Engine, 'leases' | 'problem' | 'read'>
  readonly clock: Clock
  readonly random: Random
  readonly store: ReceiptStore
  readonly receipts: Receipts
  readonly reminders: Reminders
  readonly rules: Pick<Rules, 'ruleOf'>
  /** The name under which this process holds leases. */
  readonly holder: string
  /** Where the message of a receipt turned out to be that was being stored when its node died. */
  readonly place: (
    tenant: string,
    record: ReceiptRecord,
    at: { epoch: string; offset: number; id: string },
  ) => Promise<unknown>
  readonly tell: (event: LifecycleEvent) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** What an overseer has done since its node began. */
export interface OverseerTotals {
  readonly reminded: number
  readonly unreachable: number
  /** Whether this node is the one, now. */
  readonly oversees: boolean
}

/** How often an overseer looks. */
const LOOK_MS = 500

/** Receipts that are looked at together, and how many of those in one look. */
const BATCH = 100
const BATCHES_MAX = 50
const AT_ONCE = 16

/** Messages of an inbox among which one is looked for whose node died while it was stored. */
const SEARCHED_MAX = 1_000

interface Attended {
  readonly name: ReceiptName
  readonly record: ReceiptRecord
}

/** One node of the cluster looks after receipts that are due: those that expire, and those of critical notifications that nobody has confirmed. All are ready to be that one. */
export class Overseer {
  readonly #parts: OverseerParts
  readonly #duty: Duty
  #reminded = 0
  #unreachable = 0

  constructor(parts: OverseerParts) {
    this.#parts = parts
    const round = (): Promise<void> => this.#look()
    this.#duty = new Duty({ ...parts, lease: OVERSIGHT, everyMs: LOOK_MS, round })
  }

  get totals(): OverseerTotals {
    return { reminded: this.#reminded, unreachable: this.#unreachable, oversees: this.#duty.isHeld }
  }

  /** Looks, or is ready to, from now on. */
  start(): void {
    this.#duty.start()
  }

  /** Leaves it to the others. */
  async stop(): Promise<void> {
    if (!this.#duty.isOn) return
    await this.#duty.stop()
    await this.#duty.release()
  }

  async #look(): Promise<void> {
    const { engine, store } = this.#parts
    for (let batches = 0; batches < BATCHES_MAX && this.#duty.isOn; batches += 1) {
      if (engine.problem() !== undefined) return
      if (!(await this.#duty.hold())) return
      const due = await store.due(BATCH)
      await this.#attend(due)
      if (due.length < BATCH) return
    }
  }

  async #attend(due: readonly ReceiptName[]): Promise<void> {
    const unconfirmed: Attended[] = []
    await inParallel(due, AT_ONCE, async (name) => {
      const record = await this.#settle(name)
      if (record !== undefined) unconfirmed.push({ name, record })
    })
    const counts = await this.#parts.reminders.everywhere(unconfirmed.map(reminderOf))
    await inParallel(unconfirmed.entries(), AT_ONCE, ([at, attended]) => this.#looked(attended, counts[at] ?? 0))
  }

  /** Does what is due; answers the record where the devices of the user are to be reminded. */
  async #settle(name: ReceiptName): Promise<ReceiptRecord | undefined> {
    const { store, receipts, clock, random } = this.#parts
    const record = await store.find(name.tenant, name.id)
    // Its node died before it was written, or it is long over.
    if (record === undefined) return void (await store.forget(name))
    if (hasEnded(record)) return void (await receipts.finish(name, record))
    if (record.state === 'storing') return void (await this.#search(name, record))
    const now = await receipts.compare(name, record)
    if (hasEnded(now)) return undefined
    // The node that sent it may have died before it could be found by its place.
    if (now.round === 0) await store.open(name.tenant, now)
    if (now.priority === 'critical') return now
    await store.plan(name.tenant, now, nextLook(now, clock.now(), random))
    return undefined
  }

  /** Its node died, or waits for an answer of the engine: it was sent if it is in the inbox. */
  async #search(name: ReceiptName, record: ReceiptRecord): Promise<void> {
    const { tenant } = name
    const { engine, rules, store, place } = this.#parts
    const { channel, message } = record
    const retention = rules.ruleOf(channel, undefined)?.retention
    const range = { limit: SEARCHED_MAX, bytesMax: Infinity, keep: 'newest' } as const
    const page = retention && (await engine.read({ tenant, channel }, retention, range))
    const found = page?.messages.find(({ id }) => id === message)
    if (page === undefined || found?.offset === undefined) return store.forget(name)
    await place(tenant, record, { epoch: page.epoch, offset: found.offset, id: found.id })
  }

  async #looked({ name, record }: Attended, devices: number): Promise<void> {
    const { store, clock, random } = this.#parts
    const isReminded = devices > 0 && record.reminders < REMINDERS_MAX
    if (devices === 0) await this.#tellUnreachable(name, record)
    if (isReminded) this.#reminded += 1
    const looked = await store.change(name, (now) => (hasEnded(now) ? undefined : lookedAt(now, devices, isReminded)))
    if (looked !== undefined) await store.plan(name.tenant, looked, nextLook(looked, clock.now(), random))
  }

  /** Before it is written down: told twice it is the same event. */
  async #tellUnreachable({ tenant }: ReceiptName, record: ReceiptRecord): Promise<void> {
    const times = record.unreachable + 1
    const at = timestamp(this.#parts.clock.now())
    const id = `${record.message}.unreachable.${times}`
    await this.#parts.tell({ id, type: 'notification.unreachable', ...headingOf(tenant, record), at, times })
    this.#unreachable += 1
  }
}

function reminderOf({ name, record }: Attended): Reminder {
  const { channel, epoch, offset, reminders } = record
  return { tenant: name.tenant, channel, epoch, offset, reminder: reminders < REMINDERS_MAX ? reminders + 1 : 0 }
}
