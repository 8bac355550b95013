import { describe, expect, it } from 'vitest'
import { systemClock, timestamp } from './clock.js'

describe('the clock of the machine', () => {
  it('runs a task once, after its time', async () => {
    const begun = systemClock.now()
    await new Promise<void>((resolve) => void systemClock.after(20, resolve))
    // Timers count in whole milliseconds from the start of their turn.
    expect(systemClock.now() - begun).toBeGreaterThanOrEqual(19)
  })

  it('runs a task again and again until it is cancelled', async () => {
    let runs = 0
    await new Promise<void>((resolve) => {
      const cancel = systemClock.every(1, () => {
        runs += 1
        if (runs < 3) return
        cancel()
        resolve()
      })
    })
    await new Promise<void>((resolve) => void systemClock.after(20, resolve))
    expect(runs).toBe(3)
  })

  it('does not run what was cancelled, however often', async () => {
    let runs = 0
    const cancel = systemClock.after(1, () => (runs += 1))
    cancel()
    cancel()
    await new Promise<void>((resolve) => void systemClock.after(20, resolve))
    expect(runs).toBe(0)
  })

  it('runs what was deferred after everything that has arrived', async () => {
    const order: string[] = []
    await new Promise<void>((resolve) => {
      systemClock.defer(() => {
        order.push('deferred')
        resolve()
      })
      void Promise.resolve().then(() => order.push('arrived'))
    })
    expect(order).toEqual(['arrived', 'deferred'])
  })
})

describe('a timestamp', () => {
  it('is ISO-8601 in UTC with milliseconds', () => expect(timestamp(0)).toBe('1970-01-01T00:00:00.000Z'))
})
