import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { eventually, within } from '../../kit/deadline.js'
import { freePort } from './free-port.js'
import { type Guard, guard } from './guard.js'
import { type RedisConnection, askRedis } from './redis-connection.js'

/** Options of a server as its configuration file names them; `true` and `false` are `yes` and `no`. */
export type RedisConfig = Readonly<Record<string, string | number | boolean>>

const START_TRIES = 5
const READY_MS_MAX = 60_000

/** The binary: `HOLDFAST_REDIS_SERVER`, or `redis-server`. @throws Error with what to do about it when it is not installed. */
export function redisBinary(name: string = process.env['HOLDFAST_REDIS_SERVER'] ?? 'redis-server'): string {
  const folders = name.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  if (folders.some((folder) => existsSync(join(folder, name)))) return name
  throw new Error(`these tests start their own ${name}, which is not installed; install it with: apt-get install redis`)
}

/** A real Redis server (or Valkey) of a test's own: a free port, a folder of its own, and every way to hurt it. */
export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly password: string | undefined
  readonly #config: RedisConfig
  readonly #environment: NodeJS.ProcessEnv
  #process?: ChildProcess
  #guard?: Guard

  private constructor(port: number, config: RedisConfig, environment: NodeJS.ProcessEnv) {
    this.port = port
    this.folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
    this.password = config['requirepass'] === undefined ? undefined : String(config['requirepass'])
    this.#config = config
    this.#environment = environment
  }

  /** Starts a server and waits until it answers. Without options it keeps nothing on disk. */
  static async start(config: RedisConfig = {}, environment: NodeJS.ProcessEnv = process.env): Promise<RedisServer> {
    for (let tries = 1; ; tries += 1) {
      const server = new RedisServer(await freePort(), config, environment)
      try {
        await server.#begin()
        return server
      } catch (error) {
        await server.stop()
        if (tries === START_TRIES) throw error
      }
    }
  }

  /** The address for clients. */
  get url(): string {
    const credentials = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}@`
    return `redis://${credentials}127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null
  }

  /** Does something over a connection of its own. */
  ask<T>(question: (redis: RedisConnection) => Promise<T>): Promise<T> {
    return askRedis(this.port, question, this.password)
  }

  /** Sends one command; the reply as text. Rejects when it is an error. */
  command(...words: string[]): Promise<string> {
    return this.ask((redis) => redis.text(...words))
  }

  /** One field of `INFO`, as a number. */
  async figure(section: string, field: string): Promise<number> {
    return Number(await this.ask((redis) => redis.info(section, field)))
  }

  /** Whether it is a replica of `master` that has received everything so far. */
  async hasAllOf(master: RedisServer): Promise<boolean> {
    const wanted = await master.figure('replication', 'master_repl_offset')
    const [link, offset] = await this.ask((redis) =>
      Promise.all(['master_link_status', 'slave_repl_offset'].map((field) => redis.info('replication', field))),
    )
    return link === 'up' && Number(offset) >= wanted
  }

  /** Resolves when it answers PING, and has loaded what it had on disk. */
  async ready(): Promise<void> {
    await eventually(
      'Redis answers',
      () => {
        if (!this.isRunning) throw new Error(`Redis ended: ${this.#log()}`)
        return this.command('PING').then(
          (answer) => answer === 'PONG',
          () => false,
        )
      },
      READY_MS_MAX,
    )
  }

  /** Ends it at once, as a crash of the process would: what it had written to its files stays. */
  async kill(): Promise<void> {
    await this.#signalEnd('SIGKILL')
  }

  /** Stops it in its tracks: connections stay and nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  /** Lets it go on. */
  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Starts it again on its port, ending it first where it still runs; `empty` removes what it had on disk. */
  async restart(options: { empty?: boolean } = {}): Promise<void> {
    if (this.isRunning) await this.kill()
    if (options.empty) for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true })
    await this.#begin()
  }

  /** Ends it for good and removes its folder. */
  async stop(): Promise<void> {
    await this.#signalEnd('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #begin(): Promise<void> {
    const args = Object.entries({ ...this.#defaults(), ...this.#config }).flatMap(([name, value]) => [
      `--${name}`,
      ...wordsOf(value),
    ])
    const child = spawn(redisBinary(), args, {
      cwd: this.folder,
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#process = child
    await once(child, 'spawn')
    this.#guard = guard(this.pid, this.folder)
    await this.ready()
  }

  #defaults(): RedisConfig {
    return {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      logfile: join(this.folder, 'redis.log'),
      save: '',
      appendonly: false,
      'enable-debug-command': true,
      'repl-diskless-sync-delay': 0,
    }
  }

  async #signalEnd(signal: NodeJS.Signals): Promise<void> {
    this.#guard?.release()
    if (!this.#process || !this.isRunning) return
    const gone = once(this.#process, 'exit')
    this.#process.kill(signal)
    await within('Redis is gone', gone)
  }

  #log(): string {
    const file = join(this.folder, 'redis.log')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-5).join('\n') : 'no log'
  }
}

/** `yes` and `no` for true and false; several words, as in `replicaof HOST PORT`, stay several. */
function wordsOf(value: string | number | boolean): string[] {
  if (typeof value === 'boolean') return [value ? 'yes' : 'no']
  return value === '' ? [''] : String(value).split(' ')
}
