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
