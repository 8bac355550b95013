import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { machineTime } from '../kit/machine-time.js'
import type { WireClient } from '../kit/wire-client.js'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { RedisProxy } from '../cluster/kit/proxy/redis-proxy.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { CHANNELS, TENANT, join } from './pair.js'

const CLIENTS = 500
const IN_FLIGHT = 100
const OPERATIONS = 20
const MEMBERS = 40
const HALL = 'room:hall'

/** Milliseconds of every answer of Redis, so that what is under way is under way for a while. */
const LATENCY_MS = 150

/** From the signal to the end of the process. */
const EXIT_MS_MAX = 10_000

/** From the end of the process to the last that others hear of its members. */
const LEFT_MS_MAX = 1_000

const GOODBYE = { type: 'goodbye', code: 1012, message: 'Service restart' }

let redis: RedisServer
let proxy: RedisProxy
let leaving: NodeProcess
let staying: NodeProcess
let clients: WireClient[]
let watcher: WireClient

beforeAll(async () => {
  redis = await RedisServer.start()
  proxy = await RedisProxy.start(redis.port)
  const drain = { windowMs: 1_000, deadlineMs: 3_000 }
  const start = (node: string, url: string): Promise<NodeProcess> =>
    NodeProcess.start({ node, channels: CHANNELS, engine: { redis: url }, drain })
  ;[leaving, staying] = await Promise.all([start('leaving', proxy.url), start('staying', redis.url)])
  await Promise.all([leaving.isReady(), staying.isReady()])
  clients = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => join(leaving.url, `user-${index}`)))
  watcher = await join(staying.url, 'watcher')
}, 60_000)

afterAll(async () => {
  await Promise.all([leaving.stop(), staying.stop(), proxy.close()])
  await redis.stop()
})

describe('a node that is asked to end while much is under way', () => {
  it('F-29 answers it, ends its operations, says goodbye to everybody, leaves no member behind, and exits with 0', async () => {
    await watcher.get('subscribed', { type: 'subscribe', channel: HALL, presence: true })
    const members = clients.slice(0, MEMBERS)
    await Promise.all(
      members.map((client) => client.get('subscribed', { type: 'subscribe', channel: HALL, presence: true })),
    )
    await eventually('all are seen', () => watcher.of('joined').length >= MEMBERS)
    const begun = Array.from({ length: OPERATIONS }, (_, index) => ({ id: `job-${index}`, kind: 'job', owner: 'ada' }))
    const ids = await Promise.all(begun.map((spec) => leaving.ask('startOperation', { tenant: TENANT, spec })))

    proxy.tcp.latency(LATENCY_MS)
    const publishes = clients
      .slice(0, IN_FLIGHT)
      .map((client, index) =>
        client.ask({ type: 'publish', channel: `room:${index % 10}`, data: index, key: `k${index}` }),
      )
    const asked = machineTime()
    const exited = leaving.term(EXIT_MS_MAX)
    const answers = await Promise.all(publishes)
    // Half of the members go when they are told to; the others, like most clients here, do not know how.
    await eventually('everybody was told goodbye', () => clients.every((client) => client.of('goodbye').length > 0))
    await Promise.all(members.slice(0, MEMBERS / 2).map((client) => client.close()))
    const status = await exited
    const exitedAt = machineTime()
    await eventually('the watcher is alone', () => watcher.of('left').length >= MEMBERS)
    const leftAt = machineTime()
    printFigures(`${CLIENTS} clients of a node that ends`, {
      'answered ok': answers.filter(({ type }) => type === 'ok').length,
      'ended after, ms': exitedAt - asked,
      'last member left after that, ms': leftAt - exitedAt,
    })

    expect(status).toBe(0)
    expect(exitedAt - asked).toBeLessThan(EXIT_MS_MAX)
    expect(answers.filter(({ type }) => type !== 'ok')).toEqual([])
    for (const client of clients) expect(client.of('goodbye')[0]).toMatchObject(GOODBYE)
    const ends = await Promise.all(clients.slice(MEMBERS / 2).map(({ ended }) => ended))
    for (const { code } of ends) expect(code).toBe(1012)
    expect(leftAt - exitedAt).toBeLessThan(LEFT_MS_MAX)
    const left = watcher.of('left').map(({ member }) => member.user)
    expect(left.toSorted()).toEqual(Array.from({ length: MEMBERS }, (_, index) => `user-${index}`).toSorted())
    expect(await staying.ask('presence', { tenant: TENANT, channel: HALL })).toMatchObject({ counts: { members: 1 } })
    const ended = await Promise.all(ids.map((id) => staying.ask('getOperation', { tenant: TENANT, id })))
    for (const operation of ended) expect(operation).toMatchObject({ state: 'failed', error: { retryable: true } })
  }, 60_000)
})
