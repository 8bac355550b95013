import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { Heartbeat, type Pulse } from './heartbeat.js'

const INTERVAL_MS = 25_000
const TIMEOUT_MS = 35_000

let clock: SimulatedClock
/** How long the machine was suspended: time passed and no timer ran. */
let sleptMs: number
let fraction: number
let heartbeat: Heartbeat

beforeEach(() => {
  clock = new SimulatedClock(0)
  sleptMs = 0
  const now = clock.now.bind(clock)
  clock.now = () => now() + sleptMs
  fraction = 0.5
  const random = { id: () => 'id', fraction: () => fraction }
  heartbeat = new Heartbeat(clock, random, { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS })
  heartbeat.start()
})

/** A peer that notes when it was asked, and answers while it is alive. */
class Peer implements Pulse {
  lastSeenAt = 0
  nextPingAt = 0
  alive = true
  readonly pings: number[] = []
  readonly checks: number[] = []
  timedOutAt: number | undefined

  ping(): void {
    this.pings.push(clock.now())
    if (this.alive) this.lastSeenAt = clock.now()
  }

  timedOut(): void {
    this.timedOutAt = clock.now()
    heartbeat.remove(this)
  }

  checkDeadlines(now: number): void {
    this.checks.push(now)
  }
}

function join(): Peer {
  const peer = new Peer()
  heartbeat.add(peer)
  return peer
}

describe('the heartbeat', () => {
  it('pings every interval, a tenth more or less', () => {
    fraction = 0
    const early = join()
    fraction = 0.999_999
    const late = join()
    expect([early.nextPingAt, late.nextPingAt]).toEqual([22_500, expect.closeTo(27_500, 0)])
    clock.advance(28_000)
    expect(early.pings).toEqual([23_000])
    expect(late.pings).toEqual([28_000])
  })

  it('spreads the pings of connections that came together', () => {
    const peers = Array.from({ length: 100 }, (_, at) => {
      fraction = at / 100
      return join()
    })
    clock.advance(INTERVAL_MS * 1.2)
    expect(new Set(peers.map(({ pings }) => pings[0])).size).toBeGreaterThan(4)
    expect(peers.every(({ pings }) => pings.length === 1)).toBe(true)
  })

  it('keeps who answers', () => {
    const peer = join()
    clock.advance(600_000)
    expect(peer.timedOutAt).toBeUndefined()
    expect(peer.pings.length).toBeGreaterThanOrEqual(21)
  })

  it('gives up who has said nothing for the timeout, within a second of it', () => {
    const peer = join()
    peer.alive = false
    clock.advance(TIMEOUT_MS + 1_000)
    expect(peer.timedOutAt).toBe(TIMEOUT_MS)
    const pings = peer.pings.length
    clock.advance(60_000)
    expect(peer.pings).toHaveLength(pings)
  })

  it('takes any sign of life for an answer', () => {
    const peer = join()
    peer.alive = false
    clock.advance(20_000)
    peer.lastSeenAt = clock.now()
    clock.advance(TIMEOUT_MS - 1_000)
    expect(peer.timedOutAt).toBeUndefined()
    clock.advance(1_000)
    expect(peer.timedOutAt).toBe(20_000 + TIMEOUT_MS)
  })

  it('F-31 does not blame its peers when the node itself slept', () => {
    const peer = join()
    peer.alive = false
    clock.advance(10_000)
    sleptMs = 120_000
    clock.advance(TIMEOUT_MS - 11_000)
    expect(peer.timedOutAt).toBeUndefined()
    clock.advance(1_000)
    expect(peer.timedOutAt).toBe(TIMEOUT_MS + sleptMs)
  })

  it('does not blame its peers either for the second in which the node slept, where the timeout is as short', () => {
    const quick = new Heartbeat(clock, { id: () => '', fraction: () => 0.5 }, { intervalMs: 300, timeoutMs: 700 })
    quick.start()
    const peer = new Peer()
    peer.alive = false
    quick.add(peer)
    clock.advance(450)
    sleptMs = 900
    clock.advance(150)
    expect(peer.timedOutAt).toBeUndefined()
    clock.advance(150)
    expect(peer.timedOutAt).toBe(750 + sleptMs)
  })

  it('does not take what arrives on waking for a sign from the future', () => {
    const peer = join()
    clock.advance(10_000)
    sleptMs = 120_000
    peer.lastSeenAt = clock.now()
    clock.advance(1_000)
    expect(peer.lastSeenAt).toBeLessThanOrEqual(clock.now())
  })

  it('looks at the deadlines of every connection once a second', () => {
    const peer = join()
    clock.advance(3_000)
    expect(peer.checks).toEqual([1_000, 2_000, 3_000])
  })

  it('looks more often where the interval is short', () => {
    const quick = new Heartbeat(clock, { id: () => '', fraction: () => 0 }, { intervalMs: 100, timeoutMs: 300 })
    quick.start()
    const peer = new Peer()
    quick.add(peer)
    clock.advance(200)
    expect(peer.pings).toEqual([100, 200])
  })

  it('counts who is healthy, late and stale', () => {
    const [healthy, late, stale] = [join(), join(), join()]
    clock.advance(40_000)
    heartbeat.add(late)
    heartbeat.add(stale)
    healthy.lastSeenAt = 40_000 - INTERVAL_MS
    late.lastSeenAt = 40_000 - INTERVAL_MS - 1
    stale.lastSeenAt = 40_000 - TIMEOUT_MS - 1
    expect(heartbeat.stats()).toEqual({ healthy: 1, late: 1, stale: 1 })
  })

  it('stops, and starts once however often it is told to', () => {
    const peer = join()
    heartbeat.start()
    clock.advance(1_000)
    expect(peer.checks).toEqual([1_000])
    heartbeat.stop()
    clock.advance(60_000)
    expect(peer.checks).toEqual([1_000])
  })
})
