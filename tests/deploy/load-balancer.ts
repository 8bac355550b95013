import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from '../cluster/kit/free-port.js'
import { type Guard, guard } from '../cluster/kit/guard.js'
import { eventually, within } from '../kit/deadline.js'
import { ROOT } from '../source-tree.js'

/** How a test changes a file that we ship: its addresses, and how long a connection may be silent. */
export interface LoadBalancerSettings {
  /** Ports of the two nodes. */
  readonly nodes: readonly [number, number]
  /** Default: as shipped. */
  readonly idleTimeoutMs?: number
}

/** A program with everything it needs to run, made from a file that we ship. */
interface Recipe {
  readonly program: string
  readonly args: readonly string[]
  /** What makes it check its configuration and end. */
  readonly checkArgs: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where it writes who asked for what; undefined: to its output. */
  readonly accessLog?: string
}

/** Makes a recipe in a folder of its own. */
export type Shipped = (folder: string, port: number, settings: LoadBalancerSettings) => Recipe

const START_TRIES = 5

/** A load balancer in front of two nodes, as we ship it. */
export class LoadBalancer {
  readonly port: number
  readonly url: string
  readonly #folder: string
  readonly #recipe: Recipe
  readonly #process: ChildProcess
  readonly #guard: Guard
  #output = ''

  private constructor(folder: string, port: number, recipe: Recipe) {
    this.port = port
    this.url = `ws://127.0.0.1:${port}/ws`
    this.#folder = folder
    this.#recipe = recipe
    this.#process = spawn(find(recipe.program), recipe.args, { env: recipe.env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#guard = guard(this.#process.pid ?? 0, folder)
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => void (this.#output += text))
    }
  }

  /** Starts one and waits until it takes connections. */
  static async start(shipped: Shipped, settings: LoadBalancerSettings): Promise<LoadBalancer> {
    for (let tries = 1; ; tries += 1) {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-balancer-'))
      const port = await freePort()
      const balancer = new LoadBalancer(folder, port, shipped(folder, port, settings))
      try {
        await eventually('the load balancer listens', () => balancer.#listens(), 5_000)
        return balancer
      } catch (error) {
        await balancer.stop()
        if (tries === START_TRIES) throw error
      }
    }
  }

  /** Has the program check what we ship. Resolves with its exit code and what it said. */
  static async check(shipped: Shipped): Promise<{ code: number; said: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-balancer-'))
    const { program, checkArgs, env } = shipped(folder, 8080, { nodes: [8001, 8002] })
    const child = spawn(find(program), checkArgs, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => void (said += text))
    }
    const [code] = (await within('the check ends', once(child, 'close'))) as [number]
    rmSync(folder, { recursive: true, force: true })
    return { code, said }
  }

  /** What it has written about the requests that it passed on. */
  accessLog(): string {
    const { accessLog } = this.#recipe
    return accessLog === undefined ? this.#output : readFileSync(accessLog, 'utf8')
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    this.#guard.release()
    const isRunning = this.#process.exitCode === null && this.#process.signalCode === null
    const gone = isRunning ? once(this.#process, 'exit') : undefined
    // Both end their own processes on it.
    this.#process.kill('SIGTERM')
    if (gone) await within('the load balancer is gone', gone)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #listens(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`the load balancer ended: ${this.#output}`)
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1')
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  }
}

/** `deploy/haproxy/haproxy.cfg` as it is; what differs is said in the environment, as its first lines explain. */
export const haproxy: Shipped = (_folder, port, { nodes, idleTimeoutMs }) => {
  const file = join(ROOT, 'deploy', 'haproxy', 'haproxy.cfg')
  return {
    program: 'haproxy',
    args: ['-db', '-f', file],
    checkArgs: ['-c', '-f', file],
    env: {
      HOLDFAST_BIND: `127.0.0.1:${port}`,
      HOLDFAST_NODE_1: `127.0.0.1:${nodes[0]}`,
      HOLDFAST_NODE_2: `127.0.0.1:${nodes[1]}`,
      ...(idleTimeoutMs !== undefined && { HOLDFAST_IDLE_TIMEOUT: `${idleTimeoutMs}ms` }),
    },
  }
}

/** `deploy/nginx/holdfast.conf` with its lines marked CHANGE changed, included by a file that nginx needs around it. */
export const nginx: Shipped = (folder, port, { nodes, idleTimeoutMs }) => {
  const accessLog = join(folder, 'access.log')
  const shipped = readFileSync(join(ROOT, 'deploy', 'nginx', 'holdfast.conf'), 'utf8')
  const changed = shipped
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replace('holdfast-1:8000', `127.0.0.1:${nodes[0]}`)
    .replace('holdfast-2:8000', `127.0.0.1:${nodes[1]}`)
    .replace('/var/log/nginx/holdfast.log', accessLog)
    .replace(/(proxy_(?:read|send)_timeout) 90s/g, idleTimeoutMs === undefined ? '$1 90s' : `$1 ${idleTimeoutMs}ms`)
  writeFileSync(join(folder, 'holdfast.conf'), changed)
  const main = join(folder, 'nginx.conf')
  writeFileSync(main, nginxMain(folder))
  const args = ['-p', folder, '-e', 'stderr', '-c', main]
  return { program: 'nginx', args, checkArgs: [...args, '-t'], env: {}, accessLog }
}

function nginxMain(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  )
  return [
    // Who starts it as root would else have it write as somebody who may not enter the folder.
    process.getuid?.() === 0 ? 'user root;' : '',
    'daemon off;',
    'worker_processes 1;',
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr warn;',
    'events { worker_connections 8192; }',
    'http {',
    ...temporary,
    `include ${join(folder, 'holdfast.conf')};`,
    '}',
  ].join('\n')
}

/** Servers stand in sbin, which is not on everybody's search path. */
function find(program: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const folder = folders.find((one) => one !== '' && existsSync(join(one, program)))
  if (folder === undefined)
    throw new Error(`these tests start ${program}, which is not installed; install it with: apt-get install ${program}`)
  return join(folder, program)
}
