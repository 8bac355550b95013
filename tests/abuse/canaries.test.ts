import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SUBPROTOCOL } from '@holdfast/protocol'
import { type Holdfast, type Logger, createHoldfast, signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { ROOT } from '../source-tree.js'
import { eventually, within } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'

/** A secret that stands in nothing else; where it is found says where it came in. */
function canary(entry: string): string {
  return `cnry${entry}${randomBytes(12).toString('hex')}`
}

/** Everything that somebody may read who must not know a secret: log lines, errors, statistics, pages. */
class Sinks {
  readonly #texts: string[] = []

  readonly log: Logger = {
    debug: (fields, message) => this.take(fields, message),
    info: (fields, message) => this.take(fields, message),
    warn: (fields, message) => this.take(fields, message),
    error: (fields, message) => this.take(fields, message),
  }

  take(...parts: unknown[]): void {
    this.#texts.push(...parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))))
  }

  /** The secrets that were found. */
  found(secrets: Readonly<Record<string, string>>): string[] {
    const all = this.#texts.join('\n')
    return Object.entries(secrets)
      .filter(([, secret]) => all.includes(secret) || all.includes(encodeURIComponent(secret)))
      .map(([entry]) => entry)
  }
}

const ENTRIES = [
  'helloToken',
  'authorizationHeader',
  'subprotocolToken',
  'queryToken',
  'queryOther',
  'cookie',
  'resumeSecret',
  'refreshToken',
  'subscribeToken',
  'publishData',
  'refusedPublishData',
  'signalData',
  'stateData',
  'callData',
  'presenceInfo',
  'brokenJson',
  'binaryFrame',
  'notification',
  'operationResult',
  'httpBody',
  'httpQuery',
  'httpHeader',
  'userAgent',
  'apiKey',
  'queryApiKey',
] as const

type Entry = (typeof ENTRIES)[number]

describe('secrets', () => {
  it(`T-110 ${ENTRIES.length} canaries through every entry of a node at debug level come out nowhere`, async () => {
    const secrets = Object.fromEntries(ENTRIES.map((entry) => [entry, canary(entry)])) as Record<Entry, string>
    const sinks = new Sinks()
    const node = createHoldfast({
      auth: { secret: SECRET, queryToken: true },
      channels: { 'room:*': { publish: 'member', presence: true, history: { size: 10, ttl: '1h' } }, 'news:*': {} },
      log: sinks.log,
    })
    node.method('fail', {
      handler: () => {
        throw new TypeError('the method does not work')
      },
    })
    const { url, port } = await node.listen()
    try {
      for (const knock of KNOCKS) await knock(url, secrets, sinks)
      await insideOf(node, url, secrets, sinks)
      await overHttp(port, secrets, sinks)
      sinks.take(node.stats())
      expect(sinks.found({ refusal: 'auth.failed' })).toEqual(['refusal'])
      expect(sinks.found(secrets)).toEqual([])
    } finally {
      await node.close()
    }
    expect(sinks.found(secrets)).toEqual([])
  })

  it('T-110 the secrets of the options are in nothing that a node says of hosts that do not answer', async () => {
    const entries = ['auth', 'cluster', 'channelTokens', 'webhooks', 'events', 'jwksUrl', 'connectUrl', 'eventsUrl']
    const secrets = Object.fromEntries(entries.map((entry) => [entry, canary(entry).padEnd(48, '7')]))
    const sinks = new Sinks()
    const address = (entry: string): string => `http://127.0.0.1:1/there?key=${secrets[entry]}`
    const node = createHoldfast({
      auth: {
        secret: secrets['auth'] ?? '',
        issuers: [{ issuer: 'https://id.example.com', jwks: { url: address('jwksUrl'), allowPrivate: true } }],
      },
      cluster: { secret: secrets['cluster'] ?? '' },
      channelTokens: { secret: secrets['channelTokens'] ?? '' },
      webhooks: {
        secret: secrets['webhooks'] ?? '',
        allowPrivate: true,
        connect: { url: address('connectUrl') },
        events: [{ url: address('eventsUrl'), secret: secrets['events'] ?? '', events: ['occupied'] }],
      },
      channels: { 'room:*': {} },
      log: sinks.log,
    })
    const { url } = await node.listen()
    try {
      const claims = { tenant: 'acme', user: 'ann' }
      const ours = signToken({ ...claims, secret: secrets['auth'] ?? '' })
      const theirs = signToken({ ...claims, secret: SECRET, issuer: 'https://id.example.com' })
      for (const token of [ours, theirs])
        await refusedWith(url, { first: JSON.stringify({ type: 'hello', token }) }, sinks)
      sinks.take(node.stats())
      expect(sinks.found({ webhook: 'webhook.failed', keys: 'jwks.failed' })).toEqual(['webhook', 'keys'])
    } finally {
      await node.close()
    }
    expect(sinks.found(secrets)).toEqual([])
  })

  it('T-110 the secrets of the configuration of a standalone server are in nothing that it writes', async () => {
    const secrets = { secret: canary('Secret').padEnd(48, '7'), redisPassword: canary('Redis') }
    const sinks = new Sinks()
    const redis = `redis://:${secrets.redisPassword}@127.0.0.1:1`
    const command = join(ROOT, 'packages', 'standalone', 'bin', 'holdfast.js')
    const env = { PATH: process.env['PATH'], HOLDFAST_SECRET: secrets.secret, HOLDFAST_LOG_LEVEL: 'trace' }
    const server = spawn(process.execPath, [command, 'serve', '--port', '0', '--no-demo', '--engine', redis], { env })
    let output = ''
    for (const stream of [server.stdout, server.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    try {
      const port = await eventually(
        'it serves without its engine',
        () => /127\.0\.0\.1:(\d{2,})(?!\d)/.exec(output.replaceAll(/redis\S+/g, ''))?.[1],
      )
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready?token=${secrets.secret}`)
      sinks.take(await ready.text())
      await refusedWith(`ws://127.0.0.1:${port}/ws`, { headers: { authorization: `Bearer ${secrets.secret}` } }, sinks)
    } finally {
      const gone = once(server, 'exit')
      server.kill('SIGKILL')
      await within('the server ends', gone)
    }
    sinks.take(output)
    expect(output).not.toBe('')
    expect(sinks.found(secrets)).toEqual([])
  })
})

type Knock = (url: string, secrets: Readonly<Record<Entry, string>>, sinks: Sinks) => Promise<unknown>

/** Ways to come to a door with a secret in hand. */
const KNOCKS: readonly Knock[] = [
  (url, { authorizationHeader }, sinks) =>
    refusedWith(url, { headers: { authorization: `Bearer ${authorizationHeader}` } }, sinks),
  (url, { cookie, userAgent, httpHeader }, sinks) =>
    refusedWith(
      url,
      { headers: { cookie: `session=${cookie}`, 'user-agent': userAgent, 'x-api-key': httpHeader } },
      sinks,
    ),
  (url, { subprotocolToken }, sinks) => refusedWith(url, { protocols: [`bearer.${subprotocolToken}`] }, sinks),
  (url, { queryToken, queryOther }, sinks) =>
    refusedWith(`${url}?token=${queryToken}&password=${queryOther}`, {}, sinks),
  (url, { helloToken }, sinks) =>
    refusedWith(url, { first: JSON.stringify({ type: 'hello', token: helloToken }) }, sinks),
  (url, { helloToken }, sinks) =>
    refusedWith(url, { first: JSON.stringify({ type: 'hello', token: { secret: helloToken } }) }, sinks),
  (url, { apiKey }, sinks) =>
    refusedWith(url, { first: JSON.stringify({ type: 'hello', token: `hf_0123456789abcdef_${apiKey}` }) }, sinks),
  (url, { queryApiKey }, sinks) => refusedWith(`${url}?token=hf_0123456789abcdef_${queryApiKey}`, {}, sinks),
  (url, { brokenJson }, sinks) => refusedWith(url, { first: `{"type":"hello","token":${brokenJson}}` }, sinks),
  (url, { binaryFrame }, sinks) => refusedWith(url, { first: Buffer.from(binaryFrame) }, sinks),
]

/** Connects with something that is refused, and writes down everything that is said about it. */
async function refusedWith(
  url: string,
  {
    headers = {},
    protocols = [SUBPROTOCOL],
    first,
  }: { headers?: Record<string, string>; protocols?: string[]; first?: string | Buffer },
  sinks: Sinks,
): Promise<void> {
  const socket = new WebSocket(url, protocols, { headers })
  socket.on('error', (error) => sinks.take(error.message))
  socket.on('message', (data: Buffer) => sinks.take(data.toString()))
  socket.on('open', () => socket.send(first ?? '{"type":"hello"}'))
  const closed = once(socket, 'close').then((parts) => sinks.take(String(parts[1])))
  const answered = new Promise<void>((resolve) => socket.on('message', () => resolve()))
  await within('an answer', Promise.race([closed, answered]))
  socket.terminate()
}

/** A client that is let in, and says its secrets in every place that takes one. */
async function insideOf(
  node: Holdfast,
  url: string,
  secrets: Readonly<Record<Entry, string>>,
  sinks: Sinks,
): Promise<void> {
  const token = signToken({ secret: SECRET, tenant: 'acme', user: 'ann' })
  const resume = { session: 'nobody', secret: secrets.resumeSecret, positions: {} }
  const client = await WireClient.welcomed(url, { token, resume })
  const channel = 'room:1'
  const asked = [
    await client.ask({ type: 'refresh', token: secrets.refreshToken }),
    await client.ask({
      type: 'subscribe',
      channel,
      presence: { info: { card: secrets.presenceInfo } },
      ...{ token: secrets.subscribeToken },
    }),
    await client.ask({ type: 'publish', channel: 'news:1', data: secrets.refusedPublishData }),
    await client.ask({ type: 'call', method: 'fail', data: secrets.callData }),
    await client.ask({ type: 'call', method: 'unknown', data: secrets.callData }),
  ]
  await client.get('ok', { type: 'publish', channel, data: { card: secrets.publishData } })
  await client.get('ok', { type: 'state', data: secrets.stateData })
  client.send({ type: 'signal', channel, event: 'typing', data: secrets.signalData })
  const tenant = node.tenant('acme')
  await tenant.notify('ann', { title: secrets.notification }).catch((error: Error) => sinks.take(error.message))
  await tenant.operations.run({ kind: 'import', owner: 'ann' }, () => ({ card: secrets.operationResult }))
  sinks.take(...asked.filter(({ type }) => type === 'error'), ...client.of('error'))
  await client.close()
}

async function overHttp(port: number, secrets: Readonly<Record<Entry, string>>, sinks: Sinks): Promise<void> {
  const base = `http://127.0.0.1:${port}`
  const requests = [
    fetch(`${base}/health/ready?token=${secrets.httpQuery}`, { headers: { authorization: secrets.httpHeader } }),
    fetch(`${base}/nowhere?token=${secrets.httpQuery}`, { method: 'POST', body: secrets.httpBody }),
    fetch(`${base}/ws?token=${secrets.httpQuery}`, { headers: { cookie: secrets.cookie } }),
  ]
  for (const request of requests) {
    const answer = await request
    sinks.take([...answer.headers], await answer.text())
  }
}
