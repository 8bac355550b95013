import { type Holdfast, type Operation, OperationError } from '@holdfast/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, within } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { FillClient, type Json, manyLots } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

/** Keeps a runner busy for longer than any test lasts. */
const LONG = {
  lots_data: manyLots(),
  strategy: 'improver',
  config: { strategies: { improver: { timeLimitSeconds: 120 } } },
}

describe('a run that is watched', () => {
  let server: FillServer
  let planner: FillClient

  beforeAll(async () => {
    server = await FillServer.start({ runsAtATime: 1 })
    planner = await server.user()
  })

  afterAll(() => server.close())

  /** What `work` takes, in milliseconds. */
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = machineTime()
    await work()
    return machineTime() - began
  }

  /** A watched operation, once it is being planned. */
  const planning = async (live: Holdfast, id: string): Promise<Operation> => {
    const operation = live.operation(id)
    operation.done.catch(() => undefined)
    await eventually('it is planning', () => operation.snapshot?.progress.phase?.name === 'planning')
    return operation
  }

  it('is an operation with phases and true progress, which ends with the figures of the plan', async () => {
    const live = planner.live()
    const seen: { phase?: string | undefined; percent?: number | undefined }[] = []
    const { id } = await planner.schedule({
      ...LONG,
      config: { strategies: { improver: { timeLimitSeconds: 2 } } },
      name: 'Long',
    })
    const operation = live.operation<Json>(id)
    operation.on('progress', ({ phase, percent }) => void seen.push({ phase: phase?.name, percent: percent ?? 0 }))
    const result = await within('it ends', operation.done, 15_000)
    const { body } = await planner.get(`/schedule/${id}`)
    expect(result['makespan']).toBe(body['makespan'])
    expect(operation.snapshot).toMatchObject({ kind: 'schedule', label: 'Long', owner: planner.userId, attempt: 1 })
    const percents = seen.map(({ percent }) => percent ?? 0)
    expect(percents).toEqual(percents.toSorted((one, other) => one - other))
    expect(percents.filter((percent) => percent > 5 && percent < 92).length).toBeGreaterThan(0)
    expect(seen.map(({ phase }) => phase)).toContain('planning')
    live.disconnect()
  })

  it('tells its changes to those who watch it and to all pages of its owner', async () => {
    const live = planner.live()
    const heard: Json[] = []
    const list = live.channel<{ changed: Json }>(`user:${planner.userId}`)
    list.on('changed', ({ data }) => void heard.push(data))
    await list.subscribe()
    const { id } = await planner.schedule()
    const own: unknown[] = []
    const channel = live.channel<{ changed: Json }>(`schedule:${id}`)
    channel.on('changed', ({ data }) => void own.push(data))
    await eventually('it is told', () => own.some((data) => (data as Json)['status'] === 'completed'))
    expect(own.at(-1)).toEqual({ id, status: 'completed' })
    await planner.delete(`/schedule/${id}`)
    const ofThis = (): Json[] => heard.filter((change) => change['id'] === id)
    await eventually('the list is told', () => ofThis().length === 4)
    const statuses = ['pending', 'running', 'completed', 'deleted']
    expect(ofThis()).toEqual(statuses.map((status) => ({ kind: 'schedule', id, status })))
    live.disconnect()
  })

  it.each([
    ['improver', LONG],
    [
      'exact',
      {
        ...LONG,
        strategy: 'exact',
        lots_data: manyLots(40),
        config: { strategies: { exact: { maxLots: 60, maxBlocks: 60, timeLimitSeconds: 120 } } },
      },
    ],
  ])('is cancelled within a second in the middle of the %s, over REST', async (_, request) => {
    const { id } = await planner.schedule(request)
    const live = planner.live()
    const operation = await planning(live, id)
    expect(await timed(() => planner.post(`/schedule/${id}/cancel`))).toBeLessThan(1_000)
    expect((await planner.get(`/schedule/${id}`)).body).toMatchObject({ status: 'cancelled' })
    await expect(operation.done).rejects.toBeInstanceOf(OperationError)
    // The one place is free again: the thread has stopped.
    const next = await planner.schedule({ strategy: 'spt' })
    await planner.reached(`/schedule/${next.id}`, ['completed'])
    live.disconnect()
  })

  it('is cancelled within a second by its operation, from any client', async () => {
    const live = planner.live()
    const { id } = await planner.schedule(LONG)
    const operation = await planning(live, id)
    const took = await timed(async () => {
      await operation.cancel()
      await operation.done.catch(() => undefined)
    })
    expect(took).toBeLessThan(1_000)
    expect(operation.snapshot?.state).toBe('cancelled')
    expect((await planner.get(`/schedule/${id}`)).body).toMatchObject({ status: 'cancelled' })
    live.disconnect()
  })

  it('is cancelled while it waits, by its operation as by REST', async () => {
    const live = planner.live()
    const first = await planner.schedule(LONG)
    await planner.reached(`/schedule/${first.id}`, ['running'])
    const [second, third] = [await planner.schedule(), await planner.schedule()]
    await live.operation(second.id).cancel()
    await planner.reached(`/schedule/${second.id}`, ['cancelled'], 1_000)
    await planner.post(`/schedule/${third.id}/cancel`)
    const waiting = live.operation(third.id)
    await waiting.done.catch(() => undefined)
    expect(waiting.snapshot?.state).toBe('cancelled')
    expect((await planner.get(`/schedule/${first.id}`)).body).toMatchObject({ status: 'running' })
    await planner.post(`/schedule/${first.id}/cancel`)
    live.disconnect()
  })

  it('tells its end to a client that was cut off meanwhile', async () => {
    const port = Number(new URL(server.url).port)
    const proxy = await TcpProxy.start(port)
    const live = new FillClient(proxy.url.replace('ws', 'http').replace('/ws', ''), planner.token).live()
    const { id } = await planner.schedule(LONG)
    const operation = await planning(live, id)
    proxy.switchUpstream(undefined)
    proxy.cut()
    await planner.post(`/schedule/${id}/cancel`)
    await eventually('the client has noticed', () => live.status !== 'open')
    expect(operation.snapshot?.state).toBe('running')
    proxy.switchUpstream(port)
    await within(
      'the end arrives',
      operation.done.catch(() => undefined),
    )
    expect(operation.snapshot?.state).toBe('cancelled')
    live.disconnect()
    await proxy.close()
  })
})
