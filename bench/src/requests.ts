import type { CandidateName, WorkWay } from './candidates/candidate.js'
import type { SliceLoad } from './load.js'

/** What the run asks of a server's process, and the answer to each. */
export interface ServerRequests {
  /** Microseconds of CPU, user and kernel, of the whole process since it started. */
  cpu: { readonly input: null; readonly output: number }
  /** Memory after forced collections. */
  memory: { readonly input: null; readonly output: MemoryFigures }
  /** Begins pieces of work. */
  begin: { readonly input: { pieces: number; way: WorkWay }; readonly output: null }
  /** Has the work reported on for a while, at a pace. */
  report: { readonly input: { perSecond: number; durationMs: number }; readonly output: WorkDone }
  /** Ends all work; answers the number of the last text. */
  end: { readonly input: null; readonly output: number }
}

/** What the run asks of the generator's process, and the answer to each. */
export interface GeneratorRequests {
  /** Gathers a crowd at a server; `layout` says which channels. */
  gather: {
    readonly input: { candidate: CandidateName; port: number; size: number; layout: CrowdLayout }
    readonly output: null
  }
  /** Publishes for a while to the one channel that the crowd of a candidate shares. */
  slice: {
    readonly input: { candidate: CandidateName; k: number; durationMs: number }
    readonly output: SliceLoad
  }
  /** Waits until every connection of a crowd has had a text with this number; answers how many have not within 10 seconds. */
  caughtUp: { readonly input: { candidate: CandidateName; sequence: number }; readonly output: number }
  /** Ends the crowd of a candidate. Fails when one of its connections had ended before. */
  disperse: { readonly input: { candidate: CandidateName }; readonly output: null }
}

/** Which channels the connections of a crowd subscribe to. */
export type CrowdLayout = 'one-channel' | 'two-channels' | 'operations'

/** What a server did of its work in a slice. */
export interface WorkDone {
  readonly reports: number
  readonly elapsedMs: number
  /** CPU of the whole process, user and kernel, in microseconds. */
  readonly cpuMicros: number
}

/** Bytes. */
export interface MemoryFigures {
  readonly residentBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
}

/** A table of requests: what goes in, and what comes out. */
export type RequestTable<T> = { [Name in keyof T]: { readonly input: unknown; readonly output: unknown } }

/** A request under way between two processes. */
export interface Request {
  readonly number: number
  readonly name: string
  readonly input: unknown
}

/** The answer to a request: its output, or why there is none. */
export interface Answer {
  readonly number: number
  readonly output?: unknown
  readonly problem?: string
}

/** One function per request. */
export type RequestHandlers<T extends RequestTable<T>> = {
  [Name in keyof T]: (input: T[Name]['input']) => Promise<T[Name]['output']> | T[Name]['output']
}

/** Answers the requests of the parent process, one after the other, and ends this process when the parent goes away. */
export function answerRequests<T extends RequestTable<T>>(handlers: RequestHandlers<T>, leave: () => void): void {
  const table = handlers as Record<string, ((input: unknown) => unknown) | undefined>
  process.on('disconnect', leave)
  process.on('message', (request: Request) => {
    void answer(request, table[request.name])
  })
}

async function answer({ number, name, input }: Request, handler?: (input: unknown) => unknown): Promise<void> {
  try {
    if (handler === undefined) throw new Error(`no such request: ${name}`)
    send({ number, output: await handler(input) })
  } catch (error) {
    send({ number, problem: error instanceof Error ? error.message : String(error) })
  }
}

function send(message: Answer): void {
  process.send?.(message)
}
