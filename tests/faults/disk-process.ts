import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { eventually, within } from '../kit/deadline.js'
import { ROOT } from '../source-tree.js'

/** What the process says, one at a time. */
export interface Said {
  readonly ready?: true
  readonly refused?: string
  /** The engine's problem; null when it has none any more. */
  readonly problem?: string | null
  readonly logged?: string
  /** A publish that was acknowledged: number, epoch, offset, id. */
  readonly acked?: readonly [number, string, number, string]
  readonly rejected?: string
  /** The version of a record that was written. */
  readonly put?: number
  readonly read?: { readonly epoch: string; readonly top: number; readonly data: readonly string[] }
  readonly delayMs?: number
}

/** What it may be told to do. */
export type Told =
  | {
      readonly do: 'publish'
      readonly from: number
      readonly to: number
      readonly publishers: number
      readonly bytes?: number
    }
  | { readonly do: 'put' | 'read' | 'watchDelay' | 'tellDelay' | 'close' }

/** The built engine without the server around it: a process that is there for a moment only starts four times as fast. */
const ENGINE = join(ROOT, 'packages', 'server', 'dist', 'engine', 'disk', 'disk-engine.js')

/** An engine and what it is told to do. What is written to a pipe is written before the next statement runs: what was said survives a kill. */
const PROGRAM = `
  import { monitorEventLoopDelay } from 'node:perf_hooks'
  import { createInterface } from 'node:readline'
  import { DiskEngine } from '${pathToFileURL(ENGINE).href}'

  const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n')
  const log = { debug() {}, info() {}, warn() {}, error: ({ event }) => say({ logged: event }) }
  const [dir, options] = process.argv.slice(1)
  const engine = new DiskEngine({ dir, ...JSON.parse(options) }, { log })
  engine.watch((problem) => say({ problem: problem ?? null }))
  const stream = { tenant: 't', channel: 'room:1' }
  const retention = { size: 300, ttlMs: 3600000 }
  const delay = monitorEventLoopDelay({ resolution: 1 })

  async function publish(n, bytes) {
    const data = JSON.stringify(String(n).padEnd(bytes))
    const idempotency = { scope: 'u', key: String(n) }
    const request = { stream, event: 'e', data, from: { user: 'u' }, at: '', retention, idempotency }
    await engine.publish(request).then(
      ({ epoch, offset, id }) => say({ acked: [n, epoch, offset, id] }),
      (error) => say({ rejected: error.code }),
    )
  }
  const tasks = {
    async publish({ from, to, publishers, bytes = 40 }) {
      let next = from
      const publisher = async () => {
        while (next < to) await publish(next++, bytes)
      }
      await Promise.all(Array.from({ length: publishers }, publisher))
    },
    async put() {
      for (;;) say({ put: await engine.records.put('record', 'value', { ttlMs: 3600000 }) })
    },
    async read() {
      const page = await engine.read(stream, retention, { limit: 1000, bytesMax: Infinity, keep: 'oldest' })
      say({ read: { epoch: page.epoch, top: page.top.offset, data: page.messages.map(({ data }) => data) } })
    },
    watchDelay: async () => void (delay.reset(), delay.enable()),
    tellDelay: async () => say({ delayMs: delay.percentile(99) / 1e6 }),
    close: () => engine.close().then(() => process.exit(0)),
  }
  try {
    await engine.start()
    say({ ready: true })
    createInterface(process.stdin).on('line', (line) => {
      const told = JSON.parse(line)
      void tasks[told.do](told)
    }).on('close', () => process.exit(0))
  } catch (error) {
    say({ refused: error.message })
    process.exit(1)
  }
`

/** A disk engine in a process of its own, to be killed, traced, or put on a disk that fails. */
export class DiskProcess {
  /** Everything it has said. */
  readonly said: Said[] = []
  readonly #process: ChildProcess

  /** `around` is a command that gets the program as its further arguments. */
  constructor(dir: string, options: object = {}, around: readonly string[] = []) {
    const program = [process.execPath, '--input-type=module', '-e', PROGRAM, '--', dir, JSON.stringify(options)]
    const [command = '', ...parts] = [...around, ...program]
    // A group of its own, so that what stands around it ends with it.
    this.#process = spawn(command, parts, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'], detached: true })
    this.#process.stdin?.on('error', () => undefined)
    if (this.#process.stdout === null) throw new Error('the process has no output')
    createInterface(this.#process.stdout).on('line', (line) => this.said.push(JSON.parse(line) as Said))
  }

  tell(task: Told): void {
    this.#process.stdin?.write(`${JSON.stringify(task)}\n`)
  }

  /** The first thing it says, now or later, from place `from` in `said` on, of which `test` answers something. */
  hears<T>(what: string, test: (said: Said) => T | undefined, from: number = 0): Promise<T> {
    return eventually(
      what,
      () =>
        this.said
          .slice(from)
          .map(test)
          .find((found) => found !== undefined),
      20_000,
    )
  }

  async ready(): Promise<void> {
    const said = await this.hears('the engine is ready', ({ ready, refused }) => ready ?? refused)
    if (said !== true) throw new Error(said)
  }

  /** Tells it something and waits for what it says of it. */
  async ask<T>(task: Told, test: (said: Said) => T | undefined): Promise<T> {
    const from = this.said.length
    this.tell(task)
    return this.hears(task.do, test, from)
  }

  /** Removes a file where the process sees it, which may be nowhere else. */
  free(path: string): void {
    rmSync(`/proc/${this.#process.pid}/root${path}`)
  }

  /** Ends the process at once, as `kill -9` does; what it said before is in `said` then. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'close')
    process.kill(-(this.#process.pid ?? 0), 'SIGKILL')
    await within('the process is gone', gone)
  }
}
