import type { Cancel, Clock } from '../clock.js'
import type { ControlDesk } from '../core/nodes/control.js'
import type { Engine, RegisterEntry } from '../engine/engine.js'
import { type LifecycleType, isLifecycleType } from './event.js'
import { ENTRY_MS, INTEREST } from './places.js'

/** Which events somebody wants; `tenants` undefined: those of all. */
export interface Wanted {
  readonly types: readonly LifecycleType[]
  readonly tenants: readonly string[] | undefined
}

/** What an interest works with. */
export interface InterestParts {
  readonly engine: Pick<Engine, 'registers' | 'problem'>
  readonly clock: Clock
  readonly control: Pick<ControlDesk, 'on' | 'tell'>
  readonly onError: (error: unknown) => void
}

/** How often a node looks who wants events; a node that begins to want some tells the others at once. */
const LOOK_MS = 5_000

/** How soon a look that failed is tried again. */
const AGAIN_MS = 500

/** Receivers of events in the whole cluster. */
export const DESTINATIONS_MAX = 1_000

/** Where more tenants are named, all of them are meant. */
const TENANTS_NAMED_MAX = 200

/** Which events anybody in the cluster wants. Nodes that nobody wants events of write none. What is wanted is remembered for a day after it was wanted last. */
export class Interest {
  readonly #parts: InterestParts
  readonly #onChange: () => void
  readonly #own = new Map<string, Wanted>()
  #wanted: readonly Wanted[] = []
  #known = ''
  #refreshedAt = -Infinity
  #looking: Promise<void> | undefined
  #again = false
  #stop: Cancel | undefined

  constructor(parts: InterestParts, onChange: () => void) {
    this.#parts = parts
    this.#onChange = onChange
    parts.control.on('lifecycle.interest', async () => {
      await this.look()
      return null
    })
  }

  /** Whether anybody wants anything. */
  get isAny(): boolean {
    return this.#wanted.length > 0
  }

  /** Whether anybody wants one of these events of a tenant. */
  wants(types: readonly LifecycleType[], tenant: string): boolean {
    return this.#wanted.some(
      (wanted) =>
        (wanted.tenants === undefined || wanted.tenants.includes(tenant)) &&
        types.some((type) => wanted.types.includes(type)),
    )
  }

  /** Looks from now on; resolves when it has, or could not. */
  start(): Promise<void> {
    this.#stop ??= this.#parts.clock.every(LOOK_MS, () => void this.look())
    return this.look()
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** A receiver on this node wants events from now on; resolves when that is known here, and was told to the others, or could not be. */
  want(destination: string, wanted: Wanted): Promise<void> {
    this.#own.set(destination, wanted)
    return this.look()
  }

  /** A receiver on this node wants nothing any more. Where other nodes have it, it stays. */
  async forget(destination: string): Promise<void> {
    if (!this.#own.delete(destination)) return
    await this.#parts.engine.registers.remove(INTEREST, destination).catch(this.#parts.onError)
    await this.#tellOthers()
  }

  /** Looks now. */
  look(): Promise<void> {
    this.#again = true
    this.#looking ??= this.#lookUntilSettled().finally(() => {
      this.#looking = undefined
      // Asked after the last round had ended.
      if (this.#again && this.#parts.engine.problem() === undefined) void this.look()
    })
    return this.#looking
  }

  async #lookUntilSettled(): Promise<void> {
    while (this.#again) {
      this.#again = false
      if (this.#parts.engine.problem() !== undefined) return
      await this.#lookOnce().catch((error: unknown) => this.#failed(error))
    }
  }

  /** What happens while it is not known whether anybody wants to hear of it is told late. */
  #failed(error: unknown): void {
    this.#parts.onError(error)
    if (this.#stop !== undefined) this.#parts.clock.after(AGAIN_MS, () => void this.look())
  }

  async #lookOnce(): Promise<void> {
    const { registers } = this.#parts.engine
    const entries = await registers.list(INTEREST, DESTINATIONS_MAX)
    const isEntered = await this.#enterOwn(entries)
    this.#take(isEntered ? await registers.list(INTEREST, DESTINATIONS_MAX) : entries)
    if (isEntered) await this.#tellOthers()
  }

  /** Enters what this node wants and the others do not know, and all of it again before it ends. Answers whether the others have to hear of it. */
  async #enterOwn(entries: readonly RegisterEntry[]): Promise<boolean> {
    const now = this.#parts.clock.now()
    const isDue = now - this.#refreshedAt >= ENTRY_MS / 24
    const stored = new Map(entries.map(({ key, value }) => [key, value]))
    let isNews = false
    for (const [key, own] of this.#own) {
      const value = JSON.stringify(unionOf(readWanted(stored.get(key)), own))
      if (stored.get(key) === value && !isDue) continue
      isNews ||= stored.get(key) !== value
      const request = { key, value, ttlMs: ENTRY_MS, entriesMax: DESTINATIONS_MAX }
      await this.#parts.engine.registers.put(INTEREST, request)
    }
    if (isDue) this.#refreshedAt = now
    return isNews
  }

  #take(entries: readonly RegisterEntry[]): void {
    const values = entries.map(({ key, value }) => `${key} ${value}`).toSorted()
    const known = values.join('\n')
    if (known === this.#known) return
    this.#known = known
    this.#wanted = entries.map(({ value }) => readWanted(value)).filter((wanted) => wanted !== undefined)
    this.#onChange()
  }

  #tellOthers(): Promise<void> {
    return this.#parts.control.tell('lifecycle.interest', {}).catch(this.#parts.onError)
  }
}

/** Nodes may differ in what they want, as they do while one version takes the place of another. */
function unionOf(stored: Wanted | undefined, own: Wanted): Wanted {
  const types = [...new Set([...(stored?.types ?? []), ...own.types])].toSorted()
  if (own.tenants === undefined || (stored !== undefined && stored.tenants === undefined))
    return { types, tenants: undefined }
  const tenants = [...new Set([...(stored?.tenants ?? []), ...own.tenants])].toSorted()
  return { types, tenants: tenants.length > TENANTS_NAMED_MAX ? undefined : tenants }
}

/** What an entry of `INTEREST` says; undefined for what is none. */
export function readWanted(text: string | undefined): Wanted | undefined {
  try {
    const { types, tenants } = JSON.parse(text ?? '') as { types?: unknown; tenants?: unknown }
    if (!Array.isArray(types) || !types.every(isLifecycleType)) return undefined
    if (tenants === undefined) return { types, tenants: undefined }
    return Array.isArray(tenants) && tenants.every((one) => typeof one === 'string') ? { types, tenants } : undefined
  } catch {
    return undefined
  }
}
