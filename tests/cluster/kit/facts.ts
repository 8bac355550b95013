/** Where a message stands in its channel. */
export interface Place {
  readonly epoch: string
  readonly offset: number
}

/** Which channel, of which tenant. */
export interface Where {
  readonly tenant: string
  readonly channel: string
}

/** One reader: a client and a channel that it listens to. */
export interface Who extends Where {
  readonly client: string
}

/** What is stored at an offset: offset, id, the publish that it came from, and the hash of its payload. */
export type Entry = readonly [offset: number, id: string, publish: string, hash: string]

/**
 * One thing that a process did or learnt. A publish is begun once (`invoke`) and ends as `ok` (once or, asked again with the same key,
 * more often), `fail` (it certainly did not happen) or `info` (nobody knows). Everything about a reader is written in the order in
 * which its application was told.
 */
export type Fact =
  | (Where & {
      readonly t: 'invoke'
      readonly publish: string
      /** The key that makes it idempotent, with the user it belongs to. */
      readonly key?: string
      readonly user?: string
      readonly hash: string
    })
  | (Place & { readonly t: 'ok'; readonly publish: string; readonly id: string; readonly duplicate: boolean })
  | { readonly t: 'fail' | 'info'; readonly publish: string; readonly code: string }
  | (Who &
      Place & {
        readonly t: 'subscribed'
        readonly recovered: 'new' | 'full' | 'gap'
        /** Messages that follow now; the first of them is at `offset - messages + 1`. */
        readonly messages: number
        readonly gap?: Range
      })
  | (Who & {
      readonly t: 'deliver'
      readonly epoch: string
      /** Absent on what is not stored. */
      readonly offset?: number
      readonly id: string
      readonly publish: string
      readonly hash: string
      /** Who the payload says it belongs to. */
      readonly canary: string
    })
  | (Who & Range & { readonly t: 'gap' })
  /** Where a gap that was told while connected lets the reader go on. */
  | (Who & Place & { readonly t: 'moved' })
  /** At the end: where the reader is, and how. */
  | (Who & Partial<Place> & { readonly t: 'rest'; readonly status: string })
  /** The client was ended on purpose: nothing more is expected of it. */
  | { readonly t: 'gone'; readonly client: string }
  | { readonly t: 'state'; readonly client: string; readonly state: string; readonly reason: string }
  /** All that a node reads of a channel, oldest first. */
  | (Where & {
      readonly t: 'log'
      readonly node: string
      readonly epoch: string
      readonly entries: readonly Entry[]
    })
  | { readonly t: 'fault'; readonly name: string; readonly phase: 'begin' | 'end' }
  | { readonly t: 'exit'; readonly process: string; readonly status: string; readonly expected: boolean }
  | { readonly t: 'operation-begun'; readonly tenant: string; readonly id: string }
  | (OperationView & { readonly t: 'operation'; readonly watcher: string })
  /** What a node reads of an operation at the end. */
  | (OperationView & { readonly t: 'operation-read'; readonly node: string })
  | (Who & { readonly t: 'presence'; readonly change: 'joined' | 'left'; readonly user: string })
  | (Where & { readonly t: 'presence-read'; readonly node: string; readonly members: readonly Present[] })
  /** Who is there in truth, at rest. */
  | (Where & { readonly t: 'presence-live'; readonly members: readonly Present[] })

/** A user, and how many connections of that user are there. */
export type Present = readonly [user: string, connections: number]

/** Offsets that were not received: `from` to `to`, or nobody knows how far. */
export interface Range {
  readonly from: number
  readonly to: number | null
  readonly reason: string
}

/** An operation as somebody sees it. */
export interface OperationView {
  readonly tenant: string
  readonly id: string
  readonly attempt: number
  readonly version: number
  readonly state: string
  readonly percent?: number
}

/** A fact with when it was written (milliseconds of one clock for all processes of a machine) and by which process. */
export type Stamped = Fact & { readonly at: number; readonly by: string }
