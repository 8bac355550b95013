import { type Cancel, type Clock, timestamp } from '../clock.js'
import type { Engine, Receiver, Signal } from '../engine/engine.js'
import { WAKE_STREAM } from './places.js'

/** Why a node wakes others: events were logged, or something has changed of which an event may follow. */
export type WakeReason = 'logged' | 'changed'

/** What a wake works with. */
export interface WakeParts {
  readonly engine: Pick<Engine, 'announce' | 'listen'>
  readonly clock: Pick<Clock, 'after' | 'now'>
  readonly onError: (error: unknown) => void
}

type Listener = (reason: WakeReason, tenants: readonly string[] | undefined) => void

/** Milliseconds over which what is said is gathered. */
const GATHER_MS = 10

/** Tenants named in one announcement. */
const TENANTS_PER_CALL = 200

/**
 * Calls from node to node that there is something to do for a tenant, so that nobody has to look all the time. They are hints, heard by whoever listens: one that
 * is lost costs time, and one that is forged makes somebody look for nothing.
 */
export class Wake {
  readonly #parts: WakeParts
  readonly #listener: Listener
  readonly #said = { logged: new Set<string>(), changed: new Set<string>() }
  #cancel: Cancel | undefined
  #listening: Promise<(() => Promise<void>) | undefined> | undefined

  /** `listener` is told the tenants; undefined: any of them. */
  constructor(parts: WakeParts, listener: Listener) {
    this.#parts = parts
    this.#listener = listener
  }

  /** Calls all who listen, this node included, a moment later. */
  say(reason: WakeReason, tenant: string): void {
    this.#said[reason].add(tenant)
    this.#cancel ??= this.#parts.clock.after(GATHER_MS, () => this.flush())
  }

  /** Calls now whoever was to be called. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    for (const reason of ['logged', 'changed'] as const) {
      const tenants = [...this.#said[reason]]
      this.#said[reason].clear()
      for (let at = 0; at < tenants.length; at += TENANTS_PER_CALL)
        void this.#call(reason, tenants.slice(at, at + TENANTS_PER_CALL))
    }
  }

  /** Listens from now on, or tries to; doing so again does nothing. */
  async listen(): Promise<void> {
    this.#listening ??= this.#parts.engine.listen(WAKE_STREAM, this.#receiver()).catch((error: unknown) => {
      this.#parts.onError(error)
      this.#listening = undefined
      return undefined
    })
    await this.#listening
  }

  /** Says and hears nothing any more. */
  async stop(): Promise<void> {
    this.#cancel?.()
    const unlisten = await this.#listening
    await unlisten?.().catch(this.#parts.onError)
  }

  #call(reason: WakeReason, tenants: readonly string[]): Promise<void> {
    const { engine, clock, onError } = this.#parts
    const at = timestamp(clock.now())
    const signal: Signal = { event: reason, data: JSON.stringify(tenants), from: { system: true }, at }
    return engine.announce(WAKE_STREAM, signal).catch(onError)
  }

  #receiver(): Receiver {
    return {
      message: () => undefined,
      members: () => undefined,
      rotated: () => undefined,
      signal: ({ event, data }) => {
        const tenants = readTenants(data)
        if ((event === 'logged' || event === 'changed') && tenants !== undefined) this.#listener(event, tenants)
      },
      uncertain: () => {
        this.#listener('logged', undefined)
        this.#listener('changed', undefined)
      },
    }
  }
}

function readTenants(data: string): readonly string[] | undefined {
  try {
    const tenants: unknown = JSON.parse(data)
    const isList = Array.isArray(tenants) && tenants.length <= TENANTS_PER_CALL
    return isList && tenants.every((tenant) => typeof tenant === 'string') ? tenants : undefined
  } catch {
    return undefined
  }
}
