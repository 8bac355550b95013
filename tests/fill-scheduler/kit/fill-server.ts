import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServerOptions } from '../../../apps/fill-scheduler/src/api/server.js'
import { within } from '../../kit/deadline.js'
import { FillClient } from './fill-client.js'

const PROGRAM = fileURLToPath(new URL('server-program.mjs', import.meta.url))
const SECRET = 'pL7qY2vT9mX4wZ8kC1nB6jR3fH5sD0gA'
const START_MS = 60_000

/** What can be said to a server that is started. */
export type TestOptions = Partial<Omit<ServerOptions, 'clock' | 'log'>>

/** A server of the fill scheduler as it runs for users: a process of its own, on a port that was free, in a folder of its own. */
export class FillServer {
  readonly url: string
  readonly signInUrl: string | undefined
  readonly folder: string
  /** What it complained of. */
  readonly log: readonly string[]
  readonly #process: ChildProcess
  #users = 0

  private constructor(place: Pick<FillServer, 'url' | 'signInUrl' | 'folder' | 'log'>, child: ChildProcess) {
    this.url = place.url
    this.signInUrl = place.signInUrl
    this.folder = place.folder
    this.log = place.log
    this.#process = child
  }

  /** Starts one; with the `folder` of another it goes on with what that one left. Passwords cost next to nothing. */
  static async start(options: TestOptions = {}, folder?: string): Promise<FillServer> {
    const dataDir = folder ?? (await mkdtemp(join(tmpdir(), 'fill-test-')))
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ ...testOptions(dataDir), ...options })], {
      // The program ends when its input does, also where the test was killed.
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const log: string[] = []
    createInterface(child.stderr).on('line', (line) => void log.push(line))
    const started = once(createInterface(child.stdout), 'line') as Promise<[string]>
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`the server ended early: ${log.join('\n')}`)))
    try {
      const [line] = await within('the server has started', Promise.race([started, ended]), START_MS)
      const { url, signInUrl } = JSON.parse(line) as { readonly url: string; readonly signInUrl?: string }
      return new FillServer({ url, signInUrl, folder: dataDir, log }, child)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** A client of a new account. */
  async user(): Promise<FillClient> {
    this.#users += 1
    const client = new FillClient(this.url)
    await client.register(`user${this.#users}@example.com`, 'a good password')
    return client
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks it to end, as a deploy does. Its folder stays. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends it and removes its folder. */
  async close(): Promise<void> {
    await this.kill()
    await rm(this.folder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill(signal)
    await within('the server has ended', gone)
  }
}

function testOptions(dataDir: string): TestOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    dataDir,
    secret: SECRET,
    environment: 'development',
    passwordCost: { logN: 4, r: 8, p: 1 },
    runLeaseMs: 2_000,
  }
}
