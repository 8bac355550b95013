import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Holdfast, type HoldfastOptions, createHoldfast } from '@holdfast/server'
import type { Logger } from 'pino'
import { localAuthority } from './address.js'
import { DEFAULT_CHANNELS } from './channel-rules.js'
import { type Clock, pause } from './clock.js'
import type { Configuration } from './configuration.js'
import { registerIndexMethod } from './demo/index-method.js'
import { registerSpeakMethod } from './demo/speak-method.js'
import { tokenRoute } from './demo/token-route.js'
import type { EngineChoice } from './engine-choice.js'
import { EXIT, Failure, describeError } from './failure.js'
import { type Assets, loadAssets } from './http/assets.js'
import { type BridgedHandler, toNodeListener } from './http/node-bridge.js'
import { loadProgressScript } from './http/progress-script.js'
import { type Handler, createSite, refusal } from './http/site.js'
import { createTokenMint } from './token-mint.js'

/** A request that takes longer to arrive holds a socket and is nobody's in earnest. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }

const PAGE_DIRECTORY = fileURLToPath(new URL('../dist/demo/page/', import.meta.url))

/** What a standalone server is made of. */
export interface StandaloneParts {
  readonly configuration: Configuration
  /** What tokens are signed with; undefined: nobody is believed by it. */
  readonly secret: string | undefined
  readonly log: Logger
  /** The directory that the demo may look into. */
  readonly cwd: string
  readonly clock: Clock
}

/** A standalone server that runs. */
export interface Standalone {
  /** `http://127.0.0.1:8000` */
  readonly url: string
  /** `ws://127.0.0.1:8000/ws` */
  readonly webSocketUrl: string
  /** Whether the demo is at `/`. */
  readonly demo: boolean
  /** Resolves with true when it can serve: it listens and has its engine; with false when it is drained before. */
  ready(): Promise<boolean>
  /**
   * Hands the clients over, then ends everything. `drain` (the default) keeps the port open meanwhile, so that load balancers learn that it is
   * unready; `retire` leaves the port to others first.
   */
  drain(how?: 'drain' | 'retire'): Promise<void>
}

/**
 * Starts a standalone server. Throws a `Failure` that says what to do when the configuration is wrong or the port is
 * taken.
 */
export async function startStandalone(parts: StandaloneParts): Promise<Standalone> {
  const { configuration, log, clock } = parts
  const assets = await findDemo(configuration, log)
  const holdfast = createNode(parts)
  if (assets) registerDemo(holdfast, parts)
  const files = new Map([...(await loadProgressScript()), ...(assets ?? [])])
  const site = createSite({ routes: routesOf(holdfast, parts, assets !== undefined), assets: files })
  const guarded = holdfast.protect((request, { address }) => site({ request, address }))
  const handle: BridgedHandler = (request, incoming, outgoing) =>
    isOfApi(new URL(request.url).pathname)
      ? holdfast.fetch(request, { incoming, outgoing })
      : guarded(request, incoming)
  const failed = (error: unknown): void => log.error({ reason: describeError(error) }, 'request failed')
  const server = createServer(TIMEOUTS, toNodeListener(handle, failed, { streams: isOfApi }))
  await startEngine(holdfast)
  const detach = holdfast.attach(server)
  const authority = await listen(server, configuration).catch(async (error: unknown) => {
    await holdfast.close()
    throw error
  })
  logBegin(holdfast, authority, log)
  const leaving = new AbortController()
  return {
    url: `http://${authority}`,
    webSocketUrl: `ws://${authority}${configuration.path}`,
    demo: assets !== undefined,
    ready: () => untilReady(holdfast, clock, leaving.signal),
    async drain(how = 'drain') {
      leaving.abort()
      if (how === 'retire') server.close()
      await holdfast.drain()
      detach()
      await holdfast.close()
      await stop(server)
    },
  }
}

/** What is below this path is answered by the node itself, which reads its bodies within its own bounds. */
function isOfApi(path: string): boolean {
  return path.startsWith('/api/')
}

/** An engine that is away is waited for a little and then goes on trying; one that can never be used ends the start. */
async function startEngine(holdfast: Holdfast): Promise<void> {
  try {
    await holdfast.start()
  } catch (error) {
    await holdfast.close().catch(() => undefined)
    throw new Failure(`the engine cannot be used: ${describeError(error)}`)
  }
}

function logBegin(holdfast: Holdfast, address: string, log: Logger): void {
  const { node, engine } = holdfast.stats()
  const fields = { node, address, engine: engine.name }
  if (engine.problem === undefined) log.info(fields, 'serving')
  else log.warn({ ...fields, reason: engine.problem }, 'serving without its engine, which is away')
}

const LOOK_EVERY_MS = 100

async function untilReady(holdfast: Holdfast, clock: Clock, leaving: AbortSignal): Promise<boolean> {
  while (!leaving.aborted) {
    const { ok } = await holdfast.fetch(new Request('http://localhost/health/ready'))
    if (ok) return true
    await pause(clock, LOOK_EVERY_MS, leaving).catch(() => undefined)
  }
  return false
}

/** The demo is there in development, unless it is switched off; elsewhere it would hand tokens to strangers. */
async function findDemo({ environment, demo }: Configuration, log: Logger): Promise<Assets | undefined> {
  if (environment !== 'development') {
    if (demo)
      throw new Failure(`--demo must be left out in ${environment}: the demo gives tokens to anyone`, EXIT.usage)
    return undefined
  }
  if (demo === false) return undefined
  const assets = await loadAssets(PAGE_DIRECTORY)
  if (assets === undefined && demo) throw new Failure('the page of the demo is not built; run npm run build')
  if (assets === undefined) log.warn({}, 'the page of the demo is not built; serving without it')
  return assets
}

/** On a person's own machine nobody waits for a deploy to be a non-event. */
const DEVELOPMENT_DRAIN = { delayMs: 0, windowMs: 0, deadlineMs: 1000 }

/** The node of a configuration, not started. Throws a `Failure` that names the option that is wrong. */
export function createNode({ configuration, secret, log, cwd }: Omit<StandaloneParts, 'clock'>): Holdfast {
  const { auth, channels, engine, cluster, clusterSecret, environment, path } = configuration
  const { origins, hosts, trustedProxies, channelTokens } = configuration
  const { roles, webhooks, webhookSecret } = configuration
  const { tenants, plans, defaultPlan } = configuration
  const { limits, overload, heartbeat, session, presence, operations, drain } = configuration
  const options = {
    auth: { ...(secret !== undefined && { secret }), ...auth },
    channels: channels ?? DEFAULT_CHANNELS,
    ...(roles && { roles }),
    ...(webhooks && { webhooks: { ...webhooks, ...(webhookSecret !== undefined && { secret: webhookSecret }) } }),
    engine: fromHere(engine, cwd),
    cluster: { ...cluster, ...(clusterSecret !== undefined && { secret: clusterSecret }) },
    ...(channelTokens && { channelTokens }),
    environment,
    origins,
    hosts,
    trustedProxies,
    path,
    log,
    ...(tenants && { tenants }),
    ...(plans && { plans }),
    ...(defaultPlan !== undefined && { defaultPlan }),
    limits,
    overload,
    heartbeat,
    session,
    presence,
    operations,
    drain: environment === 'development' ? { ...DEVELOPMENT_DRAIN, ...drain } : drain,
  }
  try {
    return createHoldfast(options as unknown as HoldfastOptions)
  } catch (error) {
    throw new Failure(describeError(error), EXIT.usage)
  }
}

/** A directory of the configuration is meant from where the command was started. */
function fromHere(engine: EngineChoice, cwd: string): EngineChoice {
  if (typeof engine === 'string' || typeof engine['disk'] !== 'string') return engine
  return { ...engine, disk: resolve(cwd, engine['disk']) }
}

function registerDemo(holdfast: Holdfast, { cwd, clock }: StandaloneParts): void {
  registerIndexMethod({ holdfast, start: cwd, clock })
  registerSpeakMethod(holdfast, clock)
}

function routesOf(holdfast: Holdfast, { secret, configuration }: StandaloneParts, demo: boolean): Map<string, Handler> {
  const health: Handler = ({ request }) => holdfast.fetch(request)
  const pageIsThere = demo && configuration.path === '/'
  const routes = new Map<string, Handler>([
    ...(pageIsThere ? [] : [[`GET ${configuration.path}`, upgradeRequired] as const]),
    ['GET /health/live', health],
    ['GET /health/ready', ({ request }) => readiness(holdfast, request)],
  ])
  if (!demo || secret === undefined) return routes
  return routes.set('POST /demo/token', tokenRoute(createTokenMint(secret, configuration.auth)))
}

/** Whether it can serve, and on which engine. */
async function readiness(holdfast: Holdfast, request: Request): Promise<Response> {
  const answer = await holdfast.fetch(request)
  const { status, headers } = answer
  headers.delete('content-length')
  return Response.json(
    { ...((await answer.json()) as object), engine: holdfast.stats().engine.name },
    { status, headers },
  )
}

/** Whoever looks at the address of the WebSocket with a browser or curl is told that it is the right one (RFC 9110, 15.5.22). */
function upgradeRequired(): Response {
  const answer = refusal(426, 'upgrade_required', 'This address takes WebSockets')
  answer.headers.set('upgrade', 'websocket')
  answer.headers.set('connection', 'upgrade')
  return answer
}

/** Resolves with host and port for clients on this machine. */
function listen(server: Server, { port, host }: Configuration): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(describeListenError(error, host, port)))
    // Where everybody comes back at once, who finds no place to wait tries again in a second, and then in three.
    server.listen({ port, host, backlog: 4_096 }, () => {
      const { port: taken } = server.address() as AddressInfo
      resolve(localAuthority(host, taken))
    })
  })
}

function describeListenError(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  if (error.code === 'EADDRINUSE') {
    const other = port < 65_535 ? port + 1 : 8000
    return new Failure(
      `port ${port} on ${host} is taken by another program; choose another with --port ${other} or PORT=${other}`,
    )
  }
  if (error.code === 'EACCES') return new Failure(`port ${port} needs privileges; choose one from 1024 up with --port`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new Failure(`--host must be an address of this machine, received ${JSON.stringify(host)}`)
  }
  return new Failure(`cannot listen on ${host}:${port}: ${error.message}`)
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
