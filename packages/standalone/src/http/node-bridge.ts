import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { SECURITY_HEADERS } from '@holdfast/server'
import { refusal } from './site.js'

/** Bytes of the largest request body that is read before the handler is asked. */
export const BODY_BYTES_MAX = 16_384

class BodyTooLarge extends Error {}

/** A fetch-style handler that is told what Node has of the request and of its answer. */
export type BridgedHandler = (
  request: Request,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) => Promise<Response>

/** Methods that a `Request` cannot have (fetch standard, 2.2.1). */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK']

/** How a request is handed to its handler. */
export interface BridgeOptions {
  /** Whether a handler reads the body of this path itself, as it comes, within bounds of its own. Default: none does. */
  readonly streams?: (path: string) => boolean
}

/**
 * Node's HTTP listener for a fetch-style handler. Bodies over `BODY_BYTES_MAX` are answered 413, methods that fetch forbids 405; what
 * the handler throws 500; an answer whose body breaks is cut. The signal of a request is aborted when the client goes away before its answer has ended.
 */
export function toNodeListener(
  handle: BridgedHandler,
  onError: (error: unknown) => void,
  { streams = () => false }: BridgeOptions = {},
): RequestListener {
  return (incoming, outgoing) => {
    const gone = new AbortController()
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort()
    })
    const tied = (request: Request): Promise<Response> => handle(request, incoming, outgoing)
    void answer(tied, incoming, { streams, signal: gone.signal })
      .catch((error: unknown) => {
        if (error instanceof BodyTooLarge)
          return refusal(413, 'body_too_large', `A body may hold ${BODY_BYTES_MAX} bytes`)
        if (!isReset(error)) onError(error)
        return refusal(500, 'internal_error', 'The server made a mistake')
      })
      .then((response) => send(response, incoming, outgoing))
      .catch((error: unknown) => {
        // Half an answer must not look like a whole one, and nobody must wait for the rest.
        outgoing.destroy()
        onError(error)
      })
  }
}

/** The client went away: its doing, and nobody is left to answer. */
function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  { streams, signal }: Required<BridgeOptions> & { readonly signal: AbortSignal },
): Promise<Response> {
  const url = toUrl(incoming)
  if (url === undefined) return refusal(400, 'bad_request', 'The address or the Host header is not valid')
  const method = incoming.method ?? 'GET'
  if (FORBIDDEN_METHODS.includes(method))
    return refusal(405, 'method_not_allowed', `${method} is not taken at any address`)
  const init = { method, headers: toHeaders(incoming), signal }
  if (method === 'GET' || method === 'HEAD') return handle(new Request(url, init))
  const body = streams(url.pathname) ? streamOf(incoming) : await readBody(incoming)
  return handle(new Request(url, { ...init, body, duplex: 'half' } as RequestInit))
}

/** Null where nothing was announced, so that nobody waits for it (RFC 9112, 6.3). */
function streamOf(incoming: IncomingMessage): NodeReadableStream | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers
  return length === undefined && encoding === undefined ? null : Readable.toWeb(incoming)
}

function toUrl(incoming: IncomingMessage): URL | undefined {
  const { url = '/' } = incoming
  const { host = 'localhost' } = incoming.headers
  const address = `http://${host}${url}`
  const valid = url.startsWith('/') && /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) && URL.canParse(address)
  return valid ? new URL(address) : undefined
}

function toHeaders(incoming: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) headers.append(name, one)
  }
  return headers
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new BodyTooLarge()
    chunks.push(chunk)
  }
  return Uint8Array.from(Buffer.concat(chunks))
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = response.status
  // Those of the site have them already; what is refused here does not.
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) outgoing.setHeader(name, value)
  response.headers.forEach((value, name) => outgoing.setHeader(name, value))
  // The only header that stands several times and cannot be joined (RFC 9110, 5.3): `forEach` names it once for each.
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  // What is left of a body that was not read would be taken for the next request.
  if (!incoming.complete) outgoing.setHeader('connection', 'close')
  if (isEndless(response)) return sendAsItComes(response, incoming, outgoing)
  const body = Buffer.from(await response.arrayBuffer())
  if (response.status !== 304) outgoing.setHeader('content-length', body.length)
  outgoing.end(incoming.method === 'HEAD' ? undefined : body)
}

function isEndless({ headers, body }: Response): boolean {
  return body !== null && headers.get('content-type')?.startsWith('text/event-stream') === true
}

/** Part by part, no faster than the client reads. A client that goes away ends it. */
async function sendAsItComes(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const reader = response.body?.getReader()
  const stop = (): void => void reader?.cancel().catch(() => undefined)
  outgoing.once('close', stop)
  outgoing.flushHeaders()
  if (incoming.method === 'HEAD' || outgoing.destroyed) stop()
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    if (!outgoing.write(part.value)) await canTakeMore(outgoing)
  }
  outgoing.end()
}

function canTakeMore(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done)
      resolve()
    }
    outgoing.on('drain', done).on('close', done)
    if (outgoing.destroyed) done()
  })
}
