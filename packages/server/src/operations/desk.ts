import type { OperationSnapshot, OperationState } from '@holdfast/protocol'
import type { PhaseSpec } from './progress.js'

/** What an operation is to be. */
export interface OperationSpec {
  /** 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = - (default: the kind and a random part). Unique within the tenant. */
  readonly id?: string
  readonly kind: string
  readonly label?: string
  /** The user whose operation it is. */
  readonly owner: string
  /** Units there are, when known. */
  readonly total?: number
  /** What is counted: `files`, `rows`. */
  readonly unit?: string
  /** The steps, in order. */
  readonly phases?: readonly PhaseSpec[]
  /** Users besides the owner who may watch and cancel. */
  readonly sharedWith?: readonly string[]
  readonly metadata?: Readonly<Record<string, unknown>>
  /** The operation that this one is a part of, and how much of it relative to the other parts (default 1). */
  readonly parent?: string
  readonly weight?: number
  /** It waits for a worker, who begins it as an attempt (default false: it runs at once). */
  readonly queued?: boolean
  /** Milliseconds, or text such as `30s`, without a word of the worker after which it is stalled, 1s to 1d (default: the option `operations.lease`). */
  readonly lease?: number | string
  /** Milliseconds, or text such as `2h`, after which it is expired, however far it is. Default: never while its worker lives. */
  readonly expireAfter?: number | string
}

/** Which worker speaks, and in which order. */
export interface WorkerWord {
  /** The attempt that the worker has. Older ones are refused; default: the one in force. */
  readonly attempt?: number
  /** Rises with each word of an attempt; what is not higher than the last is a repeat, and changes nothing; but an `advance` that was overtaken on its way still counts, once. Default: as they come. */
  readonly sequence?: number
  /** Where the word was left, when it was left somewhere: `1690000000000-3`. What is not higher than the last changes nothing. */
  readonly entry?: string
}

/** What a worker says of its progress. Members left out stay as they are. */
export interface OperationReport extends WorkerWord {
  /**
   * 1 to 64 characters that name this report. Said again under its name it changes nothing, on whichever node, even where nobody could say whether it had been taken: of the newest 64 names of an
   * operation, for a day.
   */
  readonly key?: string
  /** Units done in this phase. */
  readonly done?: number
  /** Units more than before. */
  readonly advance?: number
  /** Units there are in this phase, when known; it may grow. */
  readonly total?: number
  /** 0 to 100 of this phase, for a worker that knows nothing else; not beside `done` and `advance`. */
  readonly percent?: number
  /** What is counted: `files`, `rows`; cut at 32 characters. */
  readonly unit?: string
  /** What is being worked on; cut at 1,024 characters, like the message. */
  readonly item?: string
  readonly message?: string
  /** The phase that it is in. Another one than before begins now, is told at once, and counts anew. */
  readonly phase?: string
  /** `waiting`: for something outside, a person for instance, so that time does not count. `running`: no more. */
  readonly state?: 'running' | 'waiting'
}

/** How a worker takes an operation. */
export interface AttemptOptions {
  /** Also from a worker that has it. */
  readonly force?: boolean
  /** 1 to 128 characters that no other worker has. One that has the operation already, and only did not hear of it, gets the same attempt again. */
  readonly worker?: string
  /** As in `WorkerWord`. */
  readonly entry?: string
}

/** How a worker ends an operation. */
export type OperationEnding = WorkerWord &
  (
    | {
        readonly state: 'completed'
        readonly result?: unknown
        /** Also while operations below it have not ended. */
        readonly regardless?: boolean
      }
    | {
        readonly state: 'failed'
        readonly error: { readonly code?: string; readonly message: string; readonly retryable?: boolean }
      }
    | { readonly state: 'cancelled' }
  )

/** Which operations of a tenant, newest first. */
export interface OperationQuery {
  /** Those of this user alone. */
  readonly owner?: string
  /** Those of this user, and those shared with it. */
  readonly visibleTo?: string
  /** Those below this one alone. */
  readonly parent?: string
  readonly states?: readonly OperationState[]
  readonly kind?: string
  /** 1 to 100 (default 50). */
  readonly limit?: number
  /** Goes on where a page ended: its `next`. */
  readonly cursor?: string
}

/** A page of operations. It may hold fewer than asked for, also none, and still have a `next`. */
export interface OperationPage {
  readonly operations: readonly OperationSnapshot[]
  /** Where the next page begins; absent at the end. */
  readonly next?: string
}

/**
 * What can be done with the operations of a tenant by whoever is not their worker in this process: over HTTP, through Redis, for the application. Every method throws a HoldfastError:
 * `not_found`, `bad_request` naming the member, `already_ended` (another end, or a report after it), `stale_report` (an older attempt), `children_running`, `already_held`,
 * `limit_exceeded`, `engine_unavailable`.
 */
export interface OperationDesk {
  /**
   * Begins an operation, or has it wait for a worker. `bad_request` when the id is in use; but where `entry` (as in `WorkerWord`) is not higher than the last of the operation that has
   * it, this is a repeat, and answers that operation.
   */
  create(tenant: string, spec: OperationSpec, options?: { readonly entry?: string }): Promise<OperationSnapshot>
  /** Undefined when the tenant has none of this id. */
  find(tenant: string, id: string): Promise<OperationSnapshot | undefined>
  /** When an operation was begun, or began to wait for a worker, in milliseconds since 1970; undefined when the tenant has none of this id. */
  createdAt(tenant: string, id: string): Promise<number | undefined>
  list(tenant: string, query: OperationQuery): Promise<OperationPage>
  /** A new attempt: of a queued or stalled operation, with `force` of one that a worker has. Answers the snapshot with its `attempt`. A repeat (`entry`, as in `WorkerWord`) changes nothing. */
  attempt(tenant: string, id: string, options?: AttemptOptions): Promise<OperationSnapshot>
  /**
   * Takes a report, and answers what watchers see or are about to see: `cancelRequested` says that the worker should stop. Updates are gathered; `stored` (default false) waits until
   * this one is written. With `isMeant` it is taken if that holds for what is stored, and written at once, as the next version of just that; else it is `stale_report`.
   */
  report(
    tenant: string,
    id: string,
    report: OperationReport,
    options?: { readonly stored?: boolean; readonly isMeant?: (stored: OperationSnapshot) => boolean },
  ): Promise<OperationSnapshot>
  /** The worker lives, and has nothing to say. */
  heartbeat(tenant: string, id: string, word?: WorkerWord): Promise<OperationSnapshot>
  /** Ends it. Stored and told when it resolves. The same end again is accepted, another is refused with `already_ended`. */
  end(tenant: string, id: string, ending: OperationEnding): Promise<OperationSnapshot>
  /** Asks the worker to stop. One that nobody works on (queued, stalled) is cancelled at once. `already_ended` when it has ended. */
  cancel(tenant: string, id: string): Promise<OperationSnapshot>
  /** Waits until the operation is at a version higher than `version`, or has ended, or `timeoutMs` are over; answers the snapshot then. */
  changed(
    tenant: string,
    id: string,
    wait: { readonly version: number | 'end'; readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<OperationSnapshot | undefined>
}
