import type { Cancel, Clock } from '../clock.js'
import type { ControlDesk } from '../core/nodes/control.js'
import type { FollowedConnection, LifecycleDoor, LifecycleListener } from '../core/lifecycle.js'
import type { Engine, PresenceEntry, Stream } from '../engine/engine.js'
import type { Random } from '../random.js'
import type { Audit } from '../telemetry/audit.js'
import type { Logger } from '../telemetry/log.js'
import { Courier } from './courier.js'
import { DeliveryCounts } from './delivery-counts.js'
import type { Destination } from './destination.js'
import type { LifecycleEvent, LifecycleType } from './event.js'
import { EventLog } from './event-log.js'
import { type LifecycleHook, Hooks } from './hooks.js'
import { Interest, type Wanted } from './interest.js'
import { Lanes } from './lanes.js'
import { Life } from './life.js'
import { LogTrimmer } from './log-trimmer.js'
import { Overseer } from './overseer.js'
import { REFRESH_MS } from './places.js'
import { Recorder } from './recorder.js'
import { Subjects } from './subjects.js'
import { Wake } from './wake.js'

/** A connection of this node, and where it is present. */
export interface SurveyedConnection extends FollowedConnection {
  readonly isOpen: boolean
  readonly subscriptions: { content(): readonly { readonly channel: string }[] }
  presences(): Iterable<{ readonly stream: Stream; readonly entry: PresenceEntry }>
}

/** A webhook and what it is for. */
export interface LifecycleWebhook {
  readonly destination: Destination
  readonly wanted: Wanted
}

/** What the lifecycle events of a node work with. */
export interface LifecycleParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  readonly node: string
  readonly control: Pick<ControlDesk, 'on' | 'tell'>
  readonly log: Logger
  readonly audit: Audit
  readonly webhooks: readonly LifecycleWebhook[]
  readonly isHeardHere: (stream: Stream) => boolean
  readonly connections: () => Iterable<SurveyedConnection>
  readonly onError: (error: unknown) => void
}

/** What lifecycle events are doing on this node. */
export interface LifecycleStats {
  /** Events and changes of this node that wait to be written down, and events that this node is delivering. */
  readonly pending: number
  /** Events that were taken by hooks or a webhook. */
  readonly delivered: number
  /** Events that were not, counted with each try. */
  readonly failed: number
  /** Events that a receiver will not get any more. */
  readonly dropped: number
}

/** How often a node looks whether others took it for dead. */
const CHECK_MS = 3_000

/** How often logs are looked at for what everybody has. */
const TRIM_MS = 30_000

/** How long a node that ends waits until what it has to write down is written. */
const SETTLE_MS = 3_000

/** The lifecycle events of a node: follows what happens on it while anybody in the cluster wants events, and brings events to its hooks and webhooks. */
export class Lifecycle implements LifecycleDoor {
  readonly #parts: LifecycleParts
  readonly #interest: Interest
  readonly #life: Life
  readonly #lanes: Lanes
  readonly #wake: Wake
  readonly #recorder: Recorder
  readonly #subjects: Subjects
  readonly #overseer: Overseer
  readonly #hooks: Hooks
  readonly #counts: DeliveryCounts
  readonly #log: EventLog
  readonly #trimmer: LogTrimmer
  /** The name under which this process holds leases. */
  readonly #holder: string
  readonly #couriers = new Map<string, Courier>()
  readonly #stops: Cancel[] = []
  #listener: LifecycleListener | undefined
  #following: Promise<void> | undefined
  #isStarted = false
  #isEnding = false
  #isStopped = false
  #hasBegun = false
  #checking = false
  #employed = 0

  constructor(parts: LifecycleParts) {
    this.#parts = parts
    const { engine, clock, random, node, log, audit, onError } = parts
    this.#counts = new DeliveryCounts(audit, log)
    this.#interest = new Interest(parts, () => this.#interestChanged())
    this.#life = new Life({ engine, random, node })
    this.#holder = `${node} ${this.#life.id}`
    this.#lanes = new Lanes({ clock, isBlocked: () => !this.#hasBegun || engine.problem() !== undefined, onError })
    this.#wake = new Wake({ engine, clock, onError }, (reason, tenants) => {
      if (reason === 'changed') this.#overseer.changed(tenants)
      else for (const courier of this.#couriers.values()) courier.logged(tenants)
    })
    const onRefused = (tenant: string): void => this.#counts.unwritten({ tenant, reason: 'too_many_tenants' })
    this.#log = new EventLog({ engine, clock, wake: this.#wake, onRefused })
    this.#trimmer = new LogTrimmer({ engine, log: this.#log, onError })
    const shared = { engine, clock, random, node, log: this.#log, interest: this.#interest, wake: this.#wake, onError }
    const onDropped = (): void => this.#counts.unwritten({ reason: 'too_many_waiting' })
    const own = { ...shared, life: this.#life, lanes: this.#lanes, onDropped }
    this.#recorder = new Recorder(own)
    this.#subjects = new Subjects({ ...own, isHeardHere: parts.isHeardHere })
    this.#overseer = new Overseer({ ...shared, holder: this.#holder })
    this.#hooks = new Hooks({ clock, log, onChange: () => void this.#hooksChanged() })
  }

  /** Who follows this node; undefined as long as nobody wants events. */
  get listener(): LifecycleListener | undefined {
    return this.#listener
  }

  /** Adds a hook; answers its undo. @throws RangeError when there is no such event. */
  on<T extends LifecycleType>(type: T, hook: LifecycleHook<T>, tenant?: string): () => void {
    return this.#hooks.on(type, hook, tenant)
  }

  /** Writes down an event that others have found, if anybody wants it; the same id again within five minutes changes nothing. Rejects when the engine refuses. */
  async tell(event: LifecycleEvent): Promise<void> {
    if (this.#interest.wants([event.type], event.tenant)) await this.#log.tell(event)
  }

  /** What it is doing now. */
  stats(): LifecycleStats {
    let pending = this.#lanes.size
    for (const courier of this.#couriers.values()) pending += courier.size
    return { pending, ...this.#counts.totals }
  }

  /** Begins; resolves when what is wanted is known, or could not be. */
  async start(): Promise<void> {
    const { engine, clock, webhooks } = this.#parts
    this.#isStarted = true
    this.#stops.push(
      engine.watch((problem) => void (problem === undefined && this.#back())),
      clock.every(CHECK_MS, () => void this.#check()),
      clock.every(REFRESH_MS, () => this.#refresh()),
      clock.every(TRIM_MS, () => void (this.#overseer.isHolder && this.#trimmer.run())),
    )
    await this.#interest.start()
    // The engine may have taken longer than the node lived.
    if (this.#isEnding) return
    await Promise.all([
      ...webhooks.map(({ destination, wanted }) => this.#employ(destination, () => wanted)),
      this.#hooksChanged(),
    ])
    await this.#following
  }

  /** Has the end of every connection told, delivers what can be delivered at once, and leaves the rest to others. Connections are to be closed before. */
  async stop(): Promise<void> {
    if (!this.#isStarted || this.#isEnding) return
    this.#isEnding = true
    for (const stop of this.#stops) stop()
    this.#interest.stop()
    await this.#settled()
    this.#wake.flush()
    await this.#overseer.stop()
    this.#isStopped = true
    await Promise.all([...this.#couriers.values()].map((courier) => courier.stop()))
    this.#listener = undefined
    this.#lanes.close()
    await this.#wake.stop()
  }

  // Who wants events

  #interestChanged(): void {
    if (this.#isStopped) return
    if (!this.#interest.isAny) return this.#rest()
    this.#following ??= this.#follow()
    this.#survey()
  }

  /** Nobody wants events: what was written down is taken out as it ends, and once nothing is left this node is not followed any more. */
  #rest(): void {
    if (this.#recorder.size + this.#subjects.size === 0) this.#listener = undefined
  }

  /** Follows from now on, before anything is known in the engine: what is written down waits its turn. */
  async #follow(): Promise<void> {
    await this.#begin().catch(this.#parts.onError)
    if (this.#isEnding) return
    void this.#wake.listen()
    this.#overseer.start()
  }

  /** Nothing is written down before the life is known under which it is. */
  async #begin(): Promise<void> {
    await this.#life.begin()
    this.#hasBegun = true
    this.#lanes.resume()
  }

  /** What is there already begins now, for whoever did not want it before. */
  #survey(): void {
    this.#listener = this.#follower
    for (const connection of this.#parts.connections()) {
      if (!connection.isOpen) continue
      this.#recorder.welcomed(connection, false)
      const { tenant } = connection.identity
      for (const { channel } of connection.subscriptions.content()) this.#subjects.channelChanged({ tenant, channel })
      for (const { stream, entry } of connection.presences()) this.#subjects.found(stream, entry)
    }
  }

  readonly #follower: LifecycleListener = {
    welcomed: (connection, resumed) => this.#recorder.welcomed(connection, resumed),
    ended: (connection, end) => this.#recorder.ended(connection, end),
    channelChanged: (stream) => this.#subjects.channelChanged(stream),
    entering: (stream, entry) => this.#subjects.entering(stream, entry),
    entered: (stream, entry, change) => this.#subjects.entered(stream, entry, change),
    left: (stream, entry, change) => this.#subjects.left(stream, entry, change),
  }

  // Who gets them

  async #hooksChanged(): Promise<void> {
    if (!this.#isStarted || this.#isStopped) return
    const { wanted } = this.#hooks
    if (wanted !== undefined) return this.#employ(this.#hooks, () => this.#hooks.wanted)
    const courier = this.#couriers.get(this.#hooks.id)
    this.#couriers.delete(this.#hooks.id)
    await this.#interest.forget(this.#hooks.id)
    await courier?.stop()
  }

  async #employ(destination: Destination, wanted: () => Wanted | undefined): Promise<void> {
    const want = async (): Promise<void> => {
      const wants = wanted()
      if (wants !== undefined) await this.#interest.want(destination.id, wants)
    }
    const known = this.#couriers.get(destination.id)
    if (known !== undefined) return known.isReady ? want() : undefined
    const courier = new Courier({
      ...this.#parts,
      log: this.#log,
      destination,
      counts: this.#counts,
      // Of its own: one that is still leaving must not give back what the next has taken.
      holder: `${this.#holder} ${(this.#employed += 1)}`,
      onReady: () => void want(),
    })
    this.#couriers.set(destination.id, courier)
    void this.#wake.listen()
    await courier.start()
    if (courier.isReady) await want()
  }

  // Whether all is as it was

  #back(): void {
    this.#lanes.resume()
    void this.#interest.look()
    void this.#check()
    void this.#overseer.look()
    for (const courier of this.#couriers.values()) void courier.look()
    void this.#wake.listen()
  }

  async #check(): Promise<void> {
    if (this.#following === undefined || this.#checking || this.#parts.engine.problem() !== undefined) return
    this.#checking = true
    void this.#wake.listen()
    if (!this.#interest.isAny) this.#rest()
    try {
      if (!this.#hasBegun) await this.#begin()
      const check = await this.#life.check()
      if (check === 'new') this.#recorder.reborn()
      if (check === 'forgotten') this.#recorder.refresh()
      if (check !== 'same') this.#subjects.refresh()
      if (check !== 'same') await this.#log.refresh()
    } catch (error) {
      this.#parts.onError(error)
    } finally {
      this.#checking = false
    }
  }

  #refresh(): void {
    this.#recorder.refresh()
    this.#subjects.refresh()
  }

  async #settled(): Promise<void> {
    let cancel: Cancel = () => undefined
    const late = new Promise<void>((resolve) => {
      cancel = this.#parts.clock.after(SETTLE_MS, resolve)
    })
    await Promise.race([this.#lanes.settled(), late])
    cancel()
  }
}
