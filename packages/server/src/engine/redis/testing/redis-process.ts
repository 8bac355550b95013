import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The binary, unless another is named: Valkey's, say. */
const SERVER = process.env['HOLDFAST_REDIS_SERVER'] ?? 'redis-server'

/** A real redis-server of a test's own, on a free port, in a folder of its own. It keeps nothing on disk unless its options say so. */
export class RedisProcess {
  readonly port: number
  readonly #folder: string
  readonly #options: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
    this.#options = options
  }

  /** `options` as on the command line of redis-server: `'--appendonly', 'yes'`. */
  static async start(...options: string[]): Promise<RedisProcess> {
    for (;;) {
      const server = new RedisProcess(await freePort(), options)
      await server.begin()
      if (server.isRunning) return server
      await server.stop()
    }
  }

  get isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null
  }

  /** Starts it on its port, with what its folder holds; resolves when it answers. */
  async begin(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '']
    const child = spawn(SERVER, [...options, '--enable-debug-command', 'yes', ...this.#options], {
      stdio: 'ignore',
    })
    this.#process = child
    await once(child, 'spawn')
    while (this.isRunning && !(await this.command('PING').then(isPong, () => false))) await pause(10)
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined || !this.isRunning) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(name)
  }

  /** Ends it and removes what it stored. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Sends one command over a connection of its own; the raw reply, which may be an error. */
  async command(...words: string[]): Promise<string> {
    return this.commands(words)
  }

  /** Sends several at once over one connection; the raw replies up to the last that has arrived by then. */
  async commands(...commands: string[][]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      socket.write(commands.map(encoded).join(''))
      const [reply] = (await once(socket, 'data')) as [Buffer]
      return reply.toString()
    } finally {
      socket.destroy()
    }
  }
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

function isPong(reply: string): boolean {
  return reply.startsWith('+PONG')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
