import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { BLOCK_MS, type OriginPair, OriginViolations, PAIRS_MAX, VIOLATION_WINDOW_MS } from './origin-violations.js'

const PAIR: OriginPair = { origin: 'https://evil.test', address: '203.0.113.7', tenant: undefined }

let clock: SimulatedClock
let violations: OriginViolations

beforeEach(() => {
  clock = new SimulatedClock()
  violations = new OriginViolations(clock)
})

const add = (times: number, pair: OriginPair = PAIR): boolean[] =>
  Array.from({ length: times }, () => violations.add(pair))

describe('violations', () => {
  it('block a pair at the fifth, for ten minutes', () => {
    expect(add(4)).toEqual([false, false, false, false])
    expect(violations.isBlocked(PAIR)).toBe(false)
    expect(add(1)).toEqual([true])
    expect(violations.isBlocked(PAIR)).toBe(true)
    clock.advance(BLOCK_MS - 1)
    expect(violations.isBlocked(PAIR)).toBe(true)
    clock.advance(1)
    expect(violations.isBlocked(PAIR)).toBe(false)
  })

  it('block nobody on a Unix socket, where one address is that of many', () => {
    expect(add(20, { ...PAIR, address: 'unix' })).not.toContain(true)
    expect(violations.stats(10)).toMatchObject({ counted: 1, blocked: 0, newest: [{ violations: 5 }] })
  })

  it('begin anew after a block', () => {
    add(5)
    clock.advance(BLOCK_MS)
    expect(add(4)).not.toContain(true)
    expect(add(1)).toEqual([true])
  })

  it('count for ten minutes each', () => {
    add(1)
    clock.advance(VIOLATION_WINDOW_MS - 1)
    add(3)
    clock.advance(1)
    expect(add(1)).toEqual([false])
    expect(add(1)).toEqual([true])
  })

  it('are counted for each origin, address and tenant by themselves', () => {
    add(4)
    for (const other of [
      { ...PAIR, origin: 'https://other.test' },
      { ...PAIR, address: '203.0.113.8' },
      { ...PAIR, tenant: 'acme' },
      // Together the same letters.
      { ...PAIR, origin: '7https://evil.test', address: '203.0.113.' },
    ])
      expect(violations.add(other)).toBe(false)
    expect(violations.stats(10).counted).toBe(5)
  })

  it('are bounded: the pair that was heard of longest ago is forgotten', () => {
    for (let count = 0; count < 3; count += 1) violations.add(PAIR)
    for (let other = 1; other < PAIRS_MAX; other += 1) violations.add({ ...PAIR, origin: `https://${other}.test` })
    violations.add(PAIR)
    expect(violations.stats(0).counted).toBe(PAIRS_MAX)
    violations.add({ ...PAIR, origin: 'https://new.test' })
    expect(violations.stats(0).counted).toBe(PAIRS_MAX)
    expect(add(1)).toEqual([true])
  })

  it('keep a bounded number of blocks', () => {
    for (let other = 0; other <= PAIRS_MAX; other += 1) add(5, { ...PAIR, origin: `https://${other}.test` })
    const { blocked, newestBlocked } = violations.stats(2)
    expect(blocked).toBe(PAIRS_MAX)
    expect(newestBlocked.map(({ origin }) => origin)).toEqual([
      `https://${PAIRS_MAX}.test`,
      `https://${PAIRS_MAX - 1}.test`,
    ])
    expect(violations.isBlocked({ ...PAIR, origin: 'https://0.test' })).toBe(false)
  })

  it('forget what is over without being asked about it', () => {
    add(5)
    add(1, { ...PAIR, origin: 'https://other.test' })
    clock.advance(BLOCK_MS)
    expect(violations.stats(10)).toEqual({ counted: 0, blocked: 0, newest: [], newestBlocked: [] })
    expect(violations.total).toBe(6)
  })

  it('are told with the newest first', () => {
    const until = clock.now() + BLOCK_MS
    add(5)
    add(2, { ...PAIR, origin: 'https://a.test' })
    add(1, { ...PAIR, origin: 'https://b.test' })
    expect(violations.stats(10)).toEqual({
      counted: 2,
      blocked: 1,
      newest: [
        { ...PAIR, origin: 'https://b.test', violations: 1 },
        { ...PAIR, origin: 'https://a.test', violations: 2 },
      ],
      newestBlocked: [{ ...PAIR, until }],
    })
  })

  it('are forgotten, and blocks ended, of an origin at one address or at all', () => {
    const there = { ...PAIR, address: '203.0.113.8' }
    add(5)
    add(5, there)
    expect(violations.unblock(PAIR.origin, '203.0.113.9')).toBe(0)
    expect(violations.unblock(PAIR.origin, PAIR.address)).toBe(1)
    expect([violations.isBlocked(PAIR), violations.isBlocked(there)]).toEqual([false, true])
    add(4)
    expect(violations.unblock(PAIR.origin)).toBe(1)
    expect(violations.isBlocked(there)).toBe(false)
    expect(add(4)).not.toContain(true)
    expect(violations.unblock('https://other.test')).toBe(0)
  })
})
