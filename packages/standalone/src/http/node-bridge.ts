import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type ProtectedHandler, SECURITY_HEADERS } from '@holdfast/server'
import { refusal } from './site.js'

/** Bytes of the largest request body that is read. */
export const BODY_BYTES_MAX = 16_384

class BodyTooLarge extends Error {}

/** Methods that a `Request` cannot have (fetch standard, 2.2.1). */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK']

/**
 * Node's HTTP listener for a fetch-style handler. Bodies over `BODY_BYTES_MAX` are answered 413, methods that fetch forbids 405; what
 * the handler throws 500.
 */
export function toNodeListener(handle: ProtectedHandler, onError: (error: unknown) => void): RequestListener {
  return (incoming, outgoing) => {
    void answer(handle, incoming)
      .catch((error: unknown) => {
        if (error instanceof BodyTooLarge)
          return refusal(413, 'body_too_large', `A body may hold ${BODY_BYTES_MAX} bytes`)
        if (!isReset(error)) onError(error)
        return refusal(500, 'internal_error', 'The server made a mistake')
      })
      .then((response) => send(response, incoming, outgoing))
      .catch(onError)
  }
}

/** The client went away: its doing, and nobody is left to answer. */
function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

async function answer(handle: ProtectedHandler, incoming: IncomingMessage): Promise<Response> {
  const url = toUrl(incoming)
  if (url === undefined) return refusal(400, 'bad_request', 'The address or the Host header is not valid')
  const method = incoming.method ?? 'GET'
  if (FORBIDDEN_METHODS.includes(method))
    return refusal(405, 'method_not_allowed', `${method} is not taken at any address`)
  const body = method === 'GET' || method === 'HEAD' ? undefined : await readBody(incoming)
  const request = new Request(url, { method, headers: toHeaders(incoming), ...(body && { body }) })
  return handle(request, incoming)
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
  const body = Buffer.from(await response.arrayBuffer())
  outgoing.statusCode = response.status
  // Those of the site have them already; what is refused here does not.
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) outgoing.setHeader(name, value)
  response.headers.forEach((value, name) => outgoing.setHeader(name, value))
  if (response.status !== 304) outgoing.setHeader('content-length', body.length)
  // What is left of a body that was not read would be taken for the next request.
  if (!incoming.complete) outgoing.setHeader('connection', 'close')
  outgoing.end(incoming.method === 'HEAD' ? undefined : body)
}
