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
  readonly signal?: AbortSignal | undefined
}

/** Asks the REST API and answers the JSON, or undefined where there is none. Throws a `RequestError`. A token that is no longer good ends the session. */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const response = await send(path, asked)
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

/** The same for a file: its bytes and the name that the server gave it. */
export async function askFile(path: string): Promise<{ readonly blob: Blob; readonly name: string | undefined }> {
  const response = await send(path, {})
  const disposition = response.headers.get('content-disposition') ?? ''
  return { blob: await response.blob(), name: /filename="?([^";]+)"?/.exec(disposition)?.[1] }
}

async function send(path: string, { method = 'GET', json, form, signal }: Asked): Promise<Response> {
  const session = currentSession()
  const headers = new Headers(session ? { authorization: `Bearer ${session.token}` } : {})
  if (json !== undefined) headers.set('content-type', 'application/json')
  const body = form ?? (json === undefined ? null : JSON.stringify(json))
  const response = await reached(fetch(`/api/v1${path}`, { method, headers, body, signal: signal ?? null }))
  if (response.ok) return response
  if (response.status === 401 && session) refuse(session.token)
  throw await refusal(response)
}

async function reached(asked: Promise<Response>): Promise<Response> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new RequestError('unreachable', 'The server cannot be reached. Check your connection, then try again.', 0)
  }
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

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong. Try again.'
}
