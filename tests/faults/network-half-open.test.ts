import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime, machineTimeBetween, moment } from '../kit/machine-time.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { type Lost, type NetworkPath, openPath } from './network-path.js'

const CHANNEL = 'room:1'
/** The server gives a silent client 1 s, the client a silent server 1.5 s. */
const SETTINGS = {
  channels: { 'room:*': { publish: 'member', presence: true, history: { size: 1_000, ttl: '1h' } } },
  heartbeat: { intervalMs: 500, timeoutMs: 1_000 },
  presence: { graceMs: 0, coalesceMs: 0 },
}
const FOUND_OUT_MS = 2_500
const PRESENCE_MS = 500
const BACK_MS = 5_000

describe('a network that loses everything without a word', () => {
  let path: NetworkPath
  let watcher: Recorder
  let reader: Recorder
  let leftAt: number | undefined

  beforeAll(async () => {
    path = await openPath(SETTINGS)
  })

  afterEach(() => {
    path.heal()
    watcher.client.disconnect()
    reader.client.disconnect()
  })

  afterAll(() => path.close())

  async function bothListen(): Promise<void> {
    leftAt = undefined
    watcher = new Recorder(path.otherUrl, 'watcher', CHANNEL, { WebSocket: path.OtherWebSocket })
    const { presence } = watcher.client.channel(CHANNEL)
    presence.on('left', ({ user }) => user === 'reader' && (leftAt = moment()))
    reader = new Recorder(path.url, 'reader', CHANNEL, { WebSocket: path.WebSocket, connectTimeoutMs: 1_000 })
    reader.client.channel(CHANNEL).presence.on('joined', () => {})
    await eventually('both are there', () => presence.counts.members === 2 && reader.verdicts.length > 0)
  }

  async function publishUntil(isEnough: () => boolean): Promise<Acknowledged[]> {
    const acknowledged: Acknowledged[] = []
    while (!isEnough()) {
      const { epoch = '', offset = 0, id } = await watcher.client.channel(CHANNEL).publish('said', acknowledged.length)
      acknowledged.push({ epoch, offset, id })
      await pause(20)
    }
    return acknowledged
  }

  function isAway(): boolean {
    return reader.states.some(({ state }) => state === 'waiting')
  }

  it.each<[string, Lost]>([
    ['F-40 both ends of a half-open connection find out, and', 'both'],
    ['F-41 a client that the server cannot reach finds out, and', 'down'],
    ['F-41 a server that the client cannot reach finds out, and', 'up'],
  ])('%s nothing is lost on return', async (_, lost) => {
    await bothListen()
    const cutAt = moment()
    path.lose(lost)
    const acknowledged = await publishUntil(() => isAway() && leftAt !== undefined)
    const awayAt = reader.states.find(({ state }) => state === 'waiting')?.at ?? Infinity
    expect(machineTimeBetween(cutAt, awayAt)).toBeLessThan(FOUND_OUT_MS)
    expect(machineTimeBetween(cutAt, leftAt ?? Infinity)).toBeLessThan(FOUND_OUT_MS + PRESENCE_MS)
    const healedAt = machineTime()
    path.heal()
    acknowledged.push(...(await publishUntil(() => reader.client.status === 'open' && reader.verdicts.length > 1)))
    expect(machineTime() - healedAt).toBeLessThan(BACK_MS)
    const lastId = acknowledged.at(-1)?.id
    await eventually('the last message', () => reader.told.some((one) => one.kind === 'message' && one.id === lastId))
    expect(checkHistory(reader.told, acknowledged)).toEqual([])
    expect(checkHistory(watcher.told, acknowledged)).toEqual([])
    expect([...reader.errors, ...watcher.errors]).toEqual([])
    expect(watcher.states.map(({ state }) => state)).toEqual(['open'])
  })
})
