import type { Clock } from '../clock.js'
import type { Logger } from '../telemetry/log.js'
import { errorFields } from '../telemetry/log.js'
import type { Delivery, Destination } from './destination.js'
import { type LifecycleEvent, type LifecycleEvents, type LifecycleType, isLifecycleType } from './event.js'
import type { Wanted } from './interest.js'

/** What an application does about an event. One that throws or rejects is called again with the same event. */
export type LifecycleHook<T extends LifecycleType> = (event: LifecycleEvents[T]) => unknown

/** What hooks work with. */
export interface HooksParts {
  readonly clock: Pick<Clock, 'after'>
  readonly log: Logger
  /** Which events are wanted is different now. */
  readonly onChange: () => void
}

interface Hook {
  readonly type: LifecycleType
  /** Undefined: of all tenants. */
  readonly tenant: string | undefined
  readonly run: (event: never) => unknown
}

/** How long a hook may take; one that takes longer counts as failed, though nobody can stop it. */
const HOOK_MS = 30_000

/** Events of which some hooks are done and others failed. */
const PARTLY_MAX = 10_000

/** The hooks of this process, as one destination of events: all of them get an event before it is done. */
export class Hooks implements Destination {
  readonly id = 'hooks'
  readonly name = 'hooks'
  readonly batchMax = 1
  readonly atOncePerTenant = 16
  readonly atOnce = 64
  readonly #parts: HooksParts
  readonly #hooks = new Set<Hook>()
  /** By event, the hooks that need not be called again. */
  readonly #partly = new Map<string, Set<Hook>>()

  constructor(parts: HooksParts) {
    this.#parts = parts
  }

  /** Which events they are for; undefined: there are no hooks. */
  get wanted(): Wanted | undefined {
    if (this.#hooks.size === 0) return undefined
    const hooks = [...this.#hooks]
    const types = [...new Set(hooks.map(({ type }) => type))].toSorted()
    const tenants = [...new Set(hooks.map(({ tenant }) => tenant))].filter((tenant) => tenant !== undefined).toSorted()
    return { types, tenants: hooks.some(({ tenant }) => tenant === undefined) ? undefined : tenants }
  }

  /** Adds a hook; answers its undo. @throws RangeError when there is no such event. */
  on<T extends LifecycleType>(type: T, run: LifecycleHook<T>, tenant?: string): () => void {
    if (!isLifecycleType(type)) throw new RangeError(`there is no lifecycle event ${JSON.stringify(type)}`)
    if (typeof run !== 'function') throw new TypeError(`a hook must be a function, received ${typeof run}`)
    const hook: Hook = { type, tenant, run }
    this.#hooks.add(hook)
    this.#parts.onChange()
    return () => {
      if (this.#hooks.delete(hook)) this.#parts.onChange()
    }
  }

  wants(type: LifecycleType, tenant: string): boolean {
    for (const hook of this.#hooks) if (concerns(hook, type, tenant)) return true
    return false
  }

  async deliver(tenant: string, [event]: readonly LifecycleEvent[]): Promise<Delivery> {
    if (event === undefined) return 'taken'
    const done = this.#partly.get(event.id) ?? new Set<Hook>()
    const due = [...this.#hooks].filter((hook) => concerns(hook, event.type, tenant) && !done.has(hook))
    const outcomes = await Promise.all(due.map((hook) => this.#call(hook, event)))
    due.forEach((hook, at) => void (outcomes[at] === true && done.add(hook)))
    this.#partly.delete(event.id)
    if (!outcomes.includes(false)) return 'taken'
    this.#rememberPartly(event.id, done)
    return 'unreachable'
  }

  /** The oldest is forgotten first: it may have been given up. */
  #rememberPartly(id: string, done: Set<Hook>): void {
    const [oldest] = this.#partly.size >= PARTLY_MAX ? this.#partly.keys() : []
    if (oldest !== undefined) this.#partly.delete(oldest)
    this.#partly.set(id, done)
  }

  async #call({ run }: Hook, event: LifecycleEvent): Promise<boolean> {
    try {
      await this.#inTime(Promise.resolve(run(event as never)))
      return true
    } catch (error) {
      const { id, type, tenant } = event
      const fields = { event: 'hook.failed', type, tenant, id, ...errorFields(error) }
      this.#parts.log.error(fields, 'a lifecycle hook failed and is called again')
      return false
    }
  }

  #inTime(work: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`the hook took more than ${HOOK_MS} ms`))
      const cancel = this.#parts.clock.after(HOOK_MS, late)
      work.then(resolve, reject).finally(cancel)
    })
  }
}

function concerns(hook: Hook, type: LifecycleType, tenant: string): boolean {
  return hook.type === type && (hook.tenant === undefined || hook.tenant === tenant)
}
