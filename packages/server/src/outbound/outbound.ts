/** What the server asks of another server. */
export interface OutboundRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What the other server said, whatever it said: a redirect is an answer and is not followed. */
export interface OutboundAnswer {
  readonly status: number
  /** Names in small letters; of a header that came more than once, the values joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Why there is no answer: the address may not be asked; none came in time; it was too long; anything else. */
export type OutboundFailure = 'blocked' | 'timeout' | 'too_large' | 'failed'

/** Thrown where a request gets no answer. The message names neither path nor query of the address. */
export class OutboundError extends Error {
  readonly code: OutboundFailure

  constructor(code: OutboundFailure, message: string) {
    super(message)
    this.name = 'OutboundError'
    this.code = code
  }
}

/** The port through which the server asks others. Rejects with an `OutboundError` when there is no answer. */
export type Outbound = (request: OutboundRequest) => Promise<OutboundAnswer>
