import type { CandidateName } from './candidates/candidate.js'
import type { SliceLoad } from './load.js'

/** What the run asks of a server's process, and the answer to each. */
export interface ServerRequests {
  /** Microseconds of CPU, user and kernel, of the whole process since it started. */
  cpu: { readonly input: null; readonly output: number }
  /** Memory after forced collections. */
  memory: { readonly input: null; readonly output: MemoryFigures }
}

/** What the run asks of the generator's process, and the answer to each. */
export interface GeneratorRequests {
  /** Gathers a crowd at a server; `spread` gives each connection two channels of its size instead of one for all. */
  gather: {
    readonly input: { candidate: CandidateName; port: number; size: number; layout: CrowdLayout }
    readonly output: null
  }
  /** Publishes for a while to the one channel that the crowd of a candidate shares. */
  slice: {
    readonly input: { candidate: CandidateName; k: number; durationMs: number }
    readonly output: SliceLoad
  }
  /** Ends the crowd of a candidate. Fails when one of its connections had ended before. */
  disperse: { readonly input: { candidate: CandidateName }; readonly output: null }
}

/** Which channels the connections of a crowd subscribe to. */
export type CrowdLayout = 'one-channel' | 'two-channels'

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
