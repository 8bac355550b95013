import type { Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { type Logger, errorFields } from '../../telemetry/log.js'
import type {
  Engine,
  LogPage,
  LogTop,
  PublishOutcome,
  PublishRequest,
  ReadRange,
  Receiver,
  Retention,
  Signal,
  Stream,
  StreamState,
} from '../engine.js'
import { type Announcement, tell } from './announcement.js'
import { ANNOUNCEMENT_LIMITS } from './announcement-link.js'
import { Announcements } from './announcements.js'
import { ClusterTopology } from './cluster-topology.js'
import { type Connector, DriverConnector, loadDriver } from './connector.js'
import { RedisControl } from './control.js'
import { RedisCounters } from './counters.js'
import { Holdings } from './holdings.js'
import { RedisIndexes } from './indexes.js'
import { JANITOR_LIMITS, Janitor } from './janitor.js'
import { Keys } from './keys.js'
import { RedisLeases } from './leases.js'
import { Logs } from './logs.js'
import { RedisMembers } from './members.js'
import { MUSTER_LIMITS, Muster } from './muster.js'
import { RedisNodes } from './nodes.js'
import { RedisRates } from './rates.js'
import { RedisRecords } from './records.js'
import { type RedisEngineOptions, type ResolvedRedisOptions, resolveRedisOptions } from './redis-options.js'
import { RedisRegisters } from './registers.js'
import { RedisReports } from './reports.js'
import { SCRIPTS } from './scripts/all.js'
import { Seeds } from './seeds.js'
import { SentinelTopology } from './sentinel-topology.js'
import {
  type Protection,
  type ServerFacts,
  UnfitServerError,
  examine,
  loadScripts,
  warnOf,
  warnOfExposure,
} from './server-check.js'
import type { Commands, Shard, Topology } from './shard.js'
import { ShardLinks } from './shard-links.js'
import { SingleTopology } from './single-topology.js'

/** What the engine needs of the node. */
export interface RedisEngineParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** How long a start waits for announcements to arrive, once commands are answered. */
const HEARD_WITHIN_MS = 3_000

/** State that many nodes share, in Redis 7 or newer, or Valkey: one server, a set that Sentinel watches, or a Cluster. */
export class RedisEngine implements Engine {
  readonly name = 'redis'
  readonly canDiverge = true
  readonly records: RedisRecords
  readonly leases: RedisLeases
  readonly counters: RedisCounters
  readonly members: RedisMembers
  readonly rates: RedisRates
  readonly registers: RedisRegisters
  readonly indexes: RedisIndexes
  readonly reports: RedisReports
  readonly nodes: RedisNodes
  readonly control: RedisControl
  readonly #clock: Clock
  readonly #log: Logger
  readonly #keys: Keys
  readonly #links: ShardLinks
  readonly #announcements: Announcements
  readonly #logs: Logs
  readonly #muster: Muster
  readonly #janitor: Janitor
  readonly #facts = new Map<string, ServerFacts>()
  readonly #listeners = new Set<(problem: string | undefined) => void>()
  #told: string | undefined = 'the engine was not started'
  readonly #protection: Protection
  #isClosed = false
  #foreignEntries = 0
  #giveUp: (error: Error) => void = () => {}

  /** @throws Error that names the option that is wrong. */
  constructor(options: RedisEngineOptions, parts: RedisEngineParts) {
    const resolved = resolveRedisOptions(options)
    const { clock, random, log } = parts
    const connector = connectorOf(resolved, clock)
    const topology = topologyOf(resolved, connector, clock)
    this.#clock = clock
    this.#log = log
    this.#protection = { hasPassword: resolved.password !== undefined, isEncrypted: resolved.tls !== false }
    this.#keys = new Keys(resolved.prefix, resolved.clusterId)
    const common = { connector, clock, random, log, changed: () => this.#changed() }
    this.#links = new ShardLinks(topology, {
      ...common,
      limits: {
        commandTimeoutMs: resolved.commandTimeoutMs,
        inFlightMax: resolved.commandsInFlightMax,
        inFlightCharactersMax: resolved.charactersInFlightMax,
      },
      greet: (shard, line) => this.#greet(shard, line),
      arrived: (shard) => this.#announcements.doubt(shard),
      left: (shard) => this.#left(shard),
    })
    const shared = { commands: this.#links, keys: this.#keys, random }
    this.#announcements = new Announcements({
      ...common,
      ...shared,
      topology,
      limits: { ...ANNOUNCEMENT_LIMITS, confirmMs: resolved.commandTimeoutMs, probeMs: resolved.probeMs },
      isCluster: resolved.mode === 'cluster',
    })
    this.#muster = new Muster({
      ...common,
      ...shared,
      topology,
      limits: { ...MUSTER_LIMITS, musterMs: resolved.musterMs },
      isCluster: resolved.mode === 'cluster',
    })
    const holdings = new Holdings(this.#links, this.#keys)
    this.#logs = new Logs({
      ...shared,
      tops: this.#muster,
      foreign: (stream, offsets) => this.#foreign(stream, offsets),
    })
    this.records = new RedisRecords(this.#links, this.#keys)
    this.leases = new RedisLeases(this.#links, this.#keys)
    this.counters = new RedisCounters(this.#links, this.#keys, holdings)
    this.members = new RedisMembers(this.#links, this.#keys, holdings)
    this.rates = new RedisRates(this.#links, this.#keys)
    this.registers = new RedisRegisters(this.#links, this.#keys)
    this.indexes = new RedisIndexes(this.#links, this.#keys)
    this.reports = new RedisReports({ ...common, ...shared, topology, answerMs: resolved.commandTimeoutMs })
    this.nodes = new RedisNodes({ ...shared, holdings, losses: () => this.#muster.losses })
    this.#janitor = new Janitor({ ...common, ...shared, topology, leases: this.leases, limits: JANITOR_LIMITS })
    this.control = new RedisControl(this.#announcements, this.#links, this.#keys)
  }

  async start(): Promise<void> {
    await loadDriver()
    const unfit = new Promise<never>((_resolve, reject) => {
      this.#giveUp = reject
    })
    try {
      await Promise.race([this.#begin(), unfit])
    } catch (error) {
      await this.close()
      throw error
    } finally {
      this.#giveUp = () => {}
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.reports.close()
    this.#announcements.close()
    await Promise.all([this.#janitor.close(), this.#muster.close()])
    this.#links.close()
    this.#listeners.clear()
  }

  problem(): string | undefined {
    return this.#isClosed ? 'the engine is closed' : (this.#links.problem() ?? this.#announcements.problem())
  }

  watch(listener: (problem: string | undefined) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  lifetimesGiven(): number {
    return this.#janitor.given
  }

  /** What the servers that were reached say of themselves, by shard. */
  describe(): ReadonlyMap<string, ServerFacts> {
    return this.#facts
  }

  publish(request: PublishRequest): Promise<PublishOutcome> {
    return this.#logs.publish(request)
  }

  announce(stream: Stream, signal: Signal): Promise<void> {
    return this.#logs.announce(stream, signal)
  }

  async listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>> {
    const { name, live } = this.#keys.stream(stream)
    const end = await this.#announcements.listen(live, {
      hear: (announcement) => {
        this.#note(name, announcement)
        tell(receiver, announcement)
      },
      uncertain: () => receiver.uncertain(),
    })
    return async () => end()
  }

  read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    return this.#logs.read(stream, retention, range)
  }

  tops(logs: readonly { readonly stream: Stream; readonly retention: Retention }[]): Promise<readonly LogTop[]> {
    return this.#logs.tops(logs)
  }

  state(stream: Stream): Promise<StreamState | undefined> {
    return this.#logs.state(stream)
  }

  rotate(stream: Stream, epoch: string): Promise<string> {
    return this.#logs.rotate(stream, epoch)
  }

  // Announcements second: each link proves that it hears by what it is sent over the other.
  async #begin(): Promise<void> {
    await this.#links.start()
    if (this.#isClosed) return
    this.#muster.start()
    this.#janitor.start()
    this.#announcements.start()
    if (this.#links.problem() !== undefined) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(HEARD_WITHIN_MS, resolve)
      void this.#announcements.tried().then(() => {
        cancel()
        resolve()
      })
    })
  }

  /** What this node was told of a log it can hold against a server that tells otherwise. */
  #note(name: string, announcement: Announcement): void {
    if (announcement.kind === 'rotated') this.#muster.rotated(name, announcement.epoch)
    if (announcement.kind !== 'message' || announcement.message.offset === undefined) return
    const { offset, id } = announcement.message
    this.#muster.acknowledged(name, { epoch: announcement.epoch, offset, id })
  }

  /** The first of them, the tenth, the hundredth: whoever reads a log again meets them again. */
  #foreign({ tenant, channel }: Stream, offsets: readonly number[]): void {
    const before = this.#foreignEntries
    this.#foreignEntries += offsets.length
    if (String(before).length === String(this.#foreignEntries).length && before > 0) return
    const fields = { event: 'engine.poisoned', tenant, channel, offset: offsets[0], count: this.#foreignEntries }
    this.#log.warn(fields, 'a log holds what is no message of holdfast; readers are told of a gap')
  }

  async #greet(shard: Shard, line: Commands): Promise<void> {
    try {
      const facts = await examine(shard, line)
      if (!this.#facts.has(shard.id)) {
        warnOf(facts, shard, this.#log)
        warnOfExposure(shard, this.#protection, this.#log)
      }
      this.#facts.set(shard.id, facts)
    } catch (error) {
      if (error instanceof UnfitServerError) this.#giveUp(error)
      throw error
    }
    await loadScripts(line, SCRIPTS)
    await this.#muster.arrived(shard, line)
  }

  #left(shard: Shard): void {
    this.#muster.left(shard)
    this.#announcements.doubt(shard)
  }

  #changed(): void {
    const problem = this.problem()
    if (problem === this.#told || this.#isClosed) return
    this.#told = problem
    for (const listener of this.#listeners) {
      try {
        listener(problem)
      } catch (error) {
        this.#log.error(errorFields(error), 'a watcher of the engine failed')
      }
    }
  }
}

function connectorOf(options: ResolvedRedisOptions, clock: Clock): Connector {
  const { username, password, database, tls, connectTimeoutMs } = options
  return new DriverConnector({ username, password, database, tls, connectTimeoutMs }, clock)
}

function topologyOf(options: ResolvedRedisOptions, connector: Connector, clock: Clock): Topology {
  const { mode, servers, sentinel, tls, connectTimeoutMs } = options
  const [first] = servers
  if (mode === 'cluster') return new ClusterTopology(new Seeds(servers, connector, clock))
  if (mode === 'single' && first !== undefined) return new SingleTopology(first)
  const toSentinels = new DriverConnector({ ...sentinel, tls, connectTimeoutMs }, clock)
  return new SentinelTopology(new Seeds(servers, toSentinels, clock), options.master)
}
