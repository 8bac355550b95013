import type { Listening } from '../holdfast.js'

/** An answer of the API. */
export interface ApiAnswer<T = Record<string, unknown>> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

/** How an API client asks. */
export interface ApiQuestion {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Asks the API of a node. */
export type ApiClient = (line: string, question?: ApiQuestion) => Promise<ApiAnswer>

/** A client of the API of a node with a credential. The line is a method and a path: `POST /operations`. A body that is no text is written as JSON. */
export function apiClient({ host, port }: Pick<Listening, 'host' | 'port'>, credential?: string): ApiClient {
  return async (line, { body, headers = {}, signal } = {}) => {
    const [method = 'GET', path = ''] = line.split(' ')
    const answer = await fetch(`http://${host}:${port}/api/v1${path}`, {
      method,
      headers: {
        ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      headers: answer.headers,
    }
  }
}

/** What a refusal says: its status and code, and the field where it names one. */
export function errorOf({ status, body }: ApiAnswer): unknown {
  const { code, field } = body['error'] as { code: string; field?: string }
  return field === undefined ? [status, code] : [status, code, field]
}
