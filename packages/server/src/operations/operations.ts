import { type OperationSnapshot, UnserialisableError, isTerminal } from '@holdfast/protocol'
import { isUserName } from '../access/identity.js'
import { type Clock, timestamp } from '../clock.js'
import { pause } from '../core/nodes/drain.js'
import { HoldfastError } from '../core/errors.js'
import type { Random } from '../random.js'
import type { OperationDesk, OperationEnding, OperationPage, OperationReport, OperationSpec } from './desk.js'
import { Operation, type OperationEnvironment } from './operation.js'
import { type OperationStore, isOperationId, parseStored } from './store.js'

/** What the operations of a node need. */
export interface OperationsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly store: OperationStore
  readonly conflateMs: number
  /** Somebody asked an operation to stop that does not run here: its worker is to know at once, on whichever node it is. Whether it hears of it or not, it reads of it. */
  readonly onCancelAsked: (tenant: string, id: string) => void
  readonly onError: (error: unknown) => void
  /** Asked before an operation begins; answers what to call when it has ended. Rejects when the tenant may not begin another. Default: it may. */
  readonly admit?: (tenant: string) => Promise<() => void>
}

/** What a subscriber of an operation's channel starts with. */
export interface Opening {
  readonly event: string
  readonly data: string
  readonly at: string
  readonly final: boolean
}

const CHANNEL_PREFIX = 'operation:'

/** Milliseconds until an end that the engine refused is told again; each further try waits twice as long, up to the longest. */
const END_RETRY_MS = 1_000
const END_RETRY_MS_MAX = 30_000

/** How often a cancel that met another writer is tried again. */
const TRIES = 10

/** The operations of all tenants, as this node sees them; those that run here are in its hands. */
export class Operations implements OperationDesk {
  readonly #options: OperationsOptions
  readonly #running = new Map<string, Operation>()
  /** Those whose start is being stored. */
  readonly #starting = new Set<Operation>()
  #closed = false

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  /** Operations that run on this node. */
  get size(): number {
    return this.#running.size
  }

  /** Begins an operation that the caller reports on and ends. */
  async start(tenant: string, spec: OperationSpec): Promise<Operation> {
    const id = spec.id ?? `${spec.kind.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 64)}-${this.#options.random.id(6)}`
    checkSpec(id, spec)
    const { clock, store, conflateMs, onError } = this.#options
    const leave = await this.#options.admit?.(tenant)
    const key = runningKey(tenant, id)
    const environment: OperationEnvironment = {
      clock,
      store,
      conflateMs,
      onError,
      onEnd: (ended) => {
        leave?.()
        if (this.#running.get(key) === ended) this.#running.delete(key)
      },
    }
    const operation = new Operation(environment, tenant, id, spec)
    this.#starting.add(operation)
    try {
      await operation.announce()
      this.#running.set(key, operation)
    } catch (error) {
      leave?.()
      throw error
    } finally {
      this.#starting.delete(operation)
    }
    return operation
  }

  /** Runs `work` as an operation. It ends however `work` does: completed with its result, failed with its error, cancelled when asked. */
  async run<T>(tenant: string, spec: OperationSpec, work: (operation: Operation) => Promise<T> | T): Promise<T> {
    const operation = await this.start(tenant, spec)
    try {
      const result = await work(operation)
      await this.#end(() => operation.complete(result))
      return result
    } catch (error) {
      const stopped = operation.signal.aborted && isAbort(error, operation.signal)
      await this.#end(() => (stopped ? operation.cancelled() : operation.fail(error)))
      throw error
    }
  }

  /** The work may have ended the operation itself. While the engine is away the end waits: work that is done must not be told as failed. */
  async #end(end: () => Promise<void>): Promise<void> {
    for (let waitMs = END_RETRY_MS; ; waitMs = Math.min(waitMs * 2, END_RETRY_MS_MAX)) {
      try {
        return await end()
      } catch (error) {
        if (error instanceof HoldfastError && error.code === 'already_ended') return
        if (this.#closed || !isAway(error)) throw error
      }
      await pause(this.#options.clock, waitMs)
    }
  }

  /** The snapshot of an operation; undefined when the tenant has none of this id. */
  async get(tenant: string, id: string): Promise<OperationSnapshot | undefined> {
    return (await this.#options.store.read(tenant, id))?.snapshot
  }

  /** Asks for an operation to stop, wherever it runs. False when there is none or it has ended. */
  async requestCancel(tenant: string, id: string): Promise<boolean> {
    const here = this.#running.get(runningKey(tenant, id))
    if (here !== undefined) return here.requestCancel()
    for (let tries = 0; tries < TRIES; tries += 1) {
      const stored = await this.#options.store.read(tenant, id)
      if (stored === undefined || isTerminal(stored.snapshot.state)) return false
      if (stored.snapshot.cancelRequested) return true
      const { snapshot } = stored
      const updatedAt = timestamp(this.#options.clock.now())
      const asked = { ...snapshot, version: snapshot.version + 1, cancelRequested: true, updatedAt }
      if (await this.#options.store.write({ ...stored, snapshot: asked }, 'progress')) {
        this.cancelAsked(tenant, id)
        this.#options.onCancelAsked(tenant, id)
        return true
      }
    }
    throw new HoldfastError('engine_unavailable', 'the operation could not be written')
  }

  async create(tenant: string, spec: OperationSpec): Promise<OperationSnapshot> {
    return (await this.start(tenant, spec)).snapshot
  }

  find(tenant: string, id: string): Promise<OperationSnapshot | undefined> {
    return this.get(tenant, id)
  }

  async list(): Promise<OperationPage> {
    return { operations: [...this.#running.values()].map(({ snapshot }) => snapshot) }
  }

  async attempt(tenant: string, id: string): Promise<OperationSnapshot> {
    return this.#here(tenant, id).snapshot
  }

  async report(tenant: string, id: string, report: OperationReport): Promise<OperationSnapshot> {
    const operation = this.#here(tenant, id)
    if (report.phase !== undefined) operation.phase(report.phase, report)
    else if (report.advance !== undefined) operation.advance(report.advance, report)
    else operation.report(report)
    return operation.snapshot
  }

  async heartbeat(tenant: string, id: string): Promise<OperationSnapshot> {
    return this.#here(tenant, id).snapshot
  }

  async end(tenant: string, id: string, ending: OperationEnding): Promise<OperationSnapshot> {
    const operation = this.#here(tenant, id)
    if (ending.state === 'completed') await operation.complete(ending.result)
    else if (ending.state === 'failed') await operation.fail(ending.error, ending.error)
    else await operation.cancelled()
    return operation.snapshot
  }

  async cancel(tenant: string, id: string): Promise<OperationSnapshot> {
    const asked = await this.requestCancel(tenant, id)
    const snapshot = await this.get(tenant, id)
    if (snapshot === undefined) throw new HoldfastError('not_found')
    if (!asked) throw new HoldfastError('already_ended')
    return snapshot
  }

  async changed(
    tenant: string,
    id: string,
    { version, timeoutMs }: { readonly version: number | 'end'; readonly timeoutMs: number },
  ): Promise<OperationSnapshot | undefined> {
    const until = this.#options.clock.now() + timeoutMs
    for (;;) {
      const snapshot = await this.get(tenant, id)
      const isReached = version !== 'end' && snapshot !== undefined && snapshot.version > version
      if (snapshot === undefined || isReached || isTerminal(snapshot.state)) return snapshot
      if (this.#options.clock.now() >= until) return snapshot
      await pause(this.#options.clock, 50)
    }
  }

  #here(tenant: string, id: string): Operation {
    const operation = this.#running.get(runningKey(tenant, id))
    if (operation === undefined) throw new HoldfastError('not_found')
    return operation
  }

  /** Somebody asked for an operation to stop, and has stored that: if it runs here, its worker is told. */
  cancelAsked(tenant: string, id: string): null {
    this.#running.get(runningKey(tenant, id))?.heardCancel()
    for (const operation of this.#starting)
      if (operation.id === id && operation.snapshot.tenant === tenant) operation.heardCancel()
    return null
  }

  /** Whether the operation that a channel carries belongs to, or is shared with, a user. */
  async isOwner(tenant: string, channel: string, user: string): Promise<boolean> {
    if (!channel.startsWith(CHANNEL_PREFIX)) return false
    const stored = await this.#options.store.read(tenant, channel.slice(CHANNEL_PREFIX.length))
    return stored !== undefined && (stored.snapshot.owner === user || stored.sharedWith.includes(user))
  }

  /** What a new subscriber of a channel starts with, given the state beside its log; undefined where it carries no operation. */
  opening(channel: string, state: string | undefined): Opening | undefined {
    if (state === undefined || !channel.startsWith(CHANNEL_PREFIX)) return undefined
    const { snapshot } = parseStored(state)
    const final = isTerminal(snapshot.state)
    return {
      event: isTerminal(snapshot.state) ? snapshot.state : 'progress',
      data: JSON.stringify(snapshot),
      at: snapshot.updatedAt,
      final,
    }
  }

  /** The node ends: what runs here is told to stop, and fails if it is still running then. */
  async close(): Promise<void> {
    const error = Object.assign(new Error('the node that ran this operation was shut down'), {
      code: 'server_shutdown',
    })
    this.#closed = true
    const running = [...this.#running.values()]
    await Promise.allSettled(running.map((operation) => operation.abandon(error)))
  }
}

function checkSpec(id: string, { kind, owner }: OperationSpec): void {
  if (!isOperationId(id))
    throw new HoldfastError(
      'bad_request',
      `id must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = -, received ${JSON.stringify(id)}`,
    )
  if (kind.length < 1 || kind.length > 64) throw new HoldfastError('bad_request', 'kind must be 1 to 64 characters')
  if (!isUserName(owner)) throw new HoldfastError('bad_request', 'owner must be the name of a user')
}

/** Whether the engine could not be reached; anything else is wrong with the end itself. */
function isAway(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code === 'engine_unavailable'
  return !(error instanceof UnserialisableError)
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}

function runningKey(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}
