import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Holdfast } from '@holdfast/server'
import { PREFIX, type createApp, ownSegments } from './app.js'

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** Answers the requests of a server of Node. Our routes are behind the checks of Holdfast; what is below the prefix and not ours, and the probes, are Holdfast's own. */
export function listenerOf(app: ReturnType<typeof createApp>, holdfast: Holdfast): Listener {
  const own = ownSegments(app)
  const guarded = holdfast.protect((request, visitor) => app.fetch(request, { visitor }))
  const listener = getRequestListener((request, { incoming, outgoing }) => {
    const { pathname } = new URL(request.url)
    return isOfHoldfast(pathname, own)
      ? holdfast.fetch(request, { incoming, outgoing })
      : guarded(request, incoming as IncomingMessage)
  })
  return (incoming, outgoing) => void listener(incoming, outgoing)
}

function isOfHoldfast(path: string, own: ReadonlySet<string>): boolean {
  if (path === '/health/live' || path === '/health/ready') return true
  return path.startsWith(`${PREFIX}/`) && !own.has(path.slice(PREFIX.length + 1).split('/', 1)[0] ?? '')
}
