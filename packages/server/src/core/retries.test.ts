import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { Retries } from './retries.js'

describe('a work that has to be done', () => {
  it('is tried again, ever more rarely, until it is done', async () => {
    const clock = new SimulatedClock()
    const start = clock.now()
    const tries: number[] = []
    const retries = new Retries(clock, () => undefined)
    await retries.insist(async () => {
      tries.push(clock.now() - start)
      if (tries.length < 4) throw new Error('away')
    })
    await clock.pass(60_000, 1_000)
    expect(tries).toEqual([0, 1_000, 3_000, 7_000])
    expect(retries.size).toBe(0)
  })

  it('is tried at once when the engine is back, however many there are, and not twice', async () => {
    const clock = new SimulatedClock()
    let away = true
    const tries = new Map<number, number>()
    const retries = new Retries(clock, () => undefined)
    for (let work = 0; work < 1_000; work += 1) {
      await retries.insist(async () => {
        tries.set(work, (tries.get(work) ?? 0) + 1)
        if (away || work === 7) throw new Error('away')
      })
    }
    await clock.pass(20_000, 1_000)
    away = false
    tries.clear()
    await retries.hurry()
    expect(tries.size).toBe(1_000)
    expect(retries.size).toBe(1)
    await clock.pass(1_000)
    expect([...tries.values()].filter((count) => count > 1)).toEqual([2])
  })

  it('is given up with the node', async () => {
    const clock = new SimulatedClock()
    let tries = 0
    const retries = new Retries(clock, () => undefined)
    await retries.insist(async () => {
      tries += 1
      throw new Error('away')
    })
    expect(retries.size).toBe(1)
    retries.close()
    await clock.pass(60_000, 1_000)
    expect(tries).toBe(1)
  })
})
