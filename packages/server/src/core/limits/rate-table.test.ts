import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { RateTable } from './rate-table.js'

const RATE = { perSecond: 1, burst: 2 }

describe('a table of rates', () => {
  it('gives each name its own', () => {
    const table = new RateTable(new SimulatedClock(), RATE)
    expect([table.take('a'), table.take('a'), table.take('a')]).toEqual([0, 0, 1_000])
    expect(table.take('b')).toBe(0)
  })

  it('forgets names that have their full rate again', async () => {
    const clock = new SimulatedClock()
    const table = new RateTable(clock, RATE)
    for (let name = 0; name < 100; name += 1) table.take(`name ${name}`)
    expect(table.size).toBe(100)
    await clock.pass(1_000)
    for (let times = 0; times < 100; times += 1) table.take('other')
    expect(table.size).toBe(1)
  })

  it('never holds more names than it may, and forgets those not heard of for longest', () => {
    const table = new RateTable(new SimulatedClock(), RATE, 10)
    table.take('first')
    table.take('kept')
    for (let name = 0; name < 100; name += 1) {
      table.take(`name ${name}`)
      table.take('kept')
      expect(table.size).toBeLessThanOrEqual(10)
    }
    expect(table.take('kept')).toBeGreaterThan(0)
    expect([table.take('first'), table.take('first')]).toEqual([0, 0])
  })
})
