import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresServer } from '../../apps/fill-scheduler/src/store/testing/postgres-server.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually, within } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { FillClient, type Json, manyLots } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

const improver = (seconds: number): object => ({
  lots_data: manyLots(),
  strategy: 'improver',
  config: { strategies: { improver: { timeLimitSeconds: seconds } } },
})

describe('two servers on one PostgreSQL and one Redis', () => {
  let postgres: PostgresServer
  let redis: RedisServer
  const servers: FillServer[] = []
  /** The same user, at both. */
  let here: FillClient
  let there: FillClient

  beforeAll(async () => {
    postgres = await PostgresServer.start()
    redis = await RedisServer.start()
    const shared = { databaseUrl: postgres.url(), redisUrl: redis.url, runsAtATime: 1 }
    for (let count = 0; count < 2; count += 1) servers.push(await FillServer.start(shared))
    const [first, second] = servers
    if (first === undefined || second === undefined) throw new Error('there must be two')
    here = await first.user()
    there = new FillClient(second.url, here.token)
  })

  afterAll(async () => {
    for (const server of servers) {
      await server.kill()
      await rm(server.folder, { recursive: true, force: true })
    }
    await redis.stop()
    await postgres.end()
  })

  it('share the work, watch each other’s runs, and cancel them within a second', async () => {
    const runs = [await here.schedule(improver(60)), await here.schedule(improver(60))]
    // Each takes one at a time.
    for (const { id } of runs) await there.reached(`/schedule/${id}`, ['running'])
    const live = [here.live(), there.live()]
    for (const { id } of runs) {
      const watched = live.map((client) => client.operation(id))
      for (const { done } of watched) done.catch(() => undefined)
      await eventually('both see it', () => watched.every(({ snapshot }) => snapshot?.state === 'running'))
      const began = machineTime()
      await there.post(`/schedule/${id}/cancel`)
      await within('both are told', Promise.allSettled(watched.map(({ done }) => done)))
      expect(machineTime() - began).toBeLessThan(1_000)
      expect(watched.map(({ snapshot }) => snapshot?.state)).toEqual(['cancelled', 'cancelled'])
    }
    // Both have stopped: there is room for two more.
    const next = [await here.schedule({ strategy: 'spt' }), await there.schedule({ strategy: 'lpt' })]
    for (const { id } of next) expect(await here.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed' })
    for (const client of live) client.disconnect()
  })

  it('are refused where they would share operations, but not the store', async () => {
    await expect(FillServer.start({ redisUrl: redis.url }, servers[0]?.folder)).rejects.toThrow('set DATABASE_URL')
  })

  it('go on with runs while Redis is away, and tell their ends when it is back', async () => {
    const { id } = await here.schedule(improver(2))
    const live = here.live()
    const operation = live.operation<Json>(id)
    operation.done.catch(() => undefined)
    await eventually('it is planning', () => operation.snapshot?.progress.phase?.name === 'planning')
    redis.pause()
    const store = (): Promise<readonly Record<string, unknown>[]> =>
      postgres.query(`select status from schedules where id = '${id}'`)
    await eventually('the store has the end', async () => (await store())[0]?.['status'] === 'completed')
    redis.resume()
    await within('the end arrives', operation.done, 15_000)
    expect(await there.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed' })
    live.disconnect()
  })

  it(
    'take up the runs of one that dies, and its clients learn the end from the other',
    { timeout: 60_000 },
    async () => {
      const runs = [await here.schedule(improver(3)), await here.schedule(improver(3))]
      for (const { id } of runs) await there.reached(`/schedule/${id}`, ['running'])
      await servers[0]?.kill()
      const live = there.live()
      const ends = runs.map(({ id }) => live.operation<Json>(id))
      await within('both end', Promise.all(ends.map(({ done }) => done)), 20_000)
      const attempts = ends.map(({ snapshot }) => `attempt ${snapshot?.attempt}`)
      expect(attempts.toSorted()).toEqual(['attempt 1', 'attempt 2'])
      for (const { id } of runs) expect(await there.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed' })
      live.disconnect()
    },
  )

  it('say that the same may succeed later while PostgreSQL is away, and go on when it is back', async () => {
    const { id } = await there.schedule(improver(2))
    await there.reached(`/schedule/${id}`, ['running'])
    await postgres.stop()
    const { status, body, headers } = await there.get('/schedules')
    expect([status, body]).toMatchObject([503, { error: { code: 'unavailable', retryable: true } }])
    expect(headers.get('retry-after')).toBe('5')
    await postgres.begin()
    expect(await there.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed' })
  })
})
