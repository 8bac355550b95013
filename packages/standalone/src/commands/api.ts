import { EXIT, Failure, describeError } from '../failure.js'
import { OTHER_SECRET, type ServerAccess, unreachable } from './server-access.js'

/** How long an answer may take, waits that were asked for aside. */
const ANSWER_MS = 10_000

/** The server did not answer, or something on the way to it did. It may answer later. */
export class Unreachable extends Failure {
  constructor(message: string) {
    super(message)
    this.name = 'Unreachable'
  }
}

/** The server refused, and says why. */
export class Refusal extends Failure {
  /** An error code of the protocol. */
  readonly code: string
  readonly status: number
  /** Whether the same request may be taken later. */
  readonly retryable: boolean
  /** Milliseconds that the server asks to wait; 0 where it asks for none. */
  readonly retryAfterMs: number

  constructor(message: string, facts: Pick<Refusal, 'code' | 'status' | 'retryable' | 'retryAfterMs'>) {
    super(message)
    this.name = 'Refusal'
    this.code = facts.code
    this.status = facts.status
    this.retryable = facts.retryable
    this.retryAfterMs = facts.retryAfterMs
  }
}

/** What is asked of the server. */
export interface ApiRequest {
  /** Default `GET`. */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`: its parts, which are encoded here. */
  readonly path: readonly string[]
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** The same key has the request done once. */
  readonly key?: string
  readonly signal?: AbortSignal
}

/** The REST API of a server. */
export interface Api {
  /**
   * The body of the answer, undefined where it has none. Throws `Unreachable`, or a `Refusal` that a person can read. A signal that aborts ends it with the
   * code of Ctrl-C.
   */
  ask<T>(request: ApiRequest): Promise<T>
}

/** The REST API of the server that `access` names. */
export function apiOf(access: ServerAccess): Api {
  return {
    async ask<T>(request: ApiRequest): Promise<T> {
      const response = await send(access, request)
      const body = await bodyOf(response, access)
      if (!response.ok) throw refusalOf(response, body, access)
      return body as T
    },
  }
}

async function send(access: ServerAccess, request: ApiRequest): Promise<Response> {
  const { method = 'GET', body, key, signal } = request
  const headers = {
    authorization: `Bearer ${access.credential()}`,
    accept: 'application/json',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(key !== undefined && { 'idempotency-key': key }),
  }
  const deadline = AbortSignal.timeout(ANSWER_MS)
  try {
    return await fetch(addressOf(access, request), {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    })
  } catch (error) {
    if (signal?.aborted) throw new Failure('interrupted', EXIT.interrupted)
    throw new Unreachable(unreachable(access.origin, reasonOf(error)))
  }
}

function addressOf({ origin }: ServerAccess, { path, query = {} }: ApiRequest): URL {
  const url = new URL(['/api/v1', ...path.map(encodeURIComponent)].join('/'), origin)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

/** What `fetch` says is `fetch failed`; why, its cause does. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${ANSWER_MS / 1000} s`
  const { cause } = error as { cause?: unknown }
  // Of several addresses that were tried, none has a message of its own.
  return describeError(cause ?? error) || 'no answer'
}

async function bodyOf(response: Response, { origin }: ServerAccess): Promise<unknown> {
  try {
    const text = await response.text()
    if (text === '') return undefined
    return JSON.parse(text) as unknown
  } catch (error) {
    if (response.ok && !(error instanceof SyntaxError)) throw new Unreachable(unreachable(origin, reasonOf(error)))
    return undefined
  }
}

interface ErrorBody {
  readonly error?: {
    readonly code?: unknown
    readonly message?: unknown
    readonly retryable?: unknown
    readonly retryAfter?: unknown
  }
}

function refusalOf(response: Response, body: unknown, access: ServerAccess): Failure {
  const { status } = response
  const { code, message, retryable, retryAfter } = (body as ErrorBody | undefined)?.error ?? {}
  if (typeof code !== 'string') return strangerOf(status, access)
  const text = typeof message === 'string' ? message : `HTTP ${status}`
  const remedy = code === 'unauthenticated' && access.ownToken ? `. ${OTHER_SECRET}` : ''
  return new Refusal(`${text} (${code})${remedy}`, {
    code,
    status,
    retryable: retryable === true,
    retryAfterMs: typeof retryAfter === 'number' ? retryAfter : 0,
  })
}

/** An answer that no Holdfast gives: a proxy's own, or another program's. */
function strangerOf(status: number, { origin }: ServerAccess): Failure {
  if (status >= 500) return new Unreachable(unreachable(origin, `HTTP ${status} from what stands before it`))
  return new Failure(`${origin} answers HTTP ${status} to its REST API: is this a Holdfast server of this version?`)
}

/** What a command says of a failure: what it could not do, then why. */
export function because(what: string, error: unknown): unknown {
  if (!(error instanceof Refusal)) return error
  return new Failure(`${what}: ${error.message}`, error.exitCode)
}
