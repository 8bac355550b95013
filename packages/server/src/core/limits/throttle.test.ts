import { DEFAULT_FRAME_LIMITS, type Decoded, decodeFrame } from '@holdfast/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { resolveRates } from '../../options/rate-options.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { Refusals } from './refusals.js'
import { Throttle, type ThrottleOwner } from './throttle.js'

const MEASURES = {
  channelsMax: 4,
  connectionsPerUserMax: 2,
  messageBytesMax: 65_536,
  heartbeatMs: 25_000,
  handshakeTimeoutMs: 10_000,
}

let clock: SimulatedClock
let owner: Owner
let refusals: Refusals

class Owner implements ThrottleOwner {
  readonly outbox = { hasRoom: true }
  readonly who = { tenant: 'acme', user: 'ada', connection: 'c1', address: '192.0.2.1' }
  readonly sent: Record<string, unknown>[] = []
  isOver = false

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }

  shutOut(): void {
    this.isOver = true
  }
}

beforeEach(() => {
  clock = new SimulatedClock()
  owner = new Owner()
  refusals = new Refusals({ record: () => undefined })
})

function throttle(options: Parameters<typeof resolveRates>[0] = {}): Throttle {
  return new Throttle({ clock, rates: resolveRates(options, MEASURES).connection, refusals }, owner)
}

function command(members: object): Decoded {
  const [decoded] = decodeFrame(JSON.stringify(members), DEFAULT_FRAME_LIMITS)
  return decoded!
}

/** How many of `count` such commands are admitted at once. */
function admitted(of: Throttle, members: object, count: number): number {
  const decoded = command(members)
  return Array.from({ length: count }, () => of.admits(decoded)).filter(Boolean).length
}

describe('the commands of a connection', () => {
  const kinds: [name: string, option: object, of: object][] = [
    ['commands', { commandsPerSecondMax: 10 }, { type: 'ping', id: 1 }],
    ['commands', { commandsPerSecondMax: 10 }, { type: 'teleport', id: 1 }],
    ['publishes', { publishesPerSecondMax: 10 }, { type: 'publish', id: 1, channel: 'room:1', data: 1 }],
    ['publishes', { publishesPerSecondMax: 10 }, { type: 'signal', id: 1, channel: 'room:1', event: 'x', data: 1 }],
    ['subscribes', { subscribesPerSecondMax: 10 }, { type: 'subscribe', id: 1, channel: 'room:1' }],
    ['subscribes', { subscribesPerSecondMax: 10 }, { type: 'unsubscribe', id: 1, channel: 'room:1' }],
    ['reads', { readsPerSecondMax: 10 }, { type: 'history', id: 1, channel: 'room:1' }],
    ['reads', { readsPerSecondMax: 10 }, { type: 'presence', id: 1, channel: 'room:1' }],
    ['refreshes', { refreshesPerSecondMax: 10 }, { type: 'refresh', id: 1, token: 'x' }],
  ]

  it.each(kinds)('are bounded as %s by %j: %j', async (name, options, members) => {
    const one = throttle(options)
    expect(admitted(one, members, 25)).toBe(20)
    expect(owner.sent).toHaveLength(5)
    expect(owner.sent[0]).toMatchObject({
      type: 'error',
      id: 1,
      code: 'rate_limited',
      retryable: true,
      retryAfter: 100,
    })
    expect(refusals.counts()).toEqual({ [name]: 5 })
    await clock.pass(99)
    expect(admitted(one, members, 1)).toBe(0)
    await clock.pass(1)
    expect(admitted(one, members, 5)).toBe(1)
    await clock.pass(10_000)
    expect(admitted(one, members, 25)).toBe(20)
  })

  it('are refused in bytes, each command of the frame by its own id', () => {
    const one = throttle({ bytesPerSecondMax: 65_536 })
    expect(one.frameWait(131_072)).toBe(0)
    const waitMs = one.frameWait(1)
    expect(waitMs).toBeGreaterThan(0)
    one.refuseFrame(waitMs, [command({ type: 'ping', id: 1 }), command({ type: 'ping', id: 'two' })])
    expect(owner.sent.map(({ code, id }) => [code, id])).toEqual([
      ['rate_limited', 1],
      ['rate_limited', 'two'],
    ])
    expect(refusals.counts()).toEqual({ bytes: 2 })
  })

  it('go on being refused a while, and then the connection is over, once', () => {
    const one = throttle({ commandsPerSecondMax: 1, refusalsPerSecondMax: 5 })
    expect(admitted(one, { type: 'ping' }, 12)).toBe(2)
    expect(owner.isOver).toBe(false)
    expect(admitted(one, { type: 'ping' }, 10)).toBe(0)
    expect(owner.isOver).toBe(true)
    expect(owner.sent).toHaveLength(10)
    expect(refusals.counts()).toEqual({ commands: 11, refusals: 1 })
  })

  it('may be refused for ever by who waits as it was told', async () => {
    const one = throttle({ commandsPerSecondMax: 1, refusalsPerSecondMax: 1 })
    for (let round = 0; round < 100; round += 1) {
      admitted(one, { type: 'ping' }, 2)
      await clock.pass(1_000)
    }
    expect(owner.isOver).toBe(false)
  })

  it('are not answered while the client does not read', () => {
    const one = throttle({ commandsPerSecondMax: 1 })
    owner.outbox.hasRoom = false
    expect(admitted(one, { type: 'ping' }, 10)).toBe(2)
    expect(owner.sent).toEqual([])
  })
})

describe('the control frames of a connection', () => {
  it('end it when they are too many, at once', async () => {
    const one = throttle()
    for (let count = 0; count < 40; count += 1) expect(one.admitsControlFrame()).toBe(true)
    await clock.pass(50)
    expect(one.admitsControlFrame()).toBe(true)
    expect(one.admitsControlFrame()).toBe(false)
    expect(owner.isOver).toBe(true)
    expect(refusals.counts()).toEqual({ controlFrames: 1 })
    expect(one.admitsControlFrame()).toBe(false)
    expect(refusals.counts()).toEqual({ controlFrames: 1 })
  })

  it('go on at their rate', async () => {
    const one = throttle()
    for (let second = 0; second < 60; second += 1) {
      for (let count = 0; count < 20; count += 1) expect(one.admitsControlFrame()).toBe(true)
      await clock.pass(1_000)
    }
  })
})

describe('a rest', () => {
  it('forgets what is as good as new, and nothing else', async () => {
    const one = throttle({ commandsPerSecondMax: 1, publishesPerSecondMax: 1_000 })
    expect(admitted(one, { type: 'publish', channel: 'room:1', data: 1 }, 2)).toBe(2)
    await clock.pass(100)
    one.rest()
    expect(admitted(one, { type: 'ping' }, 1)).toBe(0)
    await clock.pass(10_000)
    one.rest()
    expect(admitted(one, { type: 'ping' }, 5)).toBe(2)
  })
})
