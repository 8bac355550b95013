import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, createHoldfast, signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'
import { FaultyClock } from './client-clock.js'

const CHANNEL = 'room:1'
const DAY_MS = 86_400_000
const HEARTBEAT = { intervalMs: 300, timeoutMs: 700 }

describe('a client whose time is not that of the server', () => {
  let server: Holdfast
  let proxy: ChaosProxy
  let url: string
  let acknowledged: Acknowledged[]
  const clients: Recorder[] = []

  beforeAll(async () => {
    server = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { history: { size: 100, ttl: '1h' } } },
      heartbeat: HEARTBEAT,
    })
    const { port } = await server.listen(0)
    proxy = await ChaosProxy.start(port)
    url = `ws://127.0.0.1:${proxy.port}/ws`
  })

  afterEach(() => {
    for (const { client } of clients.splice(0)) client.disconnect()
    proxy.heal()
  })

  afterAll(async () => {
    await proxy.close()
    await server.close()
  })

  async function reader(clock: FaultyClock, token?: () => string): Promise<Recorder> {
    acknowledged = []
    const recorder = new Recorder(url, 'ada', CHANNEL, { clock, ...(token && { token }) })
    clients.push(recorder)
    await eventually('it has begun', () => recorder.verdicts.length > 0)
    return recorder
  }

  async function publish(): Promise<void> {
    const { epoch, offset, id } = await server.tenant('acme').publish(CHANNEL, 'told', acknowledged.length)
    acknowledged.push({ epoch, offset, id })
  }

  async function hasAll(recorder: Recorder): Promise<void> {
    await publish()
    await eventually('everything arrives', () => recorder.told.at(-1)?.kind === 'message' && isLast(recorder))
    expect(checkHistory(recorder.told, acknowledged)).toEqual([])
  }

  function isLast({ told }: Recorder): boolean {
    const last = told.at(-1)
    return last?.kind === 'message' && last.id === acknowledged.at(-1)?.id
  }

  it.each([DAY_MS, -DAY_MS])(
    'F-48 a clock that is wrong by %i ms asks for a fresh token when the server says, once',
    async (offsetMs) => {
      const clock = new FaultyClock()
      clock.offsetMs = offsetMs
      const lifetimes = [6, 3_600, 3_600]
      let asked = 0
      const token = (): string =>
        signToken({ secret: SECRET, tenant: 'acme', user: 'ada', ttlSeconds: lifetimes[asked++] ?? 1 })
      const recorder = await reader(clock, token)
      await eventually('a fresh token is asked for', () => asked === 2)
      await pause(1_500)
      expect(asked).toBe(2)
      await hasAll(recorder)
      expect(recorder.states.map(({ state }) => state)).toEqual(['open'])
      expect(recorder.errors).toEqual([])
    },
  )

  it('F-48 a clock that jumps neither ends a connection nor keeps one that is dead', async () => {
    const clock = new FaultyClock()
    const recorder = await reader(clock)
    for (const jumpMs of [DAY_MS, -DAY_MS, -DAY_MS, DAY_MS]) {
      clock.offsetMs += jumpMs
      await pause(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 200)
      await hasAll(recorder)
    }
    expect(recorder.states.map(({ state }) => state)).toEqual(['open'])
    clock.offsetMs -= DAY_MS
    const cutAt = machineTime()
    proxy.sink('down')
    await eventually('it gives the connection up', () => recorder.states.at(-1)?.state === 'waiting')
    expect(machineTime() - cutAt).toBeLessThan(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 500)
    proxy.heal()
    await hasAll(recorder)
  })

  it('F-49 a laptop that slept for ten minutes connects once, and recovers', async () => {
    const clock = new FaultyClock()
    const recorder = await reader(clock)
    await hasAll(recorder)
    const { accepted } = proxy
    clock.sleep()
    proxy.blackhole()
    for (let count = 0; count < 20; count += 1) await publish()
    await eventually('the server gives it up', () =>
      Object.values(server.stats().heartbeat).every((count) => count === 0),
    )
    clock.wake(600_000)
    proxy.heal()
    await eventually('it is back', () => recorder.states.at(-1)?.state === 'open' && recorder.verdicts.length > 1)
    await hasAll(recorder)
    await pause(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 200)
    expect(proxy.accepted - accepted).toBe(1)
    expect(recorder.states.map(({ state }) => state)).toEqual(['open', 'waiting', 'connecting', 'open'])
    expect(recorder.counts).toEqual({ messages: acknowledged.length, gaps: 0 })
  })

  it('F-49 a laptop that slept for less than the server waits goes on with the connection that it has', async () => {
    const clock = new FaultyClock()
    const recorder = await reader(clock)
    clock.sleep()
    await pause(100)
    clock.wake(600_000)
    await pause(HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 200)
    await hasAll(recorder)
    expect(recorder.states.map(({ state }) => state)).toEqual(['open'])
  })

  it('a client whose hello comes too late, again and again, comes back until it is in time', async () => {
    const strict = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { history: { size: 100, ttl: '1h' } } },
      limits: { handshakeTimeoutMs: 100 },
    })
    const { port } = await strict.listen(0)
    let isLate = true
    class SlowSocket extends WebSocket {
      override send(frame: string): void {
        if (!isLate) super.send(frame)
      }
    }
    const backoff = { minMs: 20, maxMs: 100 }
    const recorder = new Recorder(`ws://127.0.0.1:${port}/ws`, 'ada', CHANNEL, { WebSocket: SlowSocket, backoff })
    clients.push(recorder)
    await eventually('it was late four times', () => recorder.client.statistics.attempts > 4)
    isLate = false
    await eventually('it has begun', () => recorder.verdicts.length > 0)
    expect(recorder.states.map(({ state }) => state)).not.toContain('failed')
    await strict.close()
  })

  it('F-50 a page in the background, whose timers fire rarely, answers the server and stays connected', async () => {
    const clock = new FaultyClock()
    clock.gridMs = 1_500
    const recorder = await reader(clock)
    for (let count = 0; count < 8; count += 1) {
      await pause(HEARTBEAT.timeoutMs / 1.5)
      await hasAll(recorder)
    }
    expect(recorder.states.map(({ state }) => state)).toEqual(['open'])
    expect(recorder.client.statistics).toMatchObject({ attempts: 1, reconnects: 0 })
  })
})
