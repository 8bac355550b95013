import type { Clock } from './clock.js'

/** Milliseconds after which somebody who said nothing more is taken to have stopped. */
export const TYPING_EXPIRES_MS = 5000

/** Milliseconds between two signals of somebody who goes on typing; well inside the expiry. */
export const TYPING_REPEAT_MS = 2000

/** Somebody began or stopped typing. */
export interface Typing {
  readonly user: string
  readonly active: boolean
  /** Everybody who types now, ourselves left out. */
  readonly typers: readonly string[]
}

/** Who types in a channel, and what we tell of ourselves. */
export class TypingWatch {
  readonly #clock: Clock
  readonly #send: (active: boolean) => void
  readonly #changed: (typing: Typing) => void
  readonly #typers = new Map<string, () => void>()
  /** When we told that we type; 0 when we do not. */
  #toldAt = 0

  constructor(clock: Clock, send: (active: boolean) => void, changed: (typing: Typing) => void) {
    this.#clock = clock
    this.#send = send
    this.#changed = changed
  }

  /** Everybody who types now, ourselves left out. */
  get typers(): readonly string[] {
    return [...this.#typers.keys()]
  }

  /** Tells the others; may be called at every keystroke. */
  tell(active: boolean): void {
    const now = this.#clock.now()
    // A clock that was set back must not make it longer.
    if (active ? Math.abs(now - this.#toldAt) < TYPING_REPEAT_MS : this.#toldAt === 0) return
    this.#toldAt = active ? now : 0
    this.#send(active)
  }

  /** Takes what another user tells. */
  hear(user: string, active: boolean): void {
    const stop = this.#typers.get(user)
    stop?.()
    if (active)
      this.#typers.set(
        user,
        this.#clock.after(TYPING_EXPIRES_MS, () => this.hear(user, false)),
      )
    else this.#typers.delete(user)
    if (active !== (stop !== undefined)) this.#changed({ user, active, typers: this.typers })
  }

  /** Forgets everybody, without a word. */
  stop(): void {
    for (const stop of this.#typers.values()) stop()
    this.#typers.clear()
    this.#toldAt = 0
  }
}
