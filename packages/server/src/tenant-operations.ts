import type { OperationSnapshot } from '@holdfast/protocol'
import type { OperationDesk, OperationSpec } from './operations/desk.js'
import type { Operation } from './operations/operation.js'
import type { Operations, WorkerSpec } from './operations/operations.js'

type Bound<K extends keyof OperationDesk> = OperationDesk[K] extends (tenant: string, ...rest: infer R) => infer A
  ? (...rest: R) => A
  : never

/** The operations of one tenant: those whose worker is in this process, and, as over HTTP, those whose worker is anywhere. */
export interface TenantOperations {
  /** Runs `work` as an operation that ends however `work` does; resolves to its result, rejects with its error. */
  run<T>(spec: WorkerSpec, work: (operation: Operation) => Promise<T> | T): Promise<T>
  /** Begins an operation that the caller reports on and must end. */
  start(spec: WorkerSpec): Promise<Operation>
  /** Takes up one that is queued or stalled, with `force` one that another worker has: a new attempt, which the caller reports on and must end. */
  take(
    id: string,
    options?: { readonly force?: boolean; readonly worker?: string; readonly heartbeat?: 'manual' },
  ): Promise<Operation>
  /** Begins an operation whose worker is elsewhere, or, `queued`, one that waits for a worker. */
  create(spec: OperationSpec): Promise<OperationSnapshot>
  /** Undefined when there is none of this id. */
  get(id: string): Promise<OperationSnapshot | undefined>
  /** A page of them, newest first. */
  readonly list: Bound<'list'>
  /** A new attempt for a worker that is elsewhere; its number is in the snapshot. */
  readonly attempt: Bound<'attempt'>
  readonly report: Bound<'report'>
  readonly heartbeat: Bound<'heartbeat'>
  readonly end: Bound<'end'>
  /** Resolves when it has changed or ended, or time is over. */
  readonly changed: Bound<'changed'>
  /** Asks for an operation to stop; false when there is none or it has ended. */
  cancel(id: string): Promise<boolean>
}

/** What an application does with the operations of a tenant. */
export function tenantOperations(operations: Operations, tenant: string): TenantOperations {
  return {
    run: (spec, work) => operations.run(tenant, spec, work),
    start: (spec) => operations.start(tenant, spec),
    take: (id, options) => operations.take(tenant, id, options),
    create: (spec) => operations.create(tenant, spec),
    get: (id) => operations.get(tenant, id),
    list: (query) => operations.list(tenant, query),
    attempt: (id, options) => operations.attempt(tenant, id, options),
    report: (id, report, options) => operations.report(tenant, id, report, options),
    heartbeat: (id, word) => operations.heartbeat(tenant, id, word),
    end: (id, ending) => operations.end(tenant, id, ending),
    changed: (id, wait) => operations.changed(tenant, id, wait),
    cancel: (id) => operations.requestCancel(tenant, id),
  }
}
