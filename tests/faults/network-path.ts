import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebSocketConstructor } from '@holdfast/client'
import { WebSocket } from 'ws'
import { freePort } from '../cluster/kit/free-port.js'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, within } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { ROOT } from '../source-tree.js'

/** What is lost on the way: to the server, from it, or both. */
export type Lost = 'up' | 'down' | 'both'

/** A server, and two ways to it: one that a test can break, and one for whoever watches. */
export interface NetworkPath {
  /** For the client that suffers. */
  readonly url: string
  readonly WebSocket: WebSocketConstructor
  /** For those that do not. */
  readonly otherUrl: string
  readonly OtherWebSocket: WebSocketConstructor
  /** From now on what is sent this way vanishes; connections stay, and nobody is told. */
  lose(what: Lost): void
  heal(): void
  close(): Promise<void>
}

/** A path through a network of its own where the system lets us make one (Linux, root), else through a proxy that swallows. */
export async function openPath(settings: object): Promise<NetworkPath> {
  return mayMakeNetworks() ? NamespacePath.open(settings) : ProxiedPath.open(settings)
}

function mayMakeNetworks(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    const name = `hf${randomInt(1e9)}`
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return true
  } catch {
    return false
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

/**
 * A server in a network namespace at the end of a cable. Either side has two addresses, one for each path: a route into nowhere at one
 * end swallows what is sent to one address, without a word and in one direction.
 */
class NamespacePath implements NetworkPath {
  readonly url: string
  readonly otherUrl: string
  readonly WebSocket: WebSocketConstructor
  readonly OtherWebSocket: WebSocketConstructor
  readonly #name: string
  readonly #server: Server
  readonly #subnet: string
  #lost: string[][] = []

  private constructor(name: string, subnet: string, server: Server, port: number) {
    this.#name = name
    this.#subnet = subnet
    this.#server = server
    this.url = `ws://${subnet}.11:${port}/ws`
    this.otherUrl = `ws://${subnet}.12:${port}/ws`
    this.WebSocket = webSocketFrom(`${subnet}.1`)
    this.OtherWebSocket = webSocketFrom(`${subnet}.2`)
  }

  static async open(settings: object): Promise<NamespacePath> {
    const name = `hf${randomInt(1e9)}`
    const subnet = `10.${randomInt(64, 250)}.${randomInt(1, 250)}`
    const inside = ['netns', 'exec', name]
    ip('netns', 'add', name)
    try {
      ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name)
      for (const host of [1, 2]) ip('addr', 'add', `${subnet}.${host}/24`, 'dev', `${name}a`)
      for (const host of [11, 12]) ip(...inside, 'ip', 'addr', 'add', `${subnet}.${host}/24`, 'dev', `${name}b`)
      ip('link', 'set', `${name}a`, 'up')
      ip(...inside, 'ip', 'link', 'set', `${name}b`, 'up')
      const server = await Server.start(settings, 8000, `${subnet}.12`, ['ip', ...inside])
      return new NamespacePath(name, subnet, server, 8000)
    } catch (error) {
      ip('netns', 'del', name)
      throw error
    }
  }

  lose(what: Lost): void {
    const up = ['route', 'add', 'blackhole', `${this.#subnet}.11/32`]
    const down = ['netns', 'exec', this.#name, 'ip', 'route', 'add', 'blackhole', `${this.#subnet}.1/32`]
    this.#lost = what === 'both' ? [up, down] : [what === 'up' ? up : down]
    for (const route of this.#lost) ip(...route)
  }

  heal(): void {
    for (const route of this.#lost.splice(0)) ip(...route.map((word) => (word === 'add' ? 'del' : word)))
  }

  async close(): Promise<void> {
    this.heal()
    await this.#server.end()
    // The cable goes with one of its ends.
    ip('netns', 'del', this.#name)
  }
}

/** A server of this machine behind a proxy. */
class ProxiedPath implements NetworkPath {
  readonly url: string
  readonly otherUrl: string
  readonly WebSocket: WebSocketConstructor = WebSocket
  readonly OtherWebSocket: WebSocketConstructor = WebSocket
  readonly #server: Server
  readonly #proxy: ChaosProxy

  private constructor(server: Server, port: number, proxy: ChaosProxy) {
    this.#server = server
    this.#proxy = proxy
    this.url = `ws://127.0.0.1:${proxy.port}/ws`
    this.otherUrl = `ws://127.0.0.1:${port}/ws`
  }

  static async open(settings: object): Promise<ProxiedPath> {
    const port = await freePort()
    const server = await Server.start(settings, port, '127.0.0.1', [])
    return new ProxiedPath(server, port, await ChaosProxy.start(port))
  }

  lose(what: Lost): void {
    this.#proxy.sink(what === 'both' ? undefined : what)
  }

  heal(): void {
    this.#proxy.heal()
  }

  async close(): Promise<void> {
    await this.#proxy.close()
    await this.#server.end()
  }
}

/** `holdfast serve`, started by another command. */
class Server {
  readonly #process: ChildProcess
  readonly #folder: string

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process
    this.#folder = folder
  }

  static async start(settings: object, port: number, host: string, prefix: readonly string[]): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    const file = join(folder, 'settings.yaml')
    writeFileSync(file, JSON.stringify({ log: { level: 'error' }, ...settings }))
    const holdfast = join(ROOT, 'packages', 'standalone', 'bin', 'holdfast.js')
    const serve = ['serve', '--host', '0.0.0.0', '--port', String(port), '--no-demo', '--config', file]
    const [command = '', ...args] = [...prefix, process.execPath, holdfast, ...serve]
    const environment = { PATH: process.env['PATH'], HOLDFAST_SECRET: SECRET }
    const server = new Server(
      spawn(command, args, { env: environment, stdio: ['ignore', 'ignore', 'inherit'] }),
      folder,
    )
    const isReady = async (): Promise<boolean> => {
      if (server.#process.exitCode !== null) throw new Error('the server ended')
      const answer = await fetch(`http://${host}:${port}/health/ready`).catch(() => undefined)
      return answer?.ok ?? false
    }
    await eventually('the server is ready', isReady, 20_000).catch(async (error: unknown) => {
      await server.end()
      throw error
    })
    return server
  }

  async end(): Promise<void> {
    const gone = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined
    this.#process.kill('SIGKILL')
    if (gone) await within('the server is gone', gone)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A WebSocket whose connections come from this address. */
function webSocketFrom(localAddress: string): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { localAddress })
    }
  }
}
