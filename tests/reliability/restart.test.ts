import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signToken } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { histogram, percentile, printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { machineTimeBetween, moment } from '../kit/machine-time.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET, ServerProcess } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'

const CLIENTS = 200
const CHANNEL = 'room:news'
const BETWEEN_MESSAGES_MS = 20
const MESSAGES_BEFORE = 60
const MESSAGES_AFTER = 60
const BUCKET_MS = 100
/** The first attempts are to come within 500 ms of each other: a fifth in each bucket if they are spread evenly. */
const PLANNED_SHARE_MAX = 0.35
/** A busy machine may hold some back and let them go together. */
const ARRIVED_SHARE_MAX = 0.6

describe('a server killed and started again under 200 clients', () => {
  let server: ServerProcess
  let recorders: Recorder[]
  const acknowledged: Acknowledged[] = []

  beforeAll(async () => {
    server = await ServerProcess.start()
    // With the timing that applications have: what is shown here is how they come back.
    recorders = Array.from({ length: CLIENTS }, (_, index) => new Recorder(server.url, `user-${index}`, CHANNEL))
    await eventually('all clients have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0), 30_000)
  })

  afterAll(async () => {
    for (const { client } of recorders) client.disconnect()
    await server.kill()
  })

  /** Publishes at a steady pace until `isEnough`; what is acknowledged is written down as the answers come. */
  async function publishUntil(isEnough: (published: number) => boolean): Promise<WireClient> {
    const token = signToken({ secret: SECRET, tenant: 'acme', user: 'publisher', ttlSeconds: 3_600 })
    const publisher = await WireClient.welcomed(server.url, { token })
    for (let published = 0; !isEnough(published); published += 1) {
      publisher.send({ type: 'publish', channel: CHANNEL, data: published })
      await pause(BETWEEN_MESSAGES_MS)
    }
    return publisher
  }

  function writeDown(publisher: WireClient): void {
    for (const { epoch = '', offset = 0, messageId: id = '' } of publisher.of('ok'))
      acknowledged.push({ epoch, offset, id })
  }

  it('is found again by all of them, each told of the gap once and of no message twice, and without a storm', async () => {
    const before = await publishUntil((published) => published >= MESSAGES_BEFORE)
    // In the middle of the flow: some of this is stored, some answered, some heard by some.
    for (let more = 0; more < 20; more += 1) before.send({ type: 'publish', channel: CHANNEL, data: 'unanswered' })
    const killedAt = moment()
    await server.kill()
    writeDown(before)
    server = await ServerProcess.start({}, server.port)
    const readyAt = moment()
    const returnedAt = (recorder: Recorder): number | undefined =>
      recorder.states.find(({ state, at }) => state === 'open' && at > killedAt)?.at
    const after = await publishUntil(
      (published) => published >= MESSAGES_AFTER && recorders.every((one) => returnedAt(one) !== undefined),
    )
    await after.get('pong', { type: 'ping' })
    writeDown(after)
    const last = acknowledged.at(-1)
    await eventually('everybody has the last message', () =>
      recorders.every(({ told }) => told.some((one) => one.kind === 'message' && one.id === last?.id)),
    )

    // Those who had to wait for the machine come together with others, however spread out they set off.
    const arrivals = recorders
      .map((recorder) => returnedAt(recorder) ?? Infinity)
      .filter((at) => machineTimeBetween(at - BUCKET_MS, at) > BUCKET_MS / 2)
      .map((at) => at - killedAt)
    const planned = recorders.map(
      ({ states }) => states.find(({ state, at }) => state === 'waiting' && at > killedAt)?.retryInMs ?? 0,
    )
    printFigures(`${CLIENTS} clients after a kill`, {
      'server ready after, ms': readyAt - killedAt,
      'clients back after, ms (least, median, 95 %, most)': [0, 0.5, 0.95, 1]
        .map((share) => percentile(arrivals, share).toFixed(0))
        .join(' '),
      [`first attempts planned, in each ${BUCKET_MS} ms`]: histogram(planned, BUCKET_MS).join(' '),
      [`back, in each ${BUCKET_MS} ms`]: histogram(arrivals, BUCKET_MS).join(' '),
      'fullest share, planned and back': `${fullestShare(planned).toFixed(2)} ${fullestShare(arrivals).toFixed(2)}`,
      'attempts, at most by one client': Math.max(...recorders.map(({ client }) => client.statistics.attempts)),
      'messages acknowledged': acknowledged.length,
    })
    for (const { told, client } of recorders) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      const gaps = told.filter((one) => one.kind === 'gap')
      expect(gaps).toMatchObject([{ to: null, reason: 'epoch_changed' }])
      expect(client.status).toBe('open')
    }
    expect(new Set(acknowledged.map(({ epoch }) => epoch)).size).toBe(2)
    expect(fullestShare(planned)).toBeLessThan(PLANNED_SHARE_MAX)
    expect(fullestShare(arrivals)).toBeLessThan(ARRIVED_SHARE_MAX)
  }, 90_000)
})

/** The share of all that the fullest bucket holds. */
function fullestShare(times: readonly number[]): number {
  return Math.max(...histogram(times, BUCKET_MS)) / times.length
}
