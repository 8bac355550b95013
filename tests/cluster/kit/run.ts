import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { machineTime } from '../../kit/machine-time.js'
import { seedOfThisRun } from '../../kit/seeded-random.js'
import { ROOT } from '../../source-tree.js'
import { type Verdict, check, describe } from './checker/checker.js'
import { ClientProcess } from './client-process.js'
import type { Where } from './facts.js'
import { Fleet, type FleetOptions } from './fleet.js'
import { History, readHistory } from './history.js'
import { noteLogs, notePresence, readTops } from './logs-read.js'
import type { NodeOptions } from './node-questions.js'

/** What a run is set up with. */
export interface RunOptions {
  /** Names the history: `tmp/histories/NAME.jsonl`. */
  readonly name: string
  readonly redis: FleetOptions['redis']
  readonly nodes: number
  readonly options: NodeOptions
  /** Every channel that is used. */
  readonly channels: readonly Where[]
  /** Those of them that have members. */
  readonly present?: readonly Where[]
}

/** A whole run: nodes, clients, one history, and its judgement. */
export class Run {
  readonly seed: number
  readonly fleet: Fleet
  readonly clients: ClientProcess
  readonly history: History
  readonly #options: RunOptions

  private constructor(
    options: RunOptions,
    parts: { seed: number; fleet: Fleet; clients: ClientProcess; history: History },
  ) {
    this.#options = options
    this.seed = parts.seed
    this.fleet = parts.fleet
    this.clients = parts.clients
    this.history = parts.history
  }

  /** Starts the nodes and the process of the clients; nobody is connected yet. */
  static async start(options: RunOptions): Promise<Run> {
    // From now on it is known when the machine stands still.
    machineTime()
    const seed = seedOfThisRun()
    const history = new History(freshFile(options.name), 'test')
    const { nodes, redis } = options
    const fleet = await Fleet.start({ nodes, redis, history, options: options.options })
    const clients = await ClientProcess.start({ history: history.file, urls: fleet.urls, seed })
    return new Run(options, { seed, fleet, clients, history })
  }

  /** Does harm, and writes down when it began and ended. */
  async fault<T>(name: string, harm: () => Promise<T> | T): Promise<T> {
    this.history.note({ t: 'fault', name, phase: 'begin' })
    try {
      return await harm()
    } finally {
      this.history.note({ t: 'fault', name, phase: 'end' })
    }
  }

  /** Sends new connections to the nodes that run now. */
  async reroute(): Promise<void> {
    await this.clients.useNodes(this.fleet.urls)
  }

  /** Stops publishing and waits until every reader is at the top of its channel. */
  async calm(withinMs: number = 60_000): Promise<void> {
    await this.clients.stopPublishing(withinMs)
    const node = this.fleet.node(0)
    await this.clients.caughtUp(() => readTops(node, this.#options.channels), withinMs)
  }

  /** Waits for calm, writes down where everybody is and what each node reads, and judges. */
  async settle(withinMs?: number): Promise<Verdict> {
    const { channels, present = [] } = this.#options
    // What keeps a reader from coming to rest stands in the history as well.
    await this.calm(withinMs).catch((error: Error) => process.stdout.write(`${error.message}\n`))
    await this.clients.rest()
    for (const node of this.fleet.nodes) {
      await noteLogs(this.history, node, channels)
      await notePresence(this.history, node, present)
    }
    return this.judge()
  }

  /** Judges what is written so far, and prints it. */
  judge(): Verdict {
    this.history.flush()
    const verdict = check((...kinds) => readHistory(this.history.file, ...kinds))
    const { file } = this.history
    process.stdout.write(`\n${this.#options.name}, seed ${this.seed}, ${file}\n${describe(verdict)}\n`)
    return verdict
  }

  /** Ends everything; the history stays. */
  async stop(): Promise<void> {
    await this.clients.stop()
    await this.fleet.stop()
    this.history.close()
  }
}

/** An empty file for a history, in the place of that of the run before. */
export function freshFile(name: string): string {
  const folder = join(ROOT, 'tmp', 'histories')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.jsonl`)
  rmSync(file, { force: true })
  return file
}
