import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../source-tree.js'
import { eventually, within } from './deadline.js'

/** The command as a user runs it. */
const COMMAND = join(ROOT, 'packages', 'standalone', 'bin', 'holdfast.js')

/** The secret of every server that a test starts. */
export const SECRET = 'N3v4w0kqk8W1xgT5yQmZr7uB2dF9hJ6s'

/** One line of the server's log. */
export interface LogLine {
  readonly time: string
  readonly event?: string
  readonly [field: string]: unknown
}

/** `holdfast serve` as a process of its own. */
export class ServerProcess {
  readonly port: number
  readonly url: string
  /** What it has logged. */
  readonly log: LogLine[] = []
  readonly #process: ChildProcess
  readonly #folder: string
  #unread = ''

  private constructor(port: number, settings: object) {
    this.port = port
    this.url = `ws://127.0.0.1:${port}/ws`
    this.#folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    const file = join(this.#folder, 'settings.yaml')
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ log: { level: 'warn', format: 'json' }, ...settings }))
    const args = [COMMAND, 'serve', '--port', String(port), '--no-demo', '--config', file]
    this.#process = spawn(process.execPath, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process.stdout?.resume()
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
  }

  /** Starts a server with these settings (as in its configuration file) and waits until it is ready. */
  static async start(settings: object = {}, port?: number): Promise<ServerProcess> {
    const server = new ServerProcess(port ?? (await freePort()), settings)
    try {
      await eventually('the server is ready', () => server.#isReady(), 60_000)
    } catch (error) {
      await server.kill()
      throw error
    }
    return server
  }

  /** Whether the process runs. */
  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** Bytes of memory that the process holds now, from the system. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  /** How many files and sockets the process has open now. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length
  }

  /** Asks the process to end, as a deploy does. Resolves with its exit code. */
  async terminate(withinMs: number = 60_000): Promise<number | null> {
    const gone = once(this.#process, 'exit') as Promise<[number | null]>
    this.#process.kill('SIGTERM')
    const [code] = await within('the process has ended', gone, withinMs)
    return code
  }

  /** Ends the process at once, as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    const gone = this.isRunning ? once(this.#process, 'exit') : undefined
    this.#process.kill('SIGKILL')
    if (gone) await within('the process is gone', gone)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #isReady(): Promise<boolean> {
    if (!this.isRunning) throw new Error(`the server ended: ${this.#unread} ${JSON.stringify(this.log)}`)
    const answer = await fetch(`http://127.0.0.1:${this.port}/health/ready`).catch(() => undefined)
    return answer?.ok ?? false
  }

  #take(text: string): void {
    const lines = (this.#unread + text).split('\n')
    this.#unread = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine)
      else process.stderr.write(`${line}\n`)
    }
  }
}

/** Runs the command to its end and answers what it printed. Throws when it fails. */
export async function runCommand(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...args], { env: environment() })
  return stdout
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOLDFAST_SECRET: SECRET }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
