import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/** How long one request may take. */
const REQUEST_MS = 10_000
/** For how long a request is tried again, so that a restart of the server is survived. */
const PATIENCE_MS = 300_000
const DELAY_MIN_MS = 200
const DELAY_MAX_MS = 5_000

/** What the server says no with. `code` is a word of its table of errors, or `unreachable`. */
export class ApiError extends Error {
  constructor(code, message, { status = 0, retryable = false, retryAfterMs = 0 } = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.retryable = retryable
    this.retryAfterMs = retryAfterMs
  }
}

/** The HTTP API of a Holdfast server, as one bearer may use it. `url` is that of the server, `http://127.0.0.1:8000`. */
export class Api {
  #base
  #token

  constructor(url, token) {
    this.#base = new URL('/api/v1/', url)
    this.#token = token
  }

  /**
   * Sends a request and answers the body. What passes (no connection, 429, 503 and the like) is tried again, under the same `Idempotency-Key`, so
   * that a lost answer does nothing twice. Rejects with an ApiError. `patienceMs` 0: tries once.
   */
  async call(method, path, body, { patienceMs = PATIENCE_MS, signal } = {}) {
    const key = randomUUID()
    const until = Date.now() + patienceMs
    for (let delay = DELAY_MIN_MS; ; delay = Math.min(delay * 2, DELAY_MAX_MS)) {
      try {
        return await this.#send(method, path, body, key, signal)
      } catch (error) {
        const waitMs = Math.max(error.retryAfterMs ?? 0, delay * (0.5 + Math.random() / 2))
        if (!error.retryable || Date.now() + waitMs > until) throw error
        await pause(waitMs, undefined, { signal })
      }
    }
  }

  async #send(method, path, body, key, signal) {
    const deadline = AbortSignal.timeout(REQUEST_MS)
    const headers = { authorization: `Bearer ${this.#token}` }
    if (body !== undefined) Object.assign(headers, { 'content-type': 'application/json', 'idempotency-key': key })
    const response = await fetch(new URL(path, this.#base), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    }).catch((cause) => {
      if (signal?.aborted) throw signal.reason
      throw new ApiError('unreachable', `${this.#base.origin} does not answer: ${cause.message}`, { retryable: true })
    })
    const answer = await response.json().catch(() => ({}))
    if (!response.ok) throw refusal(response, answer)
    return answer
  }
}

function refusal({ status, headers }, answer) {
  const {
    code = `http_${status}`,
    message = `The server answered ${status}`,
    retryable = status >= 500,
  } = answer.error ?? {}
  const retryAfterMs = Number(headers.get('retry-after') ?? 0) * 1000
  return new ApiError(code, message, { status, retryable, retryAfterMs })
}
