/** Takes what a listener threw or rejected with. */
export type Report = (error: unknown) => void

/** Listeners by event. A listener that throws is reported and disturbs nobody else. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<{ readonly call: (value: never) => unknown }>>()
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  /** Adds a listener; returns its undo. The same function may be added more than once. */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => unknown): () => void {
    const entry = { call: listener }
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(entry))
    return () => {
      listeners.delete(entry)
      if (listeners.size === 0 && this.#listeners.get(event) === listeners) this.#listeners.delete(event)
    }
  }

  /** Calls the listeners of an event; a promise when one of them returned one, settled when they all have. Never rejects. */
  emit<E extends keyof Events>(event: E, value: Events[E]): Promise<unknown> | undefined {
    const pending: Promise<unknown>[] = []
    for (const { call } of [...(this.#listeners.get(event) ?? [])]) {
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
    return event === undefined ? this.#listeners.size > 0 : this.#listeners.has(event)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
