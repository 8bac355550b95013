import type { Logger } from '@holdfast/server'

/** What was opened, to be closed in the opposite order, whatever happens. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = []
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  async all(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) {
      await step().catch((error: unknown) =>
        this.#log.warn({ reason: String(error) }, 'not everything could be closed'),
      )
    }
  }
}
