import { mkdir } from 'node:fs/promises'
import { type Server, createServer } from 'node:http'
import { type AddressInfo, BlockList, isIP, isIPv4 } from 'node:net'
import { join } from 'node:path'
import type { Holdfast, Logger } from '@holdfast/server'
import { Accounts } from '../accounts/accounts.js'
import { type PasswordCost, Passwords } from '../accounts/password.js'
import { type Clock, systemClock } from '../clock.js'
import { Changes } from '../runs/changes.js'
import { RunDesk, type RunDeskParts } from '../runs/run-desk.js'
import { openStore } from '../store/open-store.js'
import type { Store } from '../store/store.js'
import { type ApiParts, TENANT } from './api-environment.js'
import { createApp } from './app.js'
import { DEFAULT_BOUNDS, type UserBounds } from './bounds.js'
import { loadExample } from './example.js'
import { newId } from './ids.js'
import { createLive } from './live.js'
import { listenerOf } from './listener.js'
import { loadPage } from './page-files.js'
import { RateLimits } from './rate-limits.js'
import { ReportWriter } from './report-writer.js'
import { keptSecret } from './secret.js'
import { SignInCodes } from './sign-in-codes.js'
import { Undo } from './undo.js'

/** How a server is to be. */
export interface ServerOptions {
  /** Address of this machine to listen at. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Folder of what is kept: the embedded store, the state of Holdfast, the secret. Made when it is not there. */
  readonly dataDir: string
  /** PostgreSQL instead of the embedded store. */
  readonly databaseUrl?: string
  /** Redis instead of the disk, for several servers; with `databaseUrl`. */
  readonly redisUrl?: string
  /** What tokens are signed with, 32 characters or more (default: the variable HOLDFAST_SECRET, else one that is made once and kept in `dataDir`). */
  readonly secret?: string
  /** In production the pages that may connect have to be named. */
  readonly environment: 'development' | 'production'
  /** Pages that may connect, `https://plan.example.com`; the word `missing` stands for programs, which name none. */
  readonly origins?: readonly string[]
  /** Names that the server answers for. */
  readonly hosts?: readonly string[]
  /** Proxies that are believed whose address they tell. */
  readonly trustedProxies?: readonly string[]
  /** Runs that are worked on at a time (default: one less than there are processors, at least 1). */
  readonly runsAtATime?: number
  /** Milliseconds after which runs of a server that fell silent are taken up (default 15,000). Without PostgreSQL nobody else can have them: the next start takes them up at once. */
  readonly runLeaseMs?: number
  /** How much one user may have (default: 20 open and 2,000 kept schedules and comparisons, 200 templates). */
  readonly bounds?: Partial<UserBounds>
  /** With an account that has the example lots, and a link that signs in once. Only on loopback. */
  readonly example?: boolean
  /** What it costs to try a password; lower than by default is for tests. */
  readonly passwordCost?: PasswordCost
  readonly clock?: Clock
  readonly log: Logger
}

/** A server that runs. */
export interface FillServer {
  /** `http://127.0.0.1:8000` */
  readonly url: string
  /** With `example`: a link that signs in once, good for ten minutes. */
  readonly signInUrl?: string
  /** Hands clients over, leaves runs to others or to the next start, and ends. */
  close(): Promise<void>
}

/** Who sends slowly must not hold a socket; a file of 10 MiB may take a while. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 60_000, connectionsCheckingInterval: 1_000 }

/** Starts a server. Rejects with a message for people when an option is wrong, the store cannot be opened or the port is taken. */
export async function startServer(options: ServerOptions): Promise<FillServer> {
  const { dataDir, host, log } = options
  if (options.example && !isLoopback(host)) throw new Error(`the example is for this machine alone; --host is ${host}`)
  // Each would end the operations of the other: its store knows none of their runs.
  if (options.redisUrl !== undefined && options.databaseUrl === undefined)
    throw new Error('servers that share a Redis share their store, too: set DATABASE_URL, or leave REDIS_URL out')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const undo = new Undo(log)
  try {
    const parts = await assembled(options, undo)
    const { desk, holdfast } = parts
    const server = createServer(TIMEOUTS, listenerOf(createApp(parts, await loadedPage(log)), holdfast))
    holdfast.attach(server)
    const url = await listen(server, options)
    undo.add(() => stop(server))
    desk.start()
    const code = options.example ? parts.codes.issue((await loadExample(parts)).id) : undefined
    return {
      url,
      ...(code !== undefined && { signInUrl: `${url}/#code=${code}` }),
      close: async () => {
        // Runs are left before clients are sent elsewhere, so that whoever takes them up tells those clients.
        await desk.close()
        await holdfast.drain()
        await undo.all()
      },
    }
  } catch (error) {
    await undo.all()
    throw error
  }
}

/** Everything that routes work with. */
async function assembled(options: ServerOptions, undo: Undo): Promise<ApiParts & { readonly holdfast: Holdfast }> {
  const { log, clock = systemClock } = options
  const secret = options.secret ?? process.env['HOLDFAST_SECRET'] ?? (await ownSecret(options))
  const store = await usable(openedStore(options))
  undo.add(() => store.close())
  await usable(store.migrate())
  const holdfast = createLive({ ...options, store, secret })
  undo.add(() => holdfast.close())
  await holdfast.start()
  const tenant = holdfast.tenant(TENANT)
  const changes = new Changes(tenant, log)
  const desk = deskOf(options, { store, clock, changes, operations: tenant.operations })
  undo.add(() => desk.close())
  return {
    ...{ store, holdfast, tenant, changes, desk, secret, clock, log },
    accounts: accountsOf(options, store, clock),
    bounds: { ...DEFAULT_BOUNDS, ...options.bounds },
    codes: new SignInCodes(clock),
    limits: new RateLimits(clock),
    reports: new ReportWriter(),
  }
}

/** Servers that share their state have to share the secret, too. */
function ownSecret({ redisUrl, dataDir }: ServerOptions): Promise<string> {
  if (redisUrl === undefined) return keptSecret(dataDir)
  throw new Error('FILL_SCHEDULER_SECRET must be set where several servers share a Redis: openssl rand -base64 48')
}

function openedStore({ databaseUrl, dataDir }: ServerOptions): Promise<Store> {
  return openStore(databaseUrl === undefined ? { file: join(dataDir, 'fill-scheduler.db') } : { url: databaseUrl })
}

async function usable<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    throw new Error(`the store cannot be used: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

function deskOf(
  { runsAtATime, runLeaseMs, log, databaseUrl }: ServerOptions,
  parts: Pick<RunDeskParts, 'store' | 'clock' | 'changes' | 'operations'>,
): RunDesk {
  return new RunDesk({
    ...parts,
    log,
    runner: newId(),
    // The engine on the disk has started, and keeps the folder to this process; with it, the store that is there.
    isAlone: databaseUrl === undefined,
    ...(runsAtATime !== undefined && { atATime: runsAtATime }),
    ...(runLeaseMs !== undefined && { leaseMs: runLeaseMs }),
  })
}

function accountsOf({ passwordCost }: ServerOptions, { users }: Store, clock: Clock): Accounts {
  return new Accounts({ users, clock, ...(passwordCost && { passwords: new Passwords(passwordCost) }) })
}

async function loadedPage(log: Logger): ReturnType<typeof loadPage> {
  const page = await loadPage()
  if (!page.isThere) log.warn({ event: 'page.missing' }, 'the page is not built; serving without it')
  return page
}

function listen(server: Server, { host, port }: ServerOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen({ host, port }, () => {
      const { port: taken, address } = server.address() as AddressInfo
      const name = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
      resolve(`http://${name.includes(':') ? `[${name}]` : name}:${taken}`)
    })
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') return new Error(`port ${port} on ${host} is taken; choose another with --port`)
  return new Error(`cannot listen on ${host}:${port}: ${error.message}`)
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && LOOPBACK.check(host, isIPv4(host) ? 'ipv4' : 'ipv6'))
}
