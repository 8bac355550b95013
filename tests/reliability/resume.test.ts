import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, createHoldfast } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { DistantEngine } from '../kit/distant-engine.js'
import { printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SeededRandom, seedOfThisRun } from '../kit/seeded-random.js'
import { SECRET } from '../kit/server-process.js'
import { TcpProxy } from '../kit/tcp-proxy.js'

const CLIENTS = 30
const WRITERS = 6
const STEPS = 100
const STEP_MS = 40
const ENGINE_DELAY_MS_MAX = 12
const CHANNEL = 'room:stormy'
const SEED = seedOfThisRun()
const QUICK = { backoff: { minMs: 10, maxMs: 150 }, stableMs: 50 }

describe('clients whose sockets are cut at random under load', () => {
  const random = new SeededRandom(SEED)
  let node: Holdfast
  let proxy: TcpProxy
  let recorders: Recorder[]
  const acknowledged: Acknowledged[] = []
  const publishing: Promise<unknown>[] = []
  let cuts = 0

  beforeAll(async () => {
    node = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { publish: 'member', history: { size: 5_000, ttl: '1h' } } },
      engine: new DistantEngine(new SeededRandom(SEED), ENGINE_DELAY_MS_MAX),
    })
    const { port } = await node.listen()
    proxy = await TcpProxy.start(port)
    recorders = Array.from({ length: CLIENTS }, (_, index) => new Recorder(proxy.url, `user-${index}`, CHANNEL, QUICK))
    await eventually('all clients have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
  })

  afterAll(async () => {
    for (const { client } of recorders) client.disconnect()
    await proxy.close()
    await node.close()
  })

  /** The application publishes, and some of the clients do, whether they are connected or not. */
  function publishSome(step: number): void {
    const writers = recorders.slice(0, WRITERS).map(({ client }) => client.channel(CHANNEL).publish('said', { step }))
    const told = node.tenant('acme').publish(CHANNEL, 'told', { step })
    const published = [told, ...writers].map(async (promise) => {
      const { epoch = '', offset = 0, id } = await promise
      acknowledged.push({ epoch, offset, id })
    })
    publishing.push(...published)
  }

  function disturb(): void {
    const line = random.between(0, proxy.size)
    const kind = random.fraction()
    proxy.resume()
    cuts += kind < 0.8 ? 1 : 0
    if (kind < 0.4) proxy.cut(line)
    else if (kind < 0.8) proxy.cutAfter(random.between(1, 2_000), line)
    else if (kind < 0.95) proxy.pause(line)
    else proxy.cut()
  }

  it(`recover in full and in order, and are told nothing twice (seed ${SEED})`, async () => {
    process.stdout.write(`\nresume: HOLDFAST_TEST_SEED=${SEED}\n`)
    for (let step = 0; step < STEPS; step += 1) {
      publishSome(step)
      disturb()
      await pause(STEP_MS)
    }
    proxy.resume()
    await Promise.all(publishing)
    const count = STEPS * (WRITERS + 1)
    acknowledged.sort((one, other) => one.offset - other.offset)
    const lastId = acknowledged.at(-1)?.id
    const hasAll = ({ told }: Recorder): boolean => told.some((one) => one.kind === 'message' && one.id === lastId)
    await eventually('everybody has the last message', () => recorders.every(hasAll), 15_000)
    const sum = (figure: (recorder: Recorder) => number): number =>
      recorders.reduce((total, recorder) => total + figure(recorder), 0)
    printFigures(`${CLIENTS} clients, sockets cut under load`, {
      'messages published': count,
      'messages delivered': sum(({ data }) => data.length),
      'single cuts': cuts,
      reconnects: sum(({ client }) => client.statistics.reconnects),
      'recovered in full': sum(({ verdicts }) => verdicts.filter(({ recovered }) => recovered === 'full').length),
      'duplicates dropped by the client': sum(({ client }) => client.statistics.duplicatesDropped),
    })
    // Each publish exactly once, also where its answer was lost and it was sent again.
    expect(acknowledged.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, index) => index + 1))
    for (const { told, counts, errors } of recorders) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      expect(counts).toEqual({ messages: count, gaps: 0 })
      expect(errors).toEqual([])
    }
    expect(sum(({ client }) => client.statistics.reconnects)).toBeGreaterThan(STEPS / 4)
    for (const { client } of recorders) client.disconnect()
    await eventually('the node has let everything go', () => node.stats().connections + node.stats().channels === 0)
  }, 60_000)
})
