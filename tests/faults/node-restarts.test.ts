import { type AddressInfo, createServer } from 'node:net'
import { once } from 'node:events'
import { Holdfast as Client } from '@holdfast/client'
import { createHoldfast } from '@holdfast/server'
import { WebSocket } from 'ws'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { SECRET } from '../kit/server-process.js'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { RedisProxy } from '../cluster/kit/proxy/redis-proxy.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { CHANNELS, TENANT, isReady, join, tokenOf } from './pair.js'

const HALL = 'room:hall'
const USERS = Array.from({ length: 5 }, (_, index) => `user-${index}`)
const RESTARTS = 5

/** From one start to the next. */
const LIFE_MS = 1_000

const cleanUp: (() => unknown)[] = []

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo()
})

describe('a node that is killed and started again, over and over', () => {
  it('F-38 makes each of its members come and go at most once a restart, and leaves others in peace', async () => {
    const redis = await RedisServer.start()
    cleanUp.push(() => redis.stop())
    // Short, so that leases lapse between the restarts as well.
    const cluster = { renewMs: 300, leaseMs: 1_000 }
    const start = async (node: string, port?: number): Promise<NodeProcess> => {
      const options = { node, channels: CHANNELS, engine: { redis: redis.url }, cluster }
      const started = await NodeProcess.start(options, port)
      cleanUp.push(() => started.stop())
      await started.isReady()
      return started
    }
    const peer = await start('peer')
    const watcher = await join(peer.url, 'watcher')
    await watcher.get('subscribed', { type: 'subscribe', channel: HALL, presence: true })
    let looping = await start('looping')
    const clients = USERS.map((user) => {
      const client = new Client(looping.url, {
        token: () => tokenOf(user),
        WebSocket,
        backoff: { minMs: 100, maxMs: 500 },
      })
      client
        .channel(HALL)
        .subscribe({ presence: true })
        .catch(() => undefined)
      cleanUp.push(() => client.disconnect())
      return client
    })
    const present = (): Promise<string[]> =>
      peer.ask('presence', { tenant: TENANT, channel: HALL }).then(({ members }) => members.map(({ user }) => user))
    const allAreThere = (): Promise<unknown> =>
      eventually('all are there', async () => (await present()).length === USERS.length + 1, 20_000)
    await allAreThere()
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await looping.kill9()
      looping = await start('looping', looping.port)
      await pause(LIFE_MS)
    }
    await allAreThere()
    expect((await present()).toSorted()).toEqual([...USERS, 'watcher'].toSorted())
    for (const user of USERS) {
      const changes = watcher.messages.flatMap((told) =>
        (told.type === 'joined' || told.type === 'left') && told.member.user === user ? [told.type] : [],
      )
      expect(changes).toEqual(changes.map((_, index) => (index % 2 === 0 ? 'joined' : 'left')))
      expect(changes.length).toBeLessThanOrEqual(1 + 2 * RESTARTS)
      expect(changes.at(-1)).toBe('joined')
    }
    expect(watcher.of('goodbye')).toEqual([])
    expect(clients.map(({ status }) => status)).toEqual(USERS.map(() => 'open'))
  }, 90_000)
})

describe('a node that starts when not everything is as it is to be', () => {
  it('F-39 says which port is taken, and can be closed', async () => {
    const owner = createServer().listen(0, '127.0.0.1')
    await once(owner, 'listening')
    cleanUp.push(() => owner.close())
    const { port } = owner.address() as AddressInfo
    const holdfast = createHoldfast({ auth: { secret: SECRET } })
    await expect(holdfast.listen(port)).rejects.toThrow(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
    await holdfast.close()
  })

  it('F-39 serves what needs no Redis while there is none, says what is wrong, and is ready by itself when it comes', async () => {
    const redis = await RedisServer.start()
    const proxy = await RedisProxy.start(redis.port)
    const holdfast = createHoldfast({ auth: { secret: SECRET }, channels: CHANNELS, engine: { redis: proxy.url } })
    cleanUp.push(
      () => redis.stop(),
      () => proxy.close(),
      () => holdfast.close(),
    )
    proxy.tcp.stopAccept()
    const { url } = await holdfast.listen()
    expect(await isReady({ holdfast }, false)).toContain(`cannot use the server at 127.0.0.1:${proxy.tcp.port}`)
    const ada = await join(url, 'ada')
    expect(await ada.next('notice')).toMatchObject({ code: 'degraded' })
    expect(await ada.ask({ type: 'publish', channel: HALL, data: 1 })).toMatchObject({
      code: 'engine_unavailable',
      retryable: true,
    })
    proxy.tcp.heal()
    const healedAt = machineTime()
    await isReady({ holdfast })
    expect(machineTime() - healedAt).toBeLessThan(5_000)
    await eventually('all is well', () => ada.of('notice').at(-1)?.code === 'recovered')
    expect(await ada.ask({ type: 'publish', channel: HALL, data: 1 })).toMatchObject({ type: 'ok', offset: 1 })
  }, 40_000)
})
