import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { MemoryRecords } from './records.js'

describe('the records of the memory engine', () => {
  it('hold so many characters together: the oldest goes early', async () => {
    const records = new MemoryRecords(new SimulatedClock(), 100)
    const put = (key: string): Promise<number | undefined> => records.put(key, 'x'.repeat(24), { ttlMs: 60_000 })
    for (const key of ['a', 'b', 'c', 'd', 'a', 'e']) await put(key)
    const held: string[] = []
    for (const key of ['a', 'b', 'c', 'd', 'e']) if (await records.get(key)) held.push(key)
    expect(held).toEqual(['a', 'c', 'd', 'e'])
    for (let round = 0; round < 100; round += 1) await records.take('a').then(() => put('a'))
    expect(await records.get('d')).toBeDefined()
  })
})
