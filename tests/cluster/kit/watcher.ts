import type { Operation } from '@holdfast/client'
import type { History } from './history.js'

/** Watches one operation and writes down everything that an application is told of it. */
export class Watcher {
  readonly #name: string
  #hasEnded = false

  constructor(client: string, tenant: string, operation: Operation, history: History) {
    this.#name = `${client}, who watches ${operation.id}`
    operation.on('progress', ({ snapshot }) => {
      const { id, attempt, version, state, progress } = snapshot
      const percent = progress.percent === undefined ? {} : { percent: progress.percent }
      history.note({ t: 'operation', watcher: client, tenant, id, attempt, version, state, ...percent })
    })
    operation.on('ended', () => (this.#hasEnded = true))
  }

  /** It was told how the operation ended. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  toString(): string {
    return this.#name
  }
}
