import { beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../random.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { AddressRate } from './address-rate.js'
import { type Newcomer, Newcomers } from './newcomers.js'
import { Reception } from './reception.js'
import { Refusals } from './refusals.js'

const ADDRESS = '192.0.2.1'
const OTHER = '192.0.2.2'

let clock: SimulatedClock
let admission: { isOpen: boolean; hasRoom: boolean }
let budget: { admits: boolean }
let overload: { admits: boolean }
let newcomers: Newcomers
let recorded: [string, unknown][]
let refusals: Refusals
let reception: Reception

beforeEach(() => {
  clock = new SimulatedClock()
  admission = { isOpen: true, hasRoom: true }
  budget = { admits: true }
  overload = { admits: true }
  newcomers = new Newcomers(clock, { nodeMax: 4, addressMax: 2, timeoutMs: 10_000 })
  recorded = []
  refusals = new Refusals({ record: (event, { rule }) => void recorded.push([event, rule]) })
  const handshakes = new AddressRate('handshakes', { perSecond: 1, burst: 2 }, clock, { take: () => 0 })
  reception = new Reception({ admission, budget, overload, newcomers, handshakes, refusals, random: systemRandom })
})

/** Somebody has come from there. */
function arrive(address: string): Newcomer {
  const newcomer = { address, openedAt: clock.now(), isSilent: true, giveUp: () => newcomers.departed(newcomer) }
  newcomers.arrived(newcomer)
  return newcomer
}

/** Seconds are asked for between 5 and 10 seconds from now, not always the same. */
function expectBusy(): void {
  const answers = Array.from({ length: 50 }, () => reception.refuses(ADDRESS))
  for (const answer of answers) expect(answer?.status).toBe(503)
  const waits = answers.map((answer) => answer?.retryAfterSeconds ?? 0)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(5)
  expect(Math.max(...waits)).toBeLessThanOrEqual(10)
  expect(new Set(waits).size).toBeGreaterThan(1)
}

describe('an upgrade', () => {
  it('is taken while there is room', () => {
    expect(reception.refuses(ADDRESS)).toBeUndefined()
    expect([reception.problem, recorded]).toEqual([undefined, []])
  })

  it('is taken from a Unix socket as long as the node has room, however many came from there', () => {
    for (let count = 0; count < 4; count += 1) {
      expect(reception.refuses('unix')).toBeUndefined()
      arrive('unix')
    }
    expect(reception.refuses('unix')?.status).toBe(503)
  })

  it('is answered 503 while the node drains, which is no news', () => {
    admission.isOpen = false
    expectBusy()
    expect([reception.problem, recorded]).toEqual(['draining', []])
  })

  it('is answered 503 while there is no place, and while memory is short', () => {
    admission.hasRoom = false
    expectBusy()
    expect(reception.problem).toBe('full')
    admission.hasRoom = true
    overload.admits = false
    expectBusy()
    expect(reception.problem).toBe('overloaded')
    overload.admits = true
    budget.admits = false
    expectBusy()
    expect(refusals.counts()).toEqual({ connections: 50, overload: 100 })
    expect(recorded[0]).toEqual(['limit.reached', 'connections'])
  })

  it('is answered 503 while too many have come and said nothing yet', () => {
    const [first] = [ADDRESS, ADDRESS, OTHER, OTHER].map(arrive)
    expectBusy()
    // A load balancer is told nothing: it would take every node for full.
    expect([reception.problem, refusals.counts()]).toEqual([undefined, { newcomers: 50 }])
    newcomers.departed(first!)
    expect(reception.refuses(ADDRESS)).toBeUndefined()
  })

  it('is answered 429 while too many of those are from its address', () => {
    arrive(ADDRESS)
    expect(reception.refuses(ADDRESS)).toBeUndefined()
    arrive(ADDRESS)
    expect(reception.refuses(ADDRESS)).toEqual({ status: 429, retryAfterSeconds: 1 })
    expect(reception.refuses(OTHER)).toBeUndefined()
    expect(recorded).toEqual([['limit.reached', 'newcomersPerAddress']])
  })

  it('is answered 429 while its address asks too often', async () => {
    expect([reception.refuses(ADDRESS), reception.refuses(ADDRESS)]).toEqual([undefined, undefined])
    expect(reception.refuses(ADDRESS)).toEqual({ status: 429, retryAfterSeconds: 1 })
    expect(reception.refuses(OTHER)).toBeUndefined()
    await clock.pass(1_000)
    expect(reception.refuses(ADDRESS)).toBeUndefined()
    expect(recorded).toEqual([['rate.limited', 'handshakes']])
  })
})
