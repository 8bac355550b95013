import { systemClock } from '../../clock.js'
import { currentSession, refuse } from '../session/session.js'
import type { Problem } from './answers.js'

/** What the server refused, or that it could not be reached (`unreachable`). The message says what to do. */
export class RequestError extends Error {
  readonly code: string
  readonly status: number
  /** What is wrong with what was sent, row by row. */
  readonly problems: readonly Problem[]

  constructor(code: string, message: string, status: number, problems: readonly Problem[] = []) {
    super(message)
    this.name = 'RequestError'
    this.code = code
    this.status = status
    this.problems = problems
  }
}

/** What is sent along with a request. */
export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as a form with files. */
  readonly form?: FormData
  /** The `Idempotency-Key`, under which the same is done once. */
  readonly key?: string
  /** Whoever is signed in has nothing to do with it: it goes without the token, and a refusal says nothing of the session. */
  readonly isOpen?: boolean
  /** Goes on although the page is closed. */
  readonly outlivesPage?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds without a word in which an answer has to begin, and to go on: what only reads may soon be asked again, what brings a file takes its time. */
const READ_MS = 30_000
const WORK_MS = 120_000
/** A report of thousands of lots waits for those before it, and is written whole before it is sent. */
const FILE_MS = 600_000

/**
 * Asks the REST API and answers the JSON, or undefined where there is none. Throws a `RequestError`, also where the answer was lost half-way or does not come. A token
 * that is no longer good ends the session.
 */
export function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const limitMs = asked.method === undefined || asked.method === 'GET' ? READ_MS : WORK_MS
  return exchange(path, asked, limitMs, async (response) =>
    response.status === 204 ? (undefined as T) : ((await response.json()) as T),
  )
}

/** The same for a file: its bytes and the name that the server gave it. */
export function askFile(path: string): Promise<{ readonly blob: Blob; readonly name: string | undefined }> {
  return exchange(path, {}, FILE_MS, async (response) => {
    const disposition = response.headers.get('content-disposition') ?? ''
    return { blob: await response.blob(), name: /filename="?([^";]+)"?/.exec(disposition)?.[1] }
  })
}

async function exchange<T>(
  path: string,
  asked: Asked,
  limitMs: number,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const wait = (): (() => void) => systemClock.after(limitMs, () => late.abort())
  let undo = wait()
  if (asked.signal) reading += 1
  const heard = (): void => {
    undo()
    undo = wait()
  }
  try {
    const response = await send(path, asked, late.signal)
    return await read(listened(response, heard))
  } catch (error) {
    if (error instanceof RequestError || asked.signal?.aborted) throw error
    throw new RequestError('unreachable', late.signal.aborted ? SILENT : UNREACHABLE, 0)
  } finally {
    undo()
    if (asked.signal) reading -= 1
  }
}

let reading = 0

/** Whether something is being read for a page, which asking again would only begin anew. */
export function isReading(): boolean {
  return reading > 0
}

/** The same answer; calls back with each part of it that comes: a slow line is none that is silent. */
function listened(response: Response, onPart: () => void): Response {
  // Of an answer without content browsers give an empty body, which no other such answer may have.
  if (response.body === null || response.status === 204) return response
  const parts = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform: (part, controller) => {
      onPart()
      controller.enqueue(part)
    },
  })
  return new Response(response.body.pipeThrough(parts), response)
}

const UNREACHABLE = 'The server cannot be reached. Check your connection, then try again.'
const SILENT = 'The server does not answer. Check your connection, then try again.'

async function send(path: string, asked: Asked, late: AbortSignal): Promise<Response> {
  const { method = 'GET', json, form, key, signal } = asked
  const session = asked.isOpen ? undefined : currentSession()
  const headers = new Headers(session ? { authorization: `Bearer ${session.token}` } : {})
  if (json !== undefined) headers.set('content-type', 'application/json')
  if (key !== undefined) headers.set('idempotency-key', key)
  const body = form ?? (json === undefined ? null : JSON.stringify(json))
  const either = signal ? AbortSignal.any([signal, late]) : late
  const keepalive = asked.outlivesPage === true
  const response = await fetch(`/api/v1${path}`, { method, headers, body, signal: either, keepalive })
  if (response.ok) return response
  const refused = await refusal(response)
  if (response.status !== 401 || !session) throw refused
  refuse(session.token)
  throw new RequestError(refused.code, 'Your session had ended, and nothing was done. Try again.', 401)
}

interface Refused {
  readonly error?: {
    readonly code?: string
    readonly message?: string
    readonly details?: { readonly problems?: readonly Problem[] }
  }
}

async function refusal(response: Response): Promise<RequestError> {
  const { error } = (await response.json().catch(() => ({}))) as Refused
  const message = error?.message ?? `The server answered ${response.status}. Try again in a moment.`
  return new RequestError(error?.code ?? 'refused', message, response.status, error?.details?.problems)
}

/** Whether nobody knows what became of a request, or the same one may be answered later: the line broke, or the server had no time. */
export function isPassing(error: unknown): error is RequestError {
  return error instanceof RequestError && ([0, 408, 429].includes(error.status) || error.status >= 500)
}

/** Whether a request was refused because the session was over. */
export function isSessionOver(error: unknown): error is RequestError {
  return error instanceof RequestError && error.status === 401
}

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong. Try again.'
}
