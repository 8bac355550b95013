import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { type DrainOptions, handOverSlots, inviteAll, waitUntil } from './drain.js'

const OPTIONS: DrainOptions = { delayMs: 0, windowMs: 5_000, ratePerSecondMax: 500, deadlineMs: 30_000 }

describe('the slots of a drain', () => {
  it('are spread evenly over the window', () => {
    expect(handOverSlots(5, OPTIONS)).toEqual([0, 1_000, 2_000, 3_000, 4_000])
    expect(handOverSlots(1, OPTIONS)).toEqual([0])
    expect(handOverSlots(0, OPTIONS)).toEqual([])
  })

  it('take longer than the window where the rate asks for it', () => {
    const slots = handOverSlots(10_000, OPTIONS)
    expect(slots.at(-1)).toBeGreaterThan(19_900)
    expect(slots.filter((slot) => slot < 1_000)).toHaveLength(500)
  })

  it('end before the deadline, whatever the rate asks for', () => {
    const slots = handOverSlots(100_000, OPTIONS)
    expect(slots.at(-1)).toBeLessThanOrEqual(24_000)
  })

  it('rise, begin at once, end before the deadline, and keep the rate while that allows it', () => {
    const options = fc.record({
      delayMs: fc.constant(0),
      windowMs: fc.integer({ min: 0, max: 60_000 }),
      ratePerSecondMax: fc.integer({ min: 1, max: 5_000 }),
      deadlineMs: fc.integer({ min: 0, max: 60_000 }),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), options, (count, drain) => {
        const slots = handOverSlots(count, drain)
        expect(slots).toHaveLength(count)
        expect(slots[0]).toBe(0)
        expect(slots).toEqual(slots.toSorted((one, other) => one - other))
        expect(slots.at(-1)).toBeLessThanOrEqual(Math.ceil(drain.deadlineMs * 0.8))
        const fits = (count / drain.ratePerSecondMax) * 1_000 <= drain.deadlineMs * 0.8
        if (fits) expect(mostWithinASecond(slots)).toBeLessThanOrEqual(drain.ratePerSecondMax + 1)
      }),
      { numRuns: 300 },
    )
  })
})

function mostWithinASecond(slots: readonly number[]): number {
  let first = 0
  let most = 0
  slots.forEach((slot, at) => {
    while (slot - (slots[first] ?? 0) >= 1_000) first += 1
    most = Math.max(most, at - first + 1)
  })
  return most
}

describe('inviteAll', () => {
  it('gives each connection the slot of its place', () => {
    const invited: [string, number][] = []
    const leavers = ['a', 'b'].map((name) => ({ inviteToLeave: (after: number) => void invited.push([name, after]) }))
    inviteAll(leavers, OPTIONS)
    expect(invited).toEqual([
      ['a', 0],
      ['b', 2_500],
    ])
  })
})

describe('waitUntil', () => {
  it('answers true as soon as it is done', async () => {
    const clock = new SimulatedClock()
    let done = false
    const waited = waitUntil(clock, () => done, 1_000)
    await clock.pass(300, 100)
    done = true
    await clock.pass(100)
    expect(await waited).toBe(true)
  })

  it('answers false when the time is over', async () => {
    const clock = new SimulatedClock()
    const waited = waitUntil(clock, () => false, 1_000)
    await clock.pass(1_000, 100)
    expect(await waited).toBe(false)
  })

  it('does not wait for what is done', async () =>
    expect(await waitUntil(new SimulatedClock(), () => true, 1_000)).toBe(true))
})
