import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CLOSE } from '@holdfast/protocol'
import { getRequestListener } from '@hono/node-server'
import { HostPolicy } from './access/host-policy.js'
import type { Identity } from './access/identity.js'
import type { OriginPolicy, Origins } from './access/origin-policy.js'
import { Perimeter, type Visitor } from './access/perimeter.js'
import { whileAwake } from './awake.js'
import { pause } from './clock.js'
import { Connection } from './core/connection/connection.js'
import { inviteAll, settledWithin, waitUntil, within } from './core/nodes/drain.js'
import type { Method } from './core/connection/methods.js'
import type { Services } from './core/services.js'
import { socketsMax } from './descriptors.js'
import { eventStreamDoor, tieAnswer } from './event-stream-door.js'
import { errorResponse } from './http/api-error.js'
import { Api } from './http/api.js'
import { createHttpApp } from './http/app.js'
import { authenticate } from './http/bearer.js'
import { WaitingRoom } from './http/waiting-room.js'
import { type ProtectedHandler, type RequestHandler, protect } from './http/protection.js'
import type { LifecycleType } from './lifecycle/event.js'
import type { LifecycleHook } from './lifecycle/hooks.js'
import type { Lifecycle } from './lifecycle/lifecycle.js'
import { isLoopbackAddress } from './network-address.js'
import type { Notifications } from './notifications/notifications.js'
import type { Operations } from './operations/operations.js'
import type { ReportsReader } from './operations/reports-reader.js'
import { type HoldfastOptions, type ResolvedOptions, resolveOptions } from './options.js'
import type { AuditTrail } from './telemetry/audit.js'
import { errorFields } from './telemetry/log.js'
import type { HoldfastStats } from './telemetry/stats.js'
import { Tenant } from './tenant.js'
import { type CredentialDoors, wire } from './wiring.js'
import { NodeTransport } from './transport/node.js'
import type { Acceptor, Socket, SocketHandler, Upgrade, UpgradeRefusal } from './transport/transport.js'

/** Where a node listens. */
export interface Listening {
  readonly host: string
  readonly port: number
  /** The address of the WebSocket, for clients on this machine. */
  readonly url: string
}

/** A request and its answer as Node has them. */
interface HttpEnvironment {
  readonly incoming?: unknown
  readonly outgoing?: unknown
}

/** How long a node that begins or ends waits for an answer of its engine, which need not be there; and for all answers at its end together. */
const ENGINE_MS = 5_000
const CLOSING_MS = 10_000

/** How often connections that were left idle are closed while a server ends. */
const IDLE_MS = 50

/** How long a request may take to arrive: headers, and all of it. A slow sender must not hold a socket. */
const HEADERS_TIMEOUT_MS = 5_000

/** Clients that the system lets wait to be accepted, as far as it lets so many: what is over tries again in a second, and then in three. */
const BACKLOG = 4_096
const REQUEST_TIMEOUT_MS = 10_000

/** Who asks, or the answer to somebody who may not. */
export type Identified = { readonly identity: Identity } | { readonly refusal: Response }

/**
 * Sets up a node. Nothing is opened before `listen` or `attach`.
 *
 * @throws OptionsError naming the option that is wrong.
 */
export function createHoldfast(options: HoldfastOptions): Holdfast {
  return new Holdfast(options)
}

/** One node: its connections, and the doors for the application. */
export class Holdfast implements Acceptor {
  readonly #options: ResolvedOptions
  readonly #services: Services
  readonly #operations: Operations
  readonly #audit: AuditTrail
  readonly #lifecycle: Lifecycle
  readonly #notifications: Notifications
  readonly #reports: ReportsReader | undefined
  readonly #credentials: CredentialDoors
  readonly #transport: NodeTransport
  readonly #origins: OriginPolicy
  readonly #perimeter: Perimeter
  readonly #answer: ProtectedHandler
  readonly #servers = new Set<Server>()
  readonly #connections = new Set<Connection>()
  readonly #undo: (() => void)[] = []
  #started: Promise<void> | undefined
  #server: Server | undefined
  #closing: Promise<void> | undefined

  /** Use `createHoldfast`. */
  constructor(options: HoldfastOptions) {
    this.#options = resolveOptions(options)
    const wiring = wire(options, this.#options, () => this.#connections)
    const { services, operations, audit, origins } = wiring
    this.#services = services
    this.#operations = operations
    this.#audit = audit
    this.#lifecycle = wiring.lifecycle
    this.#notifications = wiring.notifications
    this.#reports = wiring.reports
    this.#credentials = wiring.credentials
    this.#origins = origins
    const { hosts, proxies, path } = this.#options
    const answersFor = new HostPolicy(hosts, () => this.#isOfThisMachineAlone())
    this.#perimeter = new Perimeter({ proxies, hosts: answersFor, audit })
    this.#transport = new NodeTransport(this, {
      path,
      messageBytesMax: services.limits.messageBytesMax,
      perimeter: this.#perimeter,
    })
    const tenant = (id: string): Tenant => this.tenant(id)
    const eventStreams = eventStreamDoor({ acceptor: this, posts: wiring.streamPosts, services })
    const waiting = new WaitingRoom()
    const api = new Api({ services, operations, eventStreams, waiting, path, tenant, stats: () => this.stats() })
    const app = createHttpApp({ unready: () => this.#unready() }, api)
    this.#answer = this.protect((request, visitor) => app.fetch(request, { visitor }))
  }

  /** The name of this node. */
  get node(): string {
    return this.#services.node
  }

  /** Opens a port (default: any that is free) on a host (default 127.0.0.1). Rejects when it cannot be had, and when the node listens already. */
  async listen(port: number = 0, host: string = '127.0.0.1'): Promise<Listening> {
    if (this.#server !== undefined) throw new Error('a node listens once; attach it to the servers of other ports')
    const answer = getRequestListener(this.fetch)
    const server = createServer(
      { connectionsCheckingInterval: 1_000 },
      (request, response) => void answer(request, response),
    )
    server.headersTimeout = HEADERS_TIMEOUT_MS
    server.requestTimeout = REQUEST_TIMEOUT_MS
    // What is over is closed as it comes: accepting must not fail, and the engine must find a socket.
    server.maxConnections = socketsMax()
    this.#server = server
    await this.start()
    this.attach(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host, backlog: BACKLOG }, resolve)
    })
    const { port: bound } = server.address() as AddressInfo
    const name = host.includes(':') ? `[${host}]` : host
    this.#services.lease.listensAt(`${name}:${bound}`)
    return { host, port: bound, url: `ws://${name}:${bound}${this.#options.path}` }
  }

  /** Takes the WebSocket upgrades of a server of yours; answers its undo. Mount `fetch` for the HTTP side. */
  attach(server: Server): () => void {
    this.start().catch((error: unknown) =>
      this.#services.log.error({ event: 'engine.unstarted', ...errorFields(error) }, 'the engine did not start'),
    )
    const detach = this.#transport.attach(server)
    const undo = (): void => {
      detach()
      this.#servers.delete(server)
    }
    this.#servers.add(server)
    this.#undo.push(undo)
    return undo
  }

  /**
   * The HTTP side as a fetch-style handler: health routes. Mount it in Hono, or anything that speaks Request and Response. Where Node's own request is at hand give it
   * too, as the `env` of Hono does: without it the address of the client is not known.
   */
  readonly fetch = (request: Request, env: HttpEnvironment = {}): Promise<Response> => {
    tieAnswer(request, env.outgoing)
    return this.#answer(request, env.incoming as IncomingMessage | undefined)
  }

  /**
   * Puts in front of HTTP routes of yours what this node's own have: a check of the `Host` and `Origin` headers, CORS for the pages that may connect, and security headers.
   * The handler learns the address of the client, after trusted proxies; what it throws becomes a 500 that says nothing.
   */
  protect(handle: RequestHandler): ProtectedHandler {
    const { random, log } = this.#services
    const onError = (error: unknown, id: string): void =>
      log.error({ event: 'http.failed', id, ...errorFields(error) }, 'a request failed')
    return protect({ perimeter: this.#perimeter, origins: this.#origins, newId: () => random.id(9), onError }, handle)
  }

  /**
   * Who asks on a route of yours, by the token or API key in `Authorization: Bearer`, judged as on the routes of the node: withdrawn tokens, the origins of the tenant, too many guesses from one address.
   * A failure is the answer to give. Never throws.
   */
  async identify(request: Request, visitor: Visitor): Promise<Identified> {
    try {
      const { identity } = await authenticate(request, visitor, this.#services)
      return { identity }
    } catch (error) {
      return { refusal: errorResponse(error) }
    }
  }

  /** Which pages were refused and are blocked, on this node, and the way to end a block. */
  get origins(): Origins {
    return this.#origins
  }

  /** Starts the engine and the clockwork; `listen` and `attach` do it. */
  start(): Promise<void> {
    this.#started ??= whileAwake(() => this.#services.engine.start()).then(() => this.#begin())
    return this.#started
  }

  async #begin(): Promise<void> {
    const { heartbeat, hub, degradation, revocations, sessions, lease, control, clock } = this.#services
    for (const part of [
      heartbeat,
      hub,
      degradation,
      revocations,
      sessions,
      this.#services.safeguards,
      this.#services.quotas,
    ])
      part.start()
    this.#services.authenticator.start?.()
    this.#notifications.start()
    this.#reports?.start()
    this.#operations.open()
    this.#warnOfNobody()
    await settledWithin(clock, ENGINE_MS, [lease.start(), control.start(), this.#lifecycle.start()])
  }

  #warnOfNobody(): void {
    const { isOpen, node, someTenant, environment } = this.#options.origins
    if (isOpen || !node.isEmpty || !someTenant.isEmpty) return
    this.#services.log.warn(
      { event: 'origins.none', environment },
      'nobody can connect: origins names no page, and clients that name none are not allowed',
    )
  }

  /** Everything the application does for one tenant. @throws RangeError when `id` cannot name a tenant. */
  tenant(id: string): Tenant {
    const { clock, engine, publisher, rules, presence, limits, random } = this.#services
    return new Tenant(id, {
      clock,
      engine,
      publisher,
      rules,
      presence,
      operations: this.#operations,
      messageBytesMax: limits.messageBytesMax,
      newId: () => random.id(9),
      disconnect: (tenant, user) => this.#services.dismissal.everywhere(tenant, user),
      recheck: (tenant, user) => this.#services.rechecks.everywhere(tenant, user),
      usage: (tenant) => this.#services.quotas.usage(tenant, this.#services.admission),
      lifecycle: this.#lifecycle,
      notifications: this.#notifications,
      ...this.#credentials,
    })
  }

  /** Registers a method that clients can `call`; answers its undo. @throws RangeError when the name is taken. */
  method<T>(name: string, method: Method<T>): () => void {
    return this.#services.methods.register(name, method)
  }

  /**
   * Has a lifecycle event handled, of any tenant: once in the whole cluster, by one node that has hooks, so that each node is to have the same ones; again, when the hook rejected or its
   * node died. Answers its undo.
   *
   * @throws RangeError when there is no such event.
   */
  on<T extends LifecycleType>(type: T, hook: LifecycleHook<T>): () => void {
    return this.#lifecycle.on(type, hook)
  }

  /** What the node is doing now. */
  stats(): HoldfastStats {
    const { node, engine, hub, heartbeat, admission, lease, sessions, retries, control } = this.#services
    return {
      node,
      connections: this.#connections.size,
      channels: hub.size,
      operations: this.#operations.size,
      heartbeat: heartbeat.stats(),
      draining: !admission.isOpen,
      limits: this.#services.safeguards.stats(),
      quotas: this.#services.quotas.stats(),
      access: this.#services.authorisation.stats(),
      engine: {
        name: engine.name,
        problem: engine.problem(),
        lifetimesGiven: engine.lifetimesGiven?.() ?? 0,
        disk: engine.diskStats?.(),
      },
      cluster: {
        leaseHeld: lease.isHeld,
        sessionsUnsaved: sessions.unsaved,
        retriesWaiting: retries.size,
        controlRefused: control.refused,
      },
      lifecycle: this.#lifecycle.stats(),
      operationWork: this.#operations.stats(),
      notifications: this.#notifications.stats(),
      reports: this.#reports?.stats(),
    }
  }

  refuses(address: string): UpgradeRefusal | undefined {
    return this.#services.safeguards.reception.refuses(address)
  }

  accept(socket: Socket, upgrade: Upgrade): SocketHandler {
    const connection = new Connection(this.#services, socket, upgrade, (gone) => void this.#connections.delete(gone))
    this.#connections.add(connection)
    return connection
  }

  /**
   * Hands every client over to other nodes, paced, and closes: unready, wait `drain.delayMs`, invite each client to move at its slot,
   * close who stayed at `drain.deadlineMs`. Nobody loses a message: positions live with the clients.
   */
  async drain(): Promise<void> {
    const { drain } = this.#options
    const { admission, clock, log } = this.#services
    admission.stop()
    log.info({ event: 'drain.begun', connections: this.#connections.size }, 'draining')
    if (drain.delayMs > 0) await pause(clock, drain.delayMs)
    inviteAll([...this.#connections], drain)
    const left = await waitUntil(clock, () => this.#connections.size === 0, drain.deadlineMs)
    log.info({ event: 'drain.ended', stayed: left ? 0 : this.#connections.size }, 'drained')
    await this.#end(CLOSE.serviceRestart)
  }

  /** Ends at once: every client is told `Server shutdown` and comes back with back-off. Running operations fail, retryable. */
  close(): Promise<void> {
    return this.#end(CLOSE.serverShutdown)
  }

  #end(reason: typeof CLOSE.serverShutdown | typeof CLOSE.serviceRestart): Promise<void> {
    this.#closing ??= whileAwake(() => this.#shutDown(reason))
    return this.#closing
  }

  async #shutDown(reason: typeof CLOSE.serverShutdown | typeof CLOSE.serviceRestart): Promise<void> {
    this.#services.admission.stop()
    const { clock, engine, sessions, control, lease } = this.#services
    const end = clock.now() + CLOSING_MS
    const left = (): number => Math.max(0, Math.min(ENGINE_MS, end - clock.now()))
    const settled = (...works: unknown[]): Promise<void> => settledWithin(clock, left(), works)
    // An engine that did not start has said so already; the node is closed all the same.
    await settled(this.#started)
    // What is read now has to be written, and another node reads the rest.
    await settled(this.#reports?.stop())
    await settled(this.#operations.close())
    for (const connection of [...this.#connections]) connection.close(reason, { reconnect: 'backoff' })
    for (const undo of this.#undo) undo()
    await this.#closeServer(left())
    this.#stopClockwork()
    // What the others are to find when the lease is gone.
    await settled(sessions.stop(), control.stop(), this.#notifications.stop(), this.#lifecycle.stop())
    await settled(lease.leave())
    await within(clock, left(), engine.close())
  }

  #stopClockwork(): void {
    const { heartbeat, degradation, revocations, hub, presence, retries, lease } = this.#services
    for (const part of [
      heartbeat,
      degradation,
      revocations,
      hub,
      lease,
      this.#services.safeguards,
      this.#services.quotas,
    ])
      part.stop()
    this.#services.authenticator.stop?.()
    for (const part of [presence, retries, this.#audit]) part.close()
  }

  /** A request that is under way has a while to end: one that never arrives whole would keep the node for ever. */
  #closeServer(ms: number): Promise<void> | undefined {
    const server = this.#server
    if (!server?.listening) return undefined
    return new Promise((resolve) => {
      // Event streams, and whoever waits for an answer, leave connections behind that are idle only now.
      const stop = this.#services.clock.every(IDLE_MS, () => server.closeIdleConnections())
      const cancel = this.#services.clock.after(ms, () => server.closeAllConnections())
      server.close(() => {
        stop()
        cancel()
        resolve()
      })
      server.closeIdleConnections()
    })
  }

  /** In development, where nobody else can reach it: there the name of another is that of a page that has its name pointed here. */
  #isOfThisMachineAlone(): boolean {
    if (this.#options.environment !== 'development') return false
    const addresses = [...this.#servers].map((server) => server.address())
    return addresses.some(Boolean) && addresses.every((bound) => isBoundToLoopback(bound))
  }

  #unready(): string | undefined {
    return this.#services.safeguards.reception.problem ?? this.#services.engine.problem()
  }
}

function isBoundToLoopback(bound: string | AddressInfo | null): boolean {
  return bound === null || (typeof bound === 'object' && isLoopbackAddress(bound.address))
}
