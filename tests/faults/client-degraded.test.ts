import { Holdfast as Client, type Message } from '@holdfast/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, type Holdfast, MemoryEngine, createHoldfast, signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { type InterruptedEngine, interruptedEngine } from '../../packages/server/src/testing/interrupted-engine.js'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, within } from '../kit/deadline.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'

const KEPT = 'room:1'
const LOCAL = 'local:1'
const ROUNDS = 10

describe('clients of a node that lost the way to its store, beside one that did not', () => {
  const shared = new MemoryEngine()
  let link: InterruptedEngine
  let cut: Holdfast
  let whole: Holdfast
  let cutUrl: string
  let wholeUrl: string
  const clients: Client[] = []

  beforeAll(async () => {
    link = interruptedEngine(shared)
    cut = node('cut', link.engine)
    whole = node('whole', shared)
    cutUrl = (await cut.listen(0)).url
    wholeUrl = (await whole.listen(0)).url
  })

  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await cut.close()
    await whole.close()
  })

  function node(name: string, engine: Engine): Holdfast {
    const history = { size: 1_000, ttl: '1h' } as const
    return createHoldfast({
      auth: { secret: SECRET },
      channels: {
        'room:*': { publish: 'member', history },
        'local:*': { publish: 'member', history, whenDegraded: 'local' },
      },
      engine,
      node: name,
    })
  }

  function recorder(url: string, user: string, channel: string): Recorder {
    const one = new Recorder(url, user, channel)
    clients.push(one.client)
    return one
  }

  /** What a listener to the channel that is delivered locally hears. */
  function localReader(url: string, user: string): Message[] {
    const token = signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 600 })
    const client = new Client(url, { token, WebSocket })
    clients.push(client)
    const heard: Message[] = []
    client.channel(LOCAL).on('*', (message) => heard.push(message))
    return heard
  }

  it('lose nothing, hear nothing twice, and stay connected', async () => {
    const here = recorder(cutUrl, 'here', KEPT)
    const there = recorder(wholeUrl, 'there', KEPT)
    const [localHere, localThere] = [localReader(cutUrl, 'ada'), localReader(wholeUrl, 'bob')]
    await eventually('all listen', () => clients.every((client) => client.status === 'open'))
    await eventually('both have begun', () => [here, there].every(({ verdicts }) => verdicts.length === 1))
    await eventually('so have the others', () =>
      clients.slice(2).every((client) => client.channel(LOCAL).status === 'subscribed'),
    )
    const notices: string[] = []
    here.client.on('notice', ({ code }) => notices.push(code))

    link.cut()
    await eventually('it is told', () => here.client.statistics.degraded)
    const acknowledged: Acknowledged[] = []
    const publishing: Promise<unknown>[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { client } of [here, there])
        publishing.push(
          client
            .channel(KEPT)
            .publish('said', round)
            .then(({ epoch = '', offset = 0, id }) => acknowledged.push({ epoch, offset, id })),
        )
      await here.client.channel(LOCAL).publish('said', `here ${round}`)
      await there.client.channel(LOCAL).publish('said', `there ${round}`)
    }
    await eventually('what is local is heard at once', () => localHere.length === ROUNDS)
    expect(localHere.every(({ offset }) => offset === undefined)).toBe(true)
    await eventually('the others go on', () => acknowledged.length === ROUNDS)
    const late = recorder(cutUrl, 'late', KEPT)
    const begun = late.client.channel(KEPT).subscribe({ since: { epoch: acknowledged[0]?.epoch ?? '', offset: 0 } })
    await eventually('it waits', () => late.client.statistics.retries > 0)
    expect(late.client.channel(KEPT).status).toBe('subscribing')
    expect(here.data).toEqual([])

    link.heal()
    await within('everything is stored', Promise.all(publishing))
    await within('the late one has begun', begun)
    await eventually('everything is heard here', () => here.data.length === 2 * ROUNDS)
    await eventually('and by the late one', () => late.data.length === 2 * ROUNDS)
    await eventually('what was local is heard everywhere', () =>
      [localHere, localThere].every((heard) => heard.length >= 2 * ROUNDS),
    )
    await there.client.channel(LOCAL).publish('said', 'last')
    await eventually('the last one too', () => [localHere, localThere].every((heard) => heard.at(-1)?.data === 'last'))

    acknowledged.sort((one, other) => one.offset - other.offset)
    for (const { told, errors, states } of [here, there, late]) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      expect(errors).toEqual([])
      expect(states.map(({ state }) => state)).toEqual(['open'])
    }
    for (const heard of [localHere, localThere]) {
      expect(heard).toHaveLength(2 * ROUNDS + 1)
      expect(new Set(heard.map(({ id }) => id)).size).toBe(2 * ROUNDS + 1)
    }
    expect(notices).toEqual(['degraded', 'recovered'])
    expect(here.client.statistics).toMatchObject({ degraded: false, queued: 0, reconnects: 0 })
  })

  it('come back to it while it is cut off, wait for their channels, and recover them when it is whole', async () => {
    const proxy = await ChaosProxy.start(Number(new URL(cutUrl).port))
    const one = recorder(`ws://127.0.0.1:${proxy.port}/ws`, 'one', KEPT)
    const heard: Message[] = []
    one.client.channel(LOCAL).on('*', (message) => heard.push(message))
    await eventually('it listens', () => one.client.channel(LOCAL).status === 'subscribed' && one.verdicts.length === 1)
    link.cut()
    await eventually('it is told', () => one.client.statistics.degraded)
    await cut.tenant('acme').publish(LOCAL, 'told', 'a')
    await eventually('it hears', () => heard.length === 1)
    proxy.killAll()
    await eventually('it is back', () => one.client.statistics.reconnects === 1 && one.client.statistics.degraded)
    expect(one.client.channel(KEPT).status).toBe('subscribing')
    const { epoch, offset, id } = await whole.tenant('acme').publish(KEPT, 'told', 'b')
    link.heal()
    await eventually('everything is recovered', () => one.data.length === 1 && heard.some(({ data }) => data === 'a'))
    await eventually('it listens again', () => one.client.channel(LOCAL).status === 'subscribed')
    await whole.tenant('acme').publish(LOCAL, 'told', 'last')
    await eventually('the last one', () => heard.at(-1)?.data === 'last')
    expect(heard.map(({ data }) => data)).toEqual(['a', 'last'])
    expect(checkHistory(one.told, [{ epoch, offset, id }])).toEqual([])
    expect(one.errors).toEqual([])
    one.client.disconnect()
    await proxy.close()
  })
})
