import type { Tenant } from '@holdfast/server'
import { BENCH_SECRET, BENCH_TENANT, benchToken } from '../token.js'
import type { Candidate, ControlFrame, Dialect, Opening, RunningServer, Work, WorkWay } from './candidate.js'

const dialect: Dialect = {
  path: '/ws',
  subprotocol: 'holdfast.v1+json',
  begin(opening: Opening): void {
    opening.send(JSON.stringify({ type: 'hello', token: benchToken(opening.user) }))
  },
  proceed(opening: Opening, text: string): void {
    for (const line of text.split('\n')) proceedWith(opening, line)
  },
  publish: (channel, text, id) => JSON.stringify({ type: 'publish', id, channel, data: { text } }),
  control(text: string): ControlFrame {
    const types = text.split('\n').map(typeOf)
    const failure = types.find((type) => type !== 'ok' && type !== 'ping')
    if (failure !== undefined) return { kind: 'failure', reason: text }
    // A ping comes with one of the transport, whose pong is answer enough.
    const count = types.filter((type) => type === 'ok').length
    return count > 0 ? { kind: 'acknowledged', count } : { kind: 'other' }
  },
}

/** Holdfast on the embedded engine, with history, offsets, access rules and acknowledgements on, as a user starts it. */
export const holdfast: Candidate = {
  name: 'holdfast',
  title: 'Holdfast',
  dialect,
  async start(): Promise<RunningServer> {
    const { createHoldfast } = await import('@holdfast/server')
    const server = createHoldfast({
      auth: { secret: BENCH_SECRET },
      channels: {
        'room:*': { subscribe: 'anyone', publish: 'anyone', history: { size: 1000, ttl: '1h' } },
        // Who watches is not its owner; else as the built-in rule.
        'operation:{id}': {
          subscribe: 'member',
          publish: 'nobody',
          history: { size: 100, ttl: '24h' },
          slow: 'latest',
        },
      },
      engine: 'memory',
      environment: 'development',
      // The whole crowd comes from one address and is one user's as far as a node can see. All of it is counted as ever.
      limits: { handshakesPerSecondMax: 1_000_000, commandsPerSecondMax: 1_000_000, publishesPerSecondMax: 1_000_000 },
    })
    const { port } = await server.listen(0, '127.0.0.1')
    return {
      port,
      begin: (pieces, way) => begin(server.tenant(BENCH_TENANT), pieces, way),
      close: () => server.close(),
    }
  },
}

/** Operations with an owner, a total and a message, as an import has them. */
async function begin({ operations }: Tenant, pieces: number, way: WorkWay): Promise<Work> {
  const specs = Array.from({ length: pieces }, (_, piece) => ({
    id: `work-${piece}`,
    kind: 'import',
    owner: 'publisher',
    total: 1_000_000,
    unit: 'rows',
  }))
  if (way === 'in-process') {
    const running = await Promise.all(specs.map((spec) => operations.start(spec)))
    return {
      report: (piece, done, message) => running[piece]?.report({ done, message }),
      async end(message) {
        for (const operation of running) operation.report({ message })
        await Promise.all(running.map((operation) => operation.complete()))
      },
    }
  }
  await Promise.all(specs.map((spec) => operations.create(spec)))
  return {
    report: (piece, done, message) => void operations.report(`work-${piece}`, { done, message }),
    async end(message) {
      await Promise.all(
        specs.map(async ({ id }) => {
          await operations.report(id, { message })
          await operations.end(id, { state: 'completed' })
        }),
      )
    },
  }
}

function proceedWith(opening: Opening, line: string): void {
  const type = typeOf(line)
  if (type === 'welcome') subscribe(opening)
  else if (type === 'subscribed') countAnswer(opening)
  else if (type === 'error' || type === 'goodbye') opening.refuse(line)
}

function subscribe(opening: Opening): void {
  if (opening.channels.length === 0) opening.ready()
  else opening.send(opening.channels.map((channel) => JSON.stringify({ type: 'subscribe', channel })).join('\n'))
}

function countAnswer(opening: Opening): void {
  opening.answers++
  if (opening.answers === opening.channels.length) opening.ready()
}

function typeOf(line: string): string {
  const { type } = JSON.parse(line) as { type?: unknown }
  return typeof type === 'string' ? type : 'unknown'
}
