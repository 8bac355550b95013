import { type Clock, systemClock } from '../clock.js'

/** Something outside of React whose state components read: it begins with the first of them, and ends with the last. */
export class Store<T> {
  readonly #listeners = new Set<() => void>()
  readonly #begin: () => () => void
  readonly #clock: Clock
  #state: T
  #end: (() => void) | undefined
  #isTelling = false

  /** `begin` is called with the first listener, and answers what ends it. */
  constructor(state: T, begin: () => () => void, clock: Clock = systemClock) {
    this.#state = state
    this.#begin = begin
    this.#clock = clock
  }

  /** The state; the same object until it changes. */
  readonly get = (): T => this.#state

  /** Adds a listener; returns its undo. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#end = this.#begin()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#end?.()
      this.#end = undefined
    }
  }

  /** Changes members of the state. Listeners hear of it once for all that changes in a row: a thousand messages that are recovered are one rendering. */
  set(changes: Partial<T>): void {
    const before = this.#state
    if (Object.entries(changes).every(([name, value]) => Object.is(before[name as keyof T], value))) return
    this.#state = { ...before, ...changes }
    if (this.#isTelling) return
    this.#isTelling = true
    this.#clock.after(0, () => {
      this.#isTelling = false
      for (const listener of [...this.#listeners]) listener()
    })
  }
}
