import * as z from 'zod'
import type { StreamAnswer, StreamVisit } from '../../event-stream.js'
import type { Answer } from '../route.js'
import type { DirectCall } from './direct-route.js'
import { refusalOf } from './refusals.js'

/** Nothing on the way may keep an event back, or keep the answer. */
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}

/** The credential in the query of a route with events. */
export const token: z.ZodOptional<z.ZodString> = z
  .string()
  .optional()
  .describe('A token, where the WebSocket takes one in its address, too: an EventSource sends no headers')

/** How the documents describe events. */
export const STREAM: Answer = {
  description: 'The events, until somebody ends it',
  schema: { type: 'string' },
  mediaType: 'text/event-stream',
}

/** The answer of a route with events. */
export function answerOf(answer: StreamAnswer): Response {
  return 'body' in answer ? new Response(answer.body, { headers: HEADERS }) : refusalOf(answer)
}

/** Who asks, and what the answer hangs on. */
export function visitOf({ node, request, visitor }: DirectCall): StreamVisit {
  return {
    address: visitor.address,
    origin: visitor.origin,
    authorization: request.headers.get('authorization') ?? undefined,
    query: credentialIn(request),
    signal: request.signal,
    abandon: node.eventStreams.abandonOf(request),
  }
}

/** Nothing else of the address concerns the connection. */
function credentialIn({ url }: Request): URLSearchParams {
  const token = new URL(url).searchParams.get('token')
  return new URLSearchParams(token === null ? {} : { token })
}
