import type { Logger, Tenant } from '@holdfast/server'
import type { RunStatus } from '../store/store.js'

/** What is different now: of a schedule, a comparison or a template. */
export interface Change {
  readonly kind: 'schedule' | 'comparison' | 'template'
  readonly id: string
  readonly status: RunStatus | 'saved' | 'deleted'
}

/** Tells pages what is different, on `schedule:{id}`, `comparison:{id}` and the `user:{id}` of the owner. They ask for the rest. */
export class Changes {
  readonly #tenant: Pick<Tenant, 'publish'>
  readonly #log: Logger

  constructor(tenant: Pick<Tenant, 'publish'>, log: Logger) {
    this.#tenant = tenant
    this.#log = log
  }

  /** Never rejects: a page that missed a change sees it when it looks again. */
  async tell(userId: string, { kind, id, status }: Change): Promise<void> {
    try {
      if (kind !== 'template') await this.#tenant.publish(`${kind}:${id}`, 'changed', { id, status })
      await this.#tenant.publish(`user:${userId}`, 'changed', { kind, id, status })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log.warn({ event: 'change.untold', kind, id, reason }, 'a change could not be told')
    }
  }
}
