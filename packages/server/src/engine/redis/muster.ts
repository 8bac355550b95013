import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import type { Logger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { KnownTops } from './acknowledged-tops.js'
import type { Keys } from './keys.js'
import { type Look, type MarkIntervals, ShardMarks } from './muster-marks.js'
import { Patience } from './muster-patience.js'
import { judge } from './muster-verdict.js'
import { verifyTops } from './muster-verification.js'
import { type ServerIdentity, readIdentity } from './server-identity.js'
import type { AcknowledgedTops, Arrivals, Commands, Shard, ShardCommands, Topology } from './shard.js'

/** The bounds of a muster. */
export interface MusterLimits extends MarkIntervals {
  /** Milliseconds that nodes wait for one of which they hear nothing (3,000). */
  readonly musterMs: number
  /** Logs whose newest message a node remembers (100,000). */
  readonly topsMax: number
}

/** The bounds that hold where none are given. */
export const MUSTER_LIMITS: MusterLimits = { markMs: 1_000, lapseMs: 4_000, musterMs: 3_000, topsMax: 100_000 }

/** What the muster needs of the rest of the engine. */
export interface MusterParts {
  readonly topology: Topology
  readonly commands: ShardCommands
  readonly keys: Keys
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly limits: MusterLimits
  /** Whether keys of different slots may not stand in one command. */
  readonly isCluster: boolean
}

/** Milliseconds between two looks at what the others have reported. */
const LOOK_EVERY_MS = 25

/** How often within the time that the others wait a node shows them that it is coming. */
const SIGNS_IN_TIME = 6

/** Milliseconds that a closing node waits at most for its last mark. */
const LEAVING_MS = 500

/** Names that are tried for the marks of a shard. */
const PLACE_TRIES = 20_000

interface Present {
  readonly place: number
  readonly marks: ShardMarks
  /** The server whose marks are made; undefined while the link is down. */
  server: string | undefined
  /** The newest server under which this node made marks. */
  knows: string | undefined
  /** '' until known. */
  generation: string
  isMarking: boolean
  isAttending: boolean
}

/**
 * Sees to it that no log goes on as if nothing had happened after its server was replaced by one that had lost part of it. Why it works is told in
 * docs/decisions/0007-muster-after-a-failover.md.
 */
export class Muster implements Arrivals, AcknowledgedTops {
  readonly #parts: MusterParts
  readonly #who: string
  readonly #tops: KnownTops
  readonly #shards = new Map<string, Present>()
  #losses = 0
  #stopMarking: Cancel | undefined

  constructor(parts: MusterParts) {
    this.#parts = parts
    this.#who = parts.random.id(12)
    this.#tops = new KnownTops(parts.limits.topsMax)
  }

  /** How often a server was found to hold less than this node had been told, or not to be trusted: what else it stored may have gone back too. */
  get losses(): number {
    return this.#losses
  }

  start(): void {
    this.#stopMarking = this.#parts.clock.every(this.#parts.limits.markMs, () => this.#markAll())
  }

  /** Says that this node is gone, so that nobody waits for it; not for long. */
  async close(): Promise<void> {
    this.#stopMarking?.()
    const farewells = [...this.#shards].map(([id, present]) => this.#leave(id, present))
    await Promise.race([Promise.allSettled(farewells), this.#pause(LEAVING_MS)])
  }

  async arrived(shard: Shard, line: Commands): Promise<void> {
    const present = this.#presentIn(shard)
    present.server = undefined
    const server = await readIdentity(line)
    const look = await present.marks.look(line, this.#tops.forgotten)
    if (present.marks.isMember && !look.isWhole) this.#losses += 1
    if (look.server === server.text) await this.#rejoin(shard, present, line, look)
    else await this.#muster(shard, present, line, server, look)
    present.server = server.text
    await this.#mark(present, line)
  }

  left(shard: Shard): void {
    const present = this.#shards.get(shard.id)
    if (present !== undefined) present.server = undefined
  }

  acknowledged(
    stream: string,
    position: { readonly epoch: string; readonly offset: number; readonly id: string },
  ): void {
    this.#tops.acknowledged(stream, position)
  }

  rotated(stream: string, epoch: string): void {
    this.#tops.rotated(stream, epoch)
  }

  generation(key: string): string {
    const shard = this.#parts.topology.shardOf(key)
    return (shard && this.#shards.get(shard.id)?.generation) ?? ''
  }

  /** The server is the one under which marks are made: at most this node had been elsewhere. */
  async #rejoin(shard: Shard, present: Present, line: Commands, look: Look): Promise<void> {
    this.#adopt(present, look.generation)
    if (look.isWhole || !this.#hasMemory(present)) return
    // It held nothing when it took over: what has begun since is not what this node was told of before, and has lost nothing of it.
    if (look.beganEmpty && present.knows !== look.server) return
    await this.#verify(shard, line, look.tick)
    if (look.knows === 'part') this.#distrust(shard, present, 'this node does not know in full what it was told')
  }

  async #muster(shard: Shard, present: Present, line: Commands, server: ServerIdentity, look: Look): Promise<void> {
    const { clock, limits, random } = this.#parts
    if (this.#hasMemory(present) && !look.stored.isEmpty)
      await this.#whileComing(present, line, server, () => this.#verify(shard, line, look.tick))
    // What came after the newest mark is known of logs only.
    if (present.marks.isMember && look.isWhole && !server.isItsOwn) this.#losses += 1
    const patience = new Patience(clock, limits.musterMs)
    for (;;) {
      const { reports, coming, verdict } = await present.marks.report(line, server.text, look.knows, present.generation)
      if (verdict !== undefined) return this.#adopt(present, verdict)
      const { awaited, doubt } = judge({ ...look.stored, isItsOwn: server.isItsOwn }, reports)
      if (awaited.length === 0 || patience.isOver(awaited, coming)) {
        const how = { isNew: doubt !== undefined, isEmpty: look.stored.isEmpty }
        const concluded = await present.marks.conclude(line, server.text, reports, how)
        if (concluded === undefined) throw new EngineUnavailableError('the server was replaced again')
        if (present.marks.isMember || look.stored.number !== undefined) this.#tell(shard, doubt, reports.length)
        return this.#adopt(present, concluded)
      }
      await this.#pause(LOOK_EVERY_MS * (0.5 + random.fraction()))
    }
  }

  /** A muster that others wait with; this node never lost its link. */
  async #attend(id: string, present: Present): Promise<void> {
    const shard = this.#parts.topology.shards().find((each) => each.id === id)
    if (shard === undefined || present.isAttending) return
    present.isAttending = true
    try {
      const line = this.#parts.commands.shard(id)
      const server = await readIdentity(line)
      const look = await present.marks.look(line, this.#tops.forgotten)
      if (look.server !== server.text) await this.#muster(shard, present, line, server, look)
      present.server = server.text
    } finally {
      present.isAttending = false
    }
  }

  /** Shows the others that this node is coming, for as long as it is busy with what comes before its report. */
  async #whileComing(
    present: Present,
    line: Commands,
    server: ServerIdentity,
    busy: () => Promise<void>,
  ): Promise<void> {
    const { clock, limits } = this.#parts
    // Whether the link is good for anything, what it is busy with finds out.
    const come = (): void => void present.marks.come(line, server.text).catch(() => undefined)
    const stop = clock.every(limits.musterMs / SIGNS_IN_TIME, come)
    come()
    try {
      await busy()
    } finally {
      stop()
    }
  }

  async #verify(shard: Shard, line: Commands, tick: number): Promise<void> {
    const { topology, keys, random, log } = this.#parts
    const tops = this.#tops.since(tick)
    const isHere = (key: string): boolean => topology.shardOf(key)?.id === shard.id
    const ended = await verifyTops(line, keys, random, tops, { isHere, isOneSlot: this.#parts.isCluster })
    for (const { stream, epoch } of ended) this.#tops.rotated(stream, epoch)
    if (ended.length > 0)
      log.warn(
        { shard: shard.id, logs: ended.length },
        'redis lost acknowledged messages: the epochs of these logs ended',
      )
  }

  /** Ends every epoch, as the logs are touched. */
  #distrust(shard: Shard, present: Present, reason: string): void {
    this.#adopt(present, nextGeneration(present.generation, this.#parts.clock.now()))
    this.#tell(shard, reason, 1)
  }

  #tell(shard: Shard, doubt: string | undefined, reports: number): void {
    const { log } = this.#parts
    if (doubt === undefined)
      log.info({ shard: shard.id, reports }, 'redis was replaced, and nothing is missing unnoticed')
    else log.warn({ shard: shard.id, reason: doubt }, 'redis may have lost acknowledged messages: all epochs end')
  }

  /** A generation that begins while this node is there says that nobody knows what was lost. */
  #adopt(present: Present, generation: string): void {
    if (generation <= present.generation) return
    if (present.generation !== '') this.#losses += 1
    present.generation = generation
  }

  #markAll(): void {
    for (const [id, present] of this.#shards) {
      if (present.server === undefined || present.isMarking) continue
      // What goes wrong with the link, the link tells.
      this.#mark(present, this.#parts.commands.shard(id))
        .then(
          (isAwaited) => (isAwaited ? this.#attend(id, present) : undefined),
          () => undefined,
        )
        .catch(() => undefined)
    }
  }

  async #mark(present: Present, line: Commands, isLast: boolean = false): Promise<boolean> {
    present.isMarking = true
    present.knows = present.server ?? present.knows
    try {
      const { generation, isAwaited } = await present.marks.mark(line, {
        tag: this.#parts.random.id(8),
        tick: this.#tops.tick(),
        server: present.server ?? '',
        generation: present.generation,
        isLast,
      })
      this.#adopt(present, generation)
      return isAwaited
    } finally {
      present.isMarking = false
    }
  }

  async #leave(id: string, present: Present): Promise<void> {
    if (present.server !== undefined) await this.#mark(present, this.#parts.commands.shard(id), true)
  }

  /** Whether there is anything to compare a server with. */
  #hasMemory(present: Present): boolean {
    return present.marks.isMember || this.#tops.size > 0
  }

  #presentIn(shard: Shard): Present {
    const place = this.#placeIn(shard)
    const known = this.#shards.get(shard.id)
    if (known?.place === place) return known
    const name = String(place)
    const { keys, limits } = this.#parts
    const own = (part: string): string => keys.own(part, name)
    const markKeys = { marks: own('marks'), members: own('marking'), tags: own('tags'), muster: own('muster') }
    const marks = new ShardMarks(markKeys, this.#who, limits)
    const generation = known?.generation ?? ''
    const server = { server: undefined, knows: known?.knows }
    const present: Present = { place, marks, ...server, generation, isMarking: false, isAttending: false }
    this.#shards.set(shard.id, present)
    return present
  }

  /** All nodes that know the same shards find the same place: the first number whose keys land there. */
  #placeIn(shard: Shard): number {
    for (let place = 0; place < PLACE_TRIES; place += 1)
      if (this.#parts.topology.shardOf(this.#parts.keys.own('marks', String(place)))?.id === shard.id) return place
    throw new EngineUnavailableError(`the shard ${shard.id} holds no part of the key space`)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(ms, resolve)
    })
  }
}

/** As the scripts do it: of one length, growing also when one was lost. */
function nextGeneration(generation: string, now: number): string {
  return String(Math.max(now, Number(generation) + 1)).padStart(16, '0')
}
