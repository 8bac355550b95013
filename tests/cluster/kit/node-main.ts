import {
  type Holdfast,
  type HoldfastOptions,
  type Logger,
  type Operation,
  type PublishResult,
  createHoldfast,
} from '@holdfast/server'
import { SECRET } from '../../kit/server-process.js'
import type { NodeOptions, NodeQuestions, ServerPublish } from './node-questions.js'
import { type Problem, answerQuestions, problemOf } from './questions.js'

// A node as a process of its own. Its first question is `start`; SIGTERM drains it.

let holdfast: Holdfast | undefined
const operations = new Map<string, Operation>()

const node = (): Holdfast => {
  if (holdfast === undefined) throw new Error('the node has not been started')
  return holdfast
}

answerQuestions<NodeQuestions>({
  start: async ({ options, port }) => {
    holdfast = createHoldfast(optionsOf(options))
    const listening = await holdfast.listen(port)
    return { port: listening.port, url: listening.url, node: holdfast.node }
  },
  publish,
  publishMany: ({ publishes, inFlight }) => publishMany(publishes, inFlight),
  signal: async ({ tenant, channel, event = 'signalled', data }) => {
    await node().tenant(tenant).signal(channel, event, data)
    return null
  },
  notify: ({ tenant, user, notification }) => node().tenant(tenant).notify(user, notification),
  history: ({ tenant, channel, range }) => node().tenant(tenant).history(channel, range),
  presence: async ({ tenant, channel }) => {
    const { members, counts } = await node().tenant(tenant).presence(channel)
    return { members: members.map(({ user, connections }) => ({ user, connections })), counts }
  },
  disconnect: ({ tenant, user }) => node().tenant(tenant).disconnect(user),
  revokeUser: async ({ tenant, user }) => {
    await node().tenant(tenant).user(user).revoke()
    return null
  },
  createKey: ({ tenant, spec }) => node().tenant(tenant).keys.create(spec),
  rotateKey: ({ tenant, id, overlap }) => node().tenant(tenant).keys.rotate(id, { overlap }),
  revokeKey: ({ tenant, id }) => node().tenant(tenant).keys.revoke(id),
  startOperation: async ({ tenant, spec }) => {
    const operation = await node().tenant(tenant).operations.start(spec)
    operations.set(`${tenant} ${operation.id}`, operation)
    return operation.id
  },
  reportOperation: async ({ tenant, id, ...report }) => {
    const operation = operations.get(`${tenant} ${id}`)
    if (operation === undefined) throw new Error(`this node did not begin the operation ${id}`)
    if (report.advance !== undefined) operation.advance(report.advance)
    if (report.complete !== undefined) await operation.complete(report.complete)
    if (report.fail !== undefined) await operation.fail(new Error(report.fail))
    if (report.cancelled) await operation.cancelled()
    return operation.snapshot
  },
  getOperation: async ({ tenant, id }) => (await node().tenant(tenant).operations.get(id)) ?? null,
  cancelOperation: ({ tenant, id }) => node().tenant(tenant).operations.cancel(id),
  stats: () => {
    const { user, system } = process.cpuUsage()
    return { ...node().stats(), residentBytes: process.memoryUsage().rss, cpuMs: (user + system) / 1_000 }
  },
  http: async ({ path }) => {
    const answer = await node().fetch(new Request(`http://127.0.0.1${path}`))
    return { status: answer.status, body: await answer.text() }
  },
  stall: ({ ms }) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    return null
  },
})

process.once('SIGTERM', () => {
  void Promise.resolve(holdfast?.drain()).then(() => process.exit(0))
})

function optionsOf(options: NodeOptions): HoldfastOptions {
  // The engine has come as JSON; the server says what is wrong with it.
  const { engine = 'memory', ...rest } = options as Omit<HoldfastOptions, 'auth'>
  return { ...rest, engine, auth: { secret: SECRET }, log: jsonLog() }
}

function publish({ tenant, channel, event = 'told', data, key }: ServerPublish): Promise<PublishResult> {
  return node()
    .tenant(tenant)
    .publish(channel, event, data, key === undefined ? {} : { key })
}

async function publishMany(
  publishes: readonly ServerPublish[],
  inFlight: number,
): Promise<(PublishResult | Problem)[]> {
  const outcomes: (PublishResult | Problem)[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < publishes.length; at = next++)
      outcomes[at] = await publish(publishes[at] as ServerPublish).catch(problemOf)
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  return outcomes
}

/** A line of JSON for each line of the log. */
function jsonLog(): Logger {
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      void process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...fields, message })}\n`)
  return { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') }
}
