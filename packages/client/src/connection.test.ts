import { describe, expect, it } from 'vitest'
import { Stage, answer, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'
import type { HoldfastError } from './errors.js'

const goodbye = (code: number, message: string, reconnect: string, after?: number): object => ({
  type: 'goodbye',
  code,
  message,
  reconnect,
  ...(after !== undefined && { after }),
})

describe('a connection', () => {
  it('offers the subprotocol, says hello first with its token, and is open after the welcome', async () => {
    const stage = new Stage({ token: async () => 'the-token', name: 'shop', version: '2.0' })
    const end = await stage.open()
    expect(end.protocols).toEqual(['holdfast.v1+json'])
    expect(end.arrived[0]).toEqual({ type: 'hello', token: 'the-token', client: { name: 'shop', version: '2.0' } })
    expect(stage.states).toEqual(['connecting', 'open'])
    expect(stage.client.identity).toMatchObject({ tenant: 'acme', user: 'ada', node: 'n1', resumed: false })
  })

  it('connects at once unless told otherwise', async () => {
    const stage = new Stage({ connect: true })
    await settle()
    expect(stage.client.status).toBe('open')
  })

  it('T-118 comes back after a cut with a growing, jittered delay, and asks for a token each time', async () => {
    let asked = 0
    const stage = new Stage({ token: () => `token-${(asked += 1)}` })
    await stage.open()
    stage.network.onConnect = (end) => end.close(1006)
    const delays: (number | undefined)[] = []
    stage.client.on('state', ({ retryInMs }) => retryInMs !== undefined && delays.push(retryInMs))
    stage.end.close(1006)
    await stage.clock.pass(70_000)
    // Half-way between 500 ms and a ceiling that doubles up to 30 s.
    expect(delays.slice(0, 7)).toEqual([750, 1250, 2250, 4250, 8250, 15_250, 15_250])
    expect(asked).toBe(stage.client.statistics.attempts)
  })

  it('T-118 starts its delay over after ten stable seconds only', async () => {
    const stage = new Stage()
    await stage.open()
    const delays: (number | undefined)[] = []
    stage.client.on('state', ({ retryInMs }) => retryInMs !== undefined && delays.push(retryInMs))
    for (const stableMs of [9000, 9000, 10_000]) {
      await stage.clock.pass(stableMs)
      stage.end.close(1006)
      await stage.clock.pass(delays.at(-1) ?? 0)
    }
    expect(delays).toEqual([750, 1250, 750])
  })

  it('gives up after maxAttempts attempts in a row', async () => {
    const stage = new Stage({ maxAttempts: 3 })
    stage.network.onConnect = (end) => end.close(1006)
    stage.client.connect()
    await stage.clock.pass(60_000)
    expect(stage.network.ends).toHaveLength(3)
    expect(stage.client.status).toBe('failed')
  })

  it('T-118 waits as long as goodbye asks for, whatever the close code says', async () => {
    const stage = new Stage()
    await stage.open()
    stage.end.send(goodbye(1013, 'Too slow', 'backoff', 12_345))
    stage.end.close(1013, 'Too slow')
    await stage.clock.pass(12_300)
    expect(stage.states.at(-1)).toBe('waiting')
    await stage.clock.pass(100)
    expect(stage.client.status).toBe('open')
  })

  it('T-118 returns at once after Too slow, but not again and again', async () => {
    const stage = new Stage()
    await stage.open()
    stage.end.close(1013, 'Too slow')
    await stage.clock.pass(0)
    expect(stage.client.status).toBe('open')
    stage.end.close(1013, 'Too slow')
    await stage.clock.pass(1000)
    expect(stage.client.status).toBe('waiting')
  })

  it.each([
    [1003, 'Unsupported data'],
    [1008, 'Origin not allowed'],
    [1008, 'Token revoked'],
    [1008, 'Connection limit exceeded'],
  ])('T-118 fails for good after %i %s', async (code, reason) => {
    const stage = new Stage()
    await stage.open()
    stage.end.close(code, reason)
    await stage.clock.pass(120_000)
    expect(stage.client.status).toBe('failed')
    expect(stage.network.ends).toHaveLength(1)
  })

  it.each(['Normal closure', 'Operation completed', 'Resumed elsewhere'])('is closed after 1000 %s', async (reason) => {
    const stage = new Stage()
    await stage.open()
    stage.end.close(1000, reason)
    await stage.clock.pass(120_000)
    expect(stage.client.status).toBe('closed')
  })

  it('T-118 asks for a token once more when it is refused, and fails at the second refusal in a row', async () => {
    let asked = 0
    const stage = new Stage({ token: () => `token-${(asked += 1)}` })
    stage.network.onConnect = (end) => {
      end.onCommand = () => {
        end.send(goodbye(1008, 'Invalid authentication token', 'refresh'))
        end.close(1008, 'Invalid authentication token')
      }
      end.accept()
    }
    stage.client.connect()
    await stage.clock.pass(60_000)
    expect(stage.client.status).toBe('failed')
    expect(asked).toBe(2)
  })

  it('reconnects with a fresh token after the old one expired', async () => {
    let asked = 0
    const stage = new Stage({ token: () => `token-${(asked += 1)}` })
    await stage.open()
    stage.end.close(1008, 'Authentication token expired')
    await stage.clock.pass(0)
    expect(stage.client.status).toBe('open')
    expect(stage.end.arrived[0]).toMatchObject({ token: 'token-2' })
  })

  it('T-119 backs off when token() fails, and does not wait for one that hangs', async () => {
    let asked = 0
    const stage = new Stage({
      token: () => {
        asked += 1
        if (asked === 1) throw new Error('no network')
        return asked === 2 ? new Promise<string>(() => {}) : 'token'
      },
    })
    stage.client.connect()
    await settle()
    expect(stage.client.status).toBe('waiting')
    await stage.clock.pass(750 + 9999)
    expect(stage.client.status).toBe('connecting')
    await stage.clock.pass(1 + 1250)
    expect(stage.client.status).toBe('open')
    expect(asked).toBe(3)
  })

  it('T-117 drops a socket that gives no welcome within ten seconds', async () => {
    const stage = new Stage()
    stage.network.onConnect = (end) => end.accept()
    stage.client.connect()
    await stage.clock.pass(10_000)
    expect(stage.client.status).toBe('waiting')
    expect(stage.network.last.closedBy).toBeDefined()
  })

  it('never comes back after disconnect(), and does after connect()', async () => {
    const stage = new Stage()
    const end = await stage.open()
    stage.client.disconnect()
    expect(end.closedBy).toEqual({ code: 1000, reason: 'Normal closure' })
    await stage.clock.pass(600_000)
    expect(stage.client.status).toBe('closed')
    expect(stage.clock.timers).toBe(0)
    await stage.open()
    expect(stage.network.ends).toHaveLength(2)
  })

  it('leaves no timer behind when it is disconnected while waiting or connecting', async () => {
    for (const passMs of [0, 100, 800]) {
      const stage = new Stage()
      await stage.open()
      stage.network.onConnect = () => {}
      stage.end.close(1006)
      await stage.clock.pass(passMs)
      stage.client.disconnect()
      expect(stage.clock.timers).toBe(0)
      expect(stage.client.status).toBe('closed')
    }
  })

  it('rejects what waits when it fails, and what comes after', async () => {
    const stage = new Stage()
    const waiting = stage.client.call('sum')
    stage.network.onConnect = (end) => end.close(1008, 'Token revoked')
    stage.client.connect()
    await expect(waiting).rejects.toMatchObject({ code: 'refused' })
    await expect(stage.client.call('sum')).rejects.toMatchObject({ code: 'refused' })
    await expect(stage.client.ready()).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('a heartbeat', () => {
  it('answers the ping of the server and measures the way there and back', async () => {
    const stage = new Stage()
    const end = await stage.open()
    end.send({ type: 'ping', at: '2026-01-01T00:00:00.000Z' })
    const [ping] = end.all('ping')
    await stage.clock.pass(40)
    end.send({ type: 'pong', at: ping!['at'] })
    expect(stage.client.statistics.latency).toMatchObject({ last: 40 })
  })

  it('gives a silent server interval and timeout, then reconnects', async () => {
    const stage = new Stage()
    const end = await stage.open()
    await stage.clock.pass(30_000)
    end.send({ type: 'ping', at: '' })
    await stage.clock.pass(34_999)
    expect(stage.client.status).toBe('open')
    await stage.clock.pass(1)
    expect(stage.client.status).toBe('waiting')
  })

  it('asks before it gives up when the machine slept', async () => {
    const stage = new Stage()
    const end = await stage.open()
    await stage.clock.sleep(3_600_000)
    expect(stage.client.status).toBe('open')
    expect(end.all('ping')).toHaveLength(1)
    end.send({ type: 'pong', at: stage.clock.now() })
    await stage.clock.pass(3000)
    expect(stage.client.status).toBe('open')
    expect(stage.clock.timers).toBeLessThan(4)
  })

  it('probes at once when the page is shown or the network returns, and gives three seconds', async () => {
    const stage = new Stage()
    const end = await stage.open()
    stage.wake()
    stage.wake()
    expect(end.all('ping')).toHaveLength(1)
    await stage.clock.pass(2999)
    expect(stage.client.status).toBe('open')
    await stage.clock.pass(1)
    expect(stage.client.status).toBe('waiting')
  })

  it('does not wait for its time when the network returns, unless the server asked for it', async () => {
    const stage = new Stage({ backoff: { minMs: 500, maxMs: 30_000 } })
    await stage.open()
    stage.network.onConnect = (end) => end.close(1006)
    stage.end.close(1006)
    await stage.clock.pass(20_000)
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => answer(end, command)
      end.accept()
    }
    stage.wake()
    await stage.clock.pass(250)
    expect(stage.client.status).toBe('open')
    stage.end.send(goodbye(1013, 'Server busy', 'backoff', 9000))
    stage.end.close(1013, 'Server busy')
    stage.wake()
    await stage.clock.pass(8999)
    expect(stage.client.status).toBe('waiting')
  })
})

describe('a hand-over', () => {
  const drain = goodbye(1012, 'Service restart', 'now', 2000)

  it('opens the new socket at its slot, resumes there, closes the old one, and shows nothing of it', async () => {
    const stage = new Stage()
    const old = await stage.open()
    stage.network.onConnect = (end) => {
      end.onCommand = ({ type }) => type === 'hello' && end.send(welcome({ resumed: true }))
      end.accept()
    }
    old.send(drain)
    await stage.clock.pass(1999)
    expect(stage.network.ends).toHaveLength(1)
    await stage.clock.pass(1)
    expect(stage.network.ends).toHaveLength(2)
    expect(stage.end.arrived[0]).toMatchObject({ type: 'hello', resume: { session: 's1', secret: 'secret' } })
    expect(old.closedBy).toEqual({ code: 1000, reason: 'Normal closure' })
    expect(stage.states).toEqual(['connecting', 'open'])
    expect(stage.client.statistics).toMatchObject({ handovers: 1, reconnects: 0 })
  })

  it('waits for the answers of the old link before it resumes on the new one', async () => {
    const stage = new Stage()
    const old = await stage.open()
    const call = stage.client.call('slow')
    old.send(drain)
    await stage.clock.pass(2500)
    expect(stage.end).not.toBe(old)
    expect(stage.end.arrived).toEqual([])
    old.send({ type: 'ok', id: old.all('call')[0]!.id, data: 42 })
    await stage.clock.pass(20)
    expect(await call).toBe(42)
    expect(stage.end.arrived[0]).toMatchObject({ type: 'hello' })
  })

  it('goes on when the server ends the old link as soon as the new one resumes', async () => {
    const stage = new Stage()
    const old = await stage.open()
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => {
        old.close(1000, 'Resumed elsewhere')
        answer(end, command)
      }
      end.accept()
    }
    old.send(drain)
    await stage.clock.pass(2000)
    expect(stage.states).toEqual(['connecting', 'open'])
    await expect(stage.client.state({ a: 1 })).resolves.toBeUndefined()
  })

  it('tries again while the old link lives, and reconnects as usual when that ends first', async () => {
    const stage = new Stage()
    const old = await stage.open()
    stage.network.onConnect = (end) => end.close(1006)
    old.send(drain)
    await stage.clock.pass(2000 + 750 + 1250)
    expect(stage.network.ends).toHaveLength(4)
    expect(stage.client.status).toBe('open')
    old.close(1012, 'Service restart')
    expect(stage.client.status).toBe('waiting')
  })
})

it('T-117 survives any frame', async () => {
  const stage = new Stage()
  const end = await stage.open()
  stage.client.channel('room:1').on('*', () => {})
  await settle()
  for (const frame of [
    '',
    '{',
    'null',
    '[]',
    '{"type":"message"}',
    '{"type":"welcome"}',
    '{"type":"__proto__"}',
    new ArrayBuffer(3),
  ])
    end.raw(frame)
  for (const type of [
    'goodbye',
    'subscribed',
    'ok',
    'error',
    'joined',
    'gap',
    'notice',
    'pong',
    'signal',
    'constructor',
  ])
    end.send({ type }, { type, id: 1, channel: 'room:1', from: null, messages: [null], code: {}, member: null })
  expect(stage.client.status).toBe('open')
  expect(stage.errors as HoldfastError[]).toEqual([])
})
