import { type ChildProcess, type SpawnOptions, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Client } from 'pg'

const READY_MS_MAX = 30_000
const USER = 'planner'

/** A real PostgreSQL of a test's own: a free port, a folder of its own, and ways to end it. */
export class PostgresServer {
  readonly folder: string
  readonly port: number
  readonly #bin: string
  readonly #owner: Owner | undefined
  #process?: ChildProcess
  #places = 0

  private constructor(port: number) {
    this.port = port
    this.#bin = binaries()
    this.#owner = unprivileged()
    this.folder = mkdtempSync(join(tmpdir(), 'fill-scheduler-postgres-'))
    if (this.#owner !== undefined) chownSync(this.folder, this.#owner.uid, this.#owner.gid)
  }

  /** Makes a new cluster and starts it. */
  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort())
    try {
      await server.#initialise()
      await server.begin()
      return server
    } catch (error) {
      await server.end()
      throw error
    }
  }

  /** A certificate for 127.0.0.1 that it shows to who asks for TLS, signed by itself. */
  get certificate(): string {
    return join(this.folder, 'server.crt')
  }

  /** The address of a database. */
  url(database: string = 'postgres'): string {
    return `postgres://${USER}@127.0.0.1:${this.port}/${database}`
  }

  /** The address of a new, empty place for tables: a schema of its own. */
  async newPlace(): Promise<string> {
    this.#places += 1
    const name = `test_${this.#places}`
    await this.query(`create schema ${name}`)
    return `${this.url()}?options=${encodeURIComponent(`-c search_path=${name}`)}`
  }

  /** Asks something over a connection of its own. */
  async query(sql: string, url: string = this.url()): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }

  async #initialise(): Promise<void> {
    const words = ['-D', this.folder, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
    const [code] = (await once(this.#run('initdb', words), 'exit')) as [number]
    if (code !== 0) throw new Error(`initdb ended with ${code}`)
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'server.key']
    const names = ['-subj', '/CN=planner', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = spawn('openssl', ['req', '-x509', ...key, ...names, '-days', '1', '-out', 'server.crt'], this.#options)
    await once(made, 'exit')
  }

  /** Starts it, or starts it again on what it had, and waits until it answers. */
  async begin(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'ssl=on', 'fsync=off']
    const words = settings.flatMap((setting) => ['-c', setting])
    const child = this.#run('postgres', ['-D', this.folder, '-p', String(this.port), ...words])
    this.#process = child
    const deadline = performance.now() + READY_MS_MAX
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}`)
      if (performance.now() > deadline) throw new Error(`PostgreSQL did not answer within ${READY_MS_MAX} ms`)
    }
  }

  #answers(): Promise<boolean> {
    return this.query('select 1').then(
      () => true,
      () => false,
    )
  }

  #run(program: string, words: readonly string[]): ChildProcess {
    return spawn(join(this.#bin, program), words, this.#options)
  }

  get #options(): SpawnOptions {
    return { ...this.#owner, cwd: this.folder, stdio: 'ignore' }
  }

  /** Ends it at once: transactions that were under way are undone, connections break. */
  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // "Fast" shutdown in the words of PostgreSQL.
    child.kill('SIGINT')
    await ended
  }

  /** Ends it, and removes everything of it. */
  async end(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL does not run as root: then it is the user that Debian's package makes for it. */
function unprivileged(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** The folder of `initdb` and `postgres`: on the search path, or the newest of Debian's, which are not. */
function binaries(): string {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  const found = folders.find((folder) => folder !== '' && existsSync(join(folder, 'initdb')))
  if (found === undefined)
    throw new Error(
      'these tests start their own PostgreSQL, which is not installed; install it with: node scripts/prepare.mjs test',
    )
  return found
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
