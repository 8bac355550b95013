import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Engine, type Holdfast, MemoryEngine, createHoldfast } from '@holdfast/server'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, pause } from '../kit/deadline.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'

const CHANNEL = 'room:1'
const CLIENTS = 8

describe('clients of a node that is drained', () => {
  const engine = new MemoryEngine()
  let nodes: Holdfast[]
  let proxy: ChaosProxy
  let recorders: Recorder[]
  let acknowledged: Acknowledged[]
  let stopFlow: () => Promise<void>
  const events: unknown[] = []

  beforeEach(() => {
    nodes = []
    acknowledged = []
    events.length = 0
  })

  afterEach(async () => {
    for (const { client } of recorders) client.disconnect()
    await proxy.close()
    for (const node of nodes) await node.close()
  })

  async function startNode(name: string, shared: Engine): Promise<number> {
    const node = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { publish: 'member', presence: true, history: { size: 5_000, ttl: '1h' } } },
      engine: shared,
      node: name,
      drain: { windowMs: 400, deadlineMs: 15_000 },
    })
    nodes.push(node)
    return (await node.listen(0)).port
  }

  async function listenOn(port: number): Promise<void> {
    proxy = await ChaosProxy.start(port)
    const url = `ws://127.0.0.1:${proxy.port}/ws`
    recorders = Array.from({ length: CLIENTS }, (_, index) => new Recorder(url, `user-${index}`, CHANNEL))
    for (const { client } of recorders) client.channel(CHANNEL).presence.on('joined', () => {})
    await eventually('all have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
    const [witness] = recorders
    await eventually('all are there', () => witness?.client.channel(CHANNEL).presence.members.size === CLIENTS)
    for (const { client } of recorders) {
      client.on('state', (change) => events.push(change))
      client.channel(CHANNEL).on('subscribed', (verdict) => events.push(verdict))
      client.channel(CHANNEL).on('unsubscribed', (ended) => events.push(ended))
    }
    stopFlow = flow()
  }

  /** Every client publishes, without a pause between two nodes; answers the end of it. */
  function flow(): () => Promise<void> {
    let isOver = false
    const publish = async ({ client }: Recorder): Promise<void> => {
      while (!isOver) {
        const { epoch = '', offset = 0, id } = await client.channel(CHANNEL).publish('said', 'x')
        acknowledged.push({ epoch, offset, id })
        await pause(5)
      }
    }
    const publishing = Promise.all(recorders.map(publish))
    return async () => {
      isOver = true
      await publishing
      acknowledged.sort((one, other) => one.offset - other.offset)
    }
  }

  async function hasNoticedNothing(): Promise<void> {
    await stopFlow()
    const lastId = acknowledged.at(-1)?.id
    await eventually('all have the last message', () =>
      recorders.every(({ told }) => told.some((one) => one.kind === 'message' && one.id === lastId)),
    )
    expect(events).toEqual([])
    for (const { told, errors, counts, client } of recorders) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      expect(counts).toEqual({ messages: acknowledged.length, gaps: 0 })
      expect(errors).toEqual([])
      expect(client.status).toBe('open')
    }
  }

  it('go on on another one, and on yet another, and notice nothing', async () => {
    await listenOn(await startNode('one', engine))
    for (const name of ['two', 'three']) {
      proxy.switchUpstream(await startNode(name, engine))
      await nodes.at(-2)?.drain()
    }
    await hasNoticedNothing()
    for (const { client } of recorders) {
      expect(client.statistics).toMatchObject({ handovers: 2, reconnects: 0 })
      expect(client.identity).toMatchObject({ node: 'three' })
    }
  })

  it('subscribe again by themselves where their session is not known, before they leave, and notice nothing', async () => {
    await listenOn(await startNode('one', engine))
    proxy.switchUpstream(await startNode('two', withoutRecords(engine)))
    await nodes[0]?.drain()
    await hasNoticedNothing()
    for (const { client } of recorders) {
      expect(client.statistics).toMatchObject({ handovers: 1, reconnects: 0 })
      expect(client.identity).toMatchObject({ node: 'two', resumed: false })
    }
  })
})

/** The same engine, but sessions and whatever else is kept as a record are not found there. */
function withoutRecords(engine: MemoryEngine): Engine {
  const { records } = new MemoryEngine()
  return new Proxy(engine, {
    get(target, name) {
      if (name === 'records') return records
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
