import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, type Logger, type Tenant, createHoldfast, signToken } from '@holdfast/server'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { type RestTraces, RestVisitor } from './rest-surface.js'

const TENANTS = 100
const MESSAGES_EACH = 4
const MARK = /mark-[0-9a-f]{16}/g
const ROOM = 'room:main'
const EVENTS = ['connected', 'occupied', 'joined'] as const
const TENANT_NAMES = Array.from({ length: TENANTS }, (_, index) => `tenant-${index}`)

/** A tenant, whose users, channels, operations and keys are named as those of every other, and whose mark is its own. */
interface Resident {
  readonly tenant: string
  readonly mark: string
  /** On one node, and on the other. */
  readonly ann: WireClient
  readonly bob: WireClient
  /** Everything that anybody of the tenant was given beside frames: what the application asked, as text. */
  readonly told: string[]
  /** What it has over HTTP. */
  traces?: RestTraces
}

describe(`${TENANTS} tenants with the same names on two nodes that share a Redis`, () => {
  let redis: RedisServer
  const nodes: { node: Holdfast; url: string }[] = []
  const mail = new Map<string, string[]>()
  let receiver: Server
  const lines: Record<string, unknown>[] = []
  let residents: Resident[] = []

  beforeAll(async () => {
    redis = await RedisServer.start()
    receiver = receiveInto(mail).listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    for (const name of ['one', 'two'])
      nodes.push(await startNode({ name, redis: redis.url, lines, mailUrl: `http://127.0.0.1:${port}` }))
    residents = await Promise.all(TENANT_NAMES.map((tenant) => moveIn(nodes, tenant)))
  })

  afterAll(async () => {
    await Promise.all(nodes.map(({ node }) => node.close()))
    receiver.close()
    await redis.stop()
  })

  it('give nobody a byte of another, on any surface', async () => {
    await Promise.all(residents.map((resident) => live(resident, nodes)))
    await trespass(residents, nodes[0]?.url ?? '')
    for (const { mark, ann, bob, told, tenant } of residents) {
      const captured = [...ann.frames, ...bob.frames, ...told].join('\n')
      expect(new Set(captured.match(MARK)), tenant).toEqual(new Set([mark]))
    }
    const bytes = residents.reduce((sum, { ann, bob }) => sum + sizeOf(ann) + sizeOf(bob), 0)
    process.stdout.write(
      `\nisolation: ${TENANTS} tenants, ${residents.length * 2} connections, ${bytes} bytes looked through\n`,
    )
  }, 120_000)

  it('have in their own names what is theirs, no more and no less', async () => {
    for (const { tenant, mark, ann } of residents) {
      const history = await ann.get('ok', { type: 'history', channel: ROOM, limit: 1_000 })
      const texts = (history.messages ?? []).map((message) => JSON.stringify(message.data))
      expect(texts, tenant).toHaveLength(MESSAGES_EACH + 1)
      expect(
        texts.every((text) => text.includes(mark)),
        tenant,
      ).toBe(true)
      const presence = await ann.get('ok', { type: 'presence', channel: ROOM })
      expect(presence.counts, tenant).toEqual({ members: 2, connections: 2 })
    }
  })

  it('are told of their own events by webhooks, and of no others', async () => {
    for (const { tenant } of residents) {
      const letters = await eventually(`events of ${tenant}`, () => complete(mail.get(`/${tenant}`) ?? []))
      const named = new Set(letters.join('\n').match(/tenant-\d+/g))
      expect([...named], tenant).toEqual([tenant])
    }
  })

  it('leave no message, credential or mark in the log', () => {
    const log = lines.map((line) => JSON.stringify(line)).join('\n')
    expect(log).not.toMatch(MARK)
    expect(log).not.toContain('eyJ')
  })
})

interface NodeSettings {
  readonly name: string
  readonly redis: string
  readonly lines: object[]
  /** Where the webhooks of the tenants are, each at its own path. */
  readonly mailUrl: string
}

async function startNode({ name, redis, lines, mailUrl }: NodeSettings): Promise<{ node: Holdfast; url: string }> {
  const write = (fields: Record<string, unknown>): void => void lines.push(fields)
  const log: Logger = { debug: write, info: write, warn: write, error: write }
  const events = TENANT_NAMES.map((tenant) => ({ url: `${mailUrl}/${tenant}`, tenant, events: EVENTS }))
  const node = createHoldfast({
    auth: { secret: SECRET },
    node: name,
    engine: { redis },
    channels: {
      'room:*': { publish: ['member', 'grant'], presence: true, history: { size: 100, ttl: '1h' } },
      'user:{user}': { inbox: true, history: { size: 100, ttl: '1h' } },
    },
    roles: { speaker: { 'room:*': ['publish'] } },
    plans: { all: { connections: 10, channels: 20, messagesPerSecond: 1_000, historyBytes: 100_000, operations: 3 } },
    defaultPlan: 'all',
    presence: { coalesceMs: 0 },
    operations: { conflateMs: 0 },
    webhooks: { secret: `webhooks-${SECRET}`, allowPrivate: true, events },
    log,
  })
  node.method<{ mark: string }>('whoami', {
    handler: ({ mark }, { identity, tenant }) => ({ tenant, user: identity.user, mark }),
  })
  const { url } = await node.listen()
  return { node, url }
}

/** A server that keeps what is sent to each path. */
function receiveInto(mail: Map<string, string[]>): Server {
  return createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const letters = mail.get(request.url ?? '') ?? []
      mail.set(request.url ?? '', [...letters, Buffer.concat(chunks).toString()])
      response.end()
    })()
  })
}

async function moveIn(nodes: readonly { url: string }[], tenant: string): Promise<Resident> {
  const mark = `mark-${randomBytes(8).toString('hex')}`
  const [ann, bob] = await Promise.all(
    ['ann', 'bob'].map((user, at) =>
      WireClient.welcomed(nodes[at]?.url ?? '', { token: signToken({ secret: SECRET, tenant, user }) }),
    ),
  )
  if (ann === undefined || bob === undefined) throw new Error('nobody came')
  return { tenant, mark, ann, bob, told: [] }
}

/** Something on every surface that a tenant has. */
async function live(resident: Resident, nodes: readonly { node: Holdfast; url: string }[]): Promise<void> {
  const { tenant, mark, ann, bob, told } = resident
  for (const client of [ann, bob])
    await client.get('subscribed', { type: 'subscribe', channel: ROOM, presence: { info: { mark } } })
  await ann.get('ok', { type: 'state', data: { mark } })
  for (let n = 0; n < MESSAGES_EACH; n += 1)
    await (n % 2 === 0 ? ann : bob).get('ok', { type: 'publish', channel: ROOM, data: { mark, n }, key: `key-${n}` })
  bob.send({ type: 'signal', channel: ROOM, event: 'typing', data: { mark } })
  told.push(JSON.stringify(await ann.ask({ type: 'call', method: 'whoami', data: { mark } })))
  const door = nodes[1]?.node.tenant(tenant)
  if (door === undefined) throw new Error('no node')
  await door.publish(ROOM, 'notice', { mark }, { key: 'the-same-key' })
  await door.notify('ann', { id: 'the-same-id', title: mark })
  await door.operations.run({ id: 'job', kind: 'import', owner: 'ann', label: mark, total: 2 }, (operation) => {
    operation.advance(1, { item: mark })
    return { mark }
  })
  await ann.get('subscribed', { type: 'subscribe', channel: 'operation:job', since: 'newest:10' })
  told.push(...(await asked(door)), ...(await withKey(door, nodes[0]?.url ?? '', mark)))
  resident.traces = await new RestVisitor(nodes[0]?.url ?? '', tenant, told).live(mark)
  await eventually('everything has come', () => ann.of('signal').length > 0 && countOf(bob) >= MESSAGES_EACH + 1)
}

/** What the application may ask of a tenant. */
async function asked(door: Tenant): Promise<string[]> {
  const ann = door.user('ann')
  const answers = [
    await door.history(ROOM),
    await door.presence(ROOM),
    await door.operations.get('job'),
    await door.usage(),
    await door.keys.list(),
    await ann.history(),
    await ann.operations.get('job'),
  ]
  return answers.map((answer) => JSON.stringify(answer))
}

/** A server of the tenant comes with an API key, reads and writes. */
async function withKey(door: Tenant, url: string, mark: string): Promise<string[]> {
  const { key } = await door.keys.create({ name: mark, grants: { 'room:*': ['subscribe', 'publish', 'history'] } })
  const server = await WireClient.welcomed(url, { token: key })
  await server.get('subscribed', { type: 'subscribe', channel: ROOM, since: 'newest:100' })
  await server.get('ok', { type: 'history', channel: ROOM })
  await server.close()
  return server.frames
}

function countOf(client: WireClient): number {
  return client.of('message').filter(({ channel }) => channel === ROOM).length
}

/** Each tries what the next one has: its position, its operation under another user's name, its session. */
async function trespass(residents: readonly Resident[], url: string): Promise<void> {
  const attempts = residents.map(async ({ tenant, ann, bob, told }, index) => {
    const theirs = residents[(index + 1) % residents.length]?.ann
    if (theirs === undefined) throw new Error('nobody lives next door')
    const { session } = await theirs.welcome()
    const { position } = await theirs.next('subscribed')
    await bob.ask({ type: 'subscribe', channel: ROOM, presence: true, ...(position && { since: position }) })
    expect(await ann.ask({ type: 'cancel', operation: 'job' })).toMatchObject({ code: 'already_ended' })
    for (const command of [
      { type: 'subscribe', channel: 'operation:job' } as const,
      { type: 'cancel', operation: 'job' } as const,
    ])
      expect(await bob.ask(command)).toMatchObject({ code: 'not_found' })
    const resume = { session: session.id, secret: session.secret, positions: { ...(position && { [ROOM]: position }) } }
    const thief = await WireClient.welcomed(url, { token: signToken({ secret: SECRET, tenant, user: 'ann' }), resume })
    expect((await thief.welcome()).session.resumed).toBe(false)
    told.push(...thief.frames)
    const { traces } = residents[(index + 1) % residents.length] ?? {}
    if (traces === undefined) throw new Error('nobody next door was here over HTTP')
    expect(await new RestVisitor(url, tenant, told).trespass(traces)).toEqual([404, 404, 404, 400])
    await thief.close()
  })
  await Promise.all(attempts)
}

/** What was sent to a webhook, once all that has to be told is. */
function complete(letters: readonly string[]): readonly string[] | undefined {
  const all = letters.join('\n')
  return EVENTS.every((event) => all.includes(`"${event}"`)) ? letters : undefined
}

function sizeOf(client: WireClient): number {
  return client.frames.reduce((sum, frame) => sum + frame.length, 0)
}
