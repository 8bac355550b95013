/** Takes what a listener threw or rejected with. */
export type Report = (error: unknown) => void

/** Listeners to events. One that throws is reported and disturbs nobody else. */
export class Emitter<Events extends object> {
  readonly #report: Report
  readonly #left: () => void
  readonly #listeners = new Set<Listener<Events>>()

  /** `left` is called at the end of each turn in which a listener went: one that is replaced within a turn is not missed. */
  constructor(report: Report, left: () => void = () => {}) {
    this.#report = report
    this.#left = left
  }

  /** Adds a listener; returns its undo. The same function may be added more than once. */
  on<E extends keyof Events>(event: E, call: (value: Events[E]) => unknown): () => void {
    const listener = { event, call }
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      queueMicrotask(this.#left)
    }
  }

  /** Calls the listeners of an event; a promise when one of them returned one, settled when they all have. Never rejects. */
  emit<E extends keyof Events>(event: E, value: Events[E]): Promise<unknown> | undefined {
    const pending: Promise<unknown>[] = []
    for (const { call } of this.#to(event)) {
      try {
        const result = call(value as never)
        if (isThenable(result)) pending.push(Promise.resolve(result).catch(this.#report))
      } catch (error) {
        this.#report(error)
      }
    }
    return pending.length > 0 ? Promise.all(pending) : undefined
  }

  /** Whether anybody listens: to one event, or to any. */
  has(event?: keyof Events): boolean {
    return this.#to(event).length > 0
  }

  /** Few listen to one thing, so that finding them costs less than keeping them apart. */
  #to(event: keyof Events | undefined): Listener<Events>[] {
    return [...this.#listeners].filter((listener) => !event || listener.event === event)
  }
}

interface Listener<Events> {
  readonly event: keyof Events
  readonly call: (value: never) => unknown
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
