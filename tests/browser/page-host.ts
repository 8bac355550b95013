import { type Server, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Holdfast, type HoldfastOptions, createHoldfast, signToken } from '@holdfast/server'
import type { Page } from 'playwright-core'
import { type Rolldown, build } from 'vite'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'
const TENANT = 'acme'

/** Something that is served as it is. */
export interface ServedFile {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** A node with a page in front of it. */
export interface PageHost {
  readonly url: string
  readonly holdfast: Holdfast
  /** What the application may do for the tenant of the page. */
  readonly tenant: ReturnType<Holdfast['tenant']>
  /** More that it serves, by path. */
  readonly files: Map<string, ServedFile>
  /** Ends every socket, as a broken network does; what comes afterwards is let in again. */
  cut(): void
  /** Lets nobody in until it is called with false. */
  refuse(refused: boolean): void
  close(): Promise<void>
}

/** Builds a page from the packages' sources, with React as in development, where its strict mode begins and ends every effect twice. */
export async function buildPage(entry: string): Promise<string> {
  const built = await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    mode: 'development',
    define: { 'process.env.NODE_ENV': '"development"' },
    resolve: { conditions: ['@holdfast/source', 'browser', 'import', 'default'] },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: fileURLToPath(new URL(entry, import.meta.url)), output: { format: 'es' } },
    },
  })
  const { output } = (Array.isArray(built) ? built[0] : built) as Rolldown.RolldownOutput
  return output.map((part) => (part.type === 'chunk' ? part.code : '')).join('\n')
}

/** Serves a page with a script at `/`, a token for `?user=` at `/token`, and a node at `/ws`. */
export async function hostPage(
  script: string,
  body: string,
  channels: NonNullable<HoldfastOptions['channels']>,
): Promise<PageHost> {
  const holdfast = createHoldfast({
    auth: { secret: SECRET },
    channels,
  } as HoldfastOptions)
  const sockets = new Set<Socket>()
  let isRefused = false
  const page = `<!doctype html><meta name="color-scheme" content="light dark"><script type="module" src="/page.js"></script>${body}`
  const files = new Map<string, ServedFile>([
    ['/', { body: page, headers: { 'content-type': 'text/html; charset=utf-8' } }],
    ['/page.js', { body: script, headers: { 'content-type': 'text/javascript; charset=utf-8' } }],
  ])
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const user = searchParams.get('user') ?? 'ada'
    const token = { body: signToken({ secret: SECRET, tenant: TENANT, user, ttlSeconds: 600 }), headers: {} }
    const file = pathname === '/token' ? token : files.get(pathname)
    response.writeHead(file ? 200 : 404, file?.headers).end(file?.body)
  })
  server.on('connection', (socket) => {
    if (isRefused) return socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await holdfast.start()
  const detach = holdfast.attach(server)
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    url: await listen(server),
    holdfast,
    tenant: holdfast.tenant(TENANT),
    files,
    cut,
    refuse: (refused) => (isRefused = refused),
    async close() {
      detach()
      await holdfast.close()
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

/** The commands that a page sends, as they leave. */
export interface Traffic {
  readonly sockets: number
  /** How many commands of a type were sent for a channel. */
  count(type: string, channel: string): number
}

/** Listens to what a page sends from now on. */
export function trafficOf(page: Page): Traffic {
  const commands: { type: string; channel?: string }[] = []
  let sockets = 0
  page.on('websocket', (socket) => {
    sockets += 1
    socket.on('framesent', ({ payload }) => {
      for (const line of String(payload).split('\n')) {
        if (line.startsWith('{')) commands.push(JSON.parse(line) as { type: string })
      }
    })
  })
  return {
    get sockets() {
      return sockets
    },
    count: (type, channel) => commands.filter((sent) => sent.type === type && sent.channel === channel).length,
  }
}
