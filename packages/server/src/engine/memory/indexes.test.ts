import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import type { IndexEntry } from '../engine.js'
import { compareEntries } from '../index-order.js'
import { MemoryIndexes } from './indexes.js'
import { SortedEntries } from './sorted-entries.js'

describe('an index in memory', () => {
  it('keeps nothing of what ended, nor of what was entered again and again', async () => {
    const clock = new SimulatedClock()
    const indexes = new MemoryIndexes(clock)
    for (let n = 0; n < 10_000; n += 1) await indexes.put('busy', { key: 'a', score: n, ttlMs: 60_000 })
    for (let n = 0; n < 100; n += 1) await indexes.put(`i${n}`, { key: 'a', score: n, ttlMs: 1_000 })
    expect([indexes.size, indexes.count]).toEqual([101, 101])
    await clock.pass(1_000)
    indexes.sweep()
    expect([indexes.size, indexes.count]).toEqual([1, 1])
    expect(await indexes.range('busy', { limit: 9 })).toEqual([{ key: 'a', score: 9_999 }])
  })

  it('forgets what ends next when there is too much, by the ends in force', async () => {
    const indexes = new MemoryIndexes(new SimulatedClock(), 3)
    const put = (key: string, ttlMs: number): Promise<void> => indexes.put('i', { key, score: 1, ttlMs })
    await put('renewed', 1)
    await put('soon', 10)
    await put('late', 100)
    await put('renewed', 1_000)
    await put('more', 50)
    expect((await indexes.range('i', { limit: 9 })).map(({ key }) => key)).toEqual(['late', 'more', 'renewed'])
  })

  it('takes and gives thousands a second among a hundred thousand', async () => {
    const indexes = new MemoryIndexes(new SimulatedClock())
    const put = (n: number): Promise<void> =>
      indexes.put('i', { key: `k${n % 100_000}`, score: (n * 7_919) % 1_000_003, ttlMs: 60_000 })
    for (let n = 0; n < 100_000; n += 1) await put(n)
    const before = process.cpuUsage()
    for (let n = 0; n < 20_000; n += 1) {
      await put(n * 3)
      if (n % 10 === 0) await indexes.range('i', { from: n * 40, limit: 10 })
    }
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000)
    expect(indexes.size).toBe(100_000)
  })
})

describe('sorted entries', () => {
  it('stay in order over many blocks, whatever comes and goes', () => {
    const anyEntry = fc.record({ key: fc.nat(500).map(String), score: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 600, maxLength: 1_500 }), fc.nat(3), (entries, from) => {
        const sorted = new SortedEntries()
        let there: IndexEntry[] = []
        for (const [at, entry] of entries.entries()) {
          const isThere = there.some((other) => compareEntries(other, entry) === 0)
          if (isThere) there = there.filter((other) => compareEntries(other, entry) !== 0)
          else there.push(entry)
          if (isThere) sorted.remove(entry)
          else sorted.add(entry)
          if (at % 97 === 0) sorted.remove({ key: 'never there', score: 1 })
        }
        const expected = there.toSorted(compareEntries).filter(({ score }) => score >= from)
        expect(sorted.range({ from, limit: Infinity })).toEqual(expected)
        expect(sorted.range({ from, order: 'descending', limit: Infinity })).toEqual(expected.toReversed())
      }),
      { numRuns: 20 },
    )
  })
})
