import { describe, expect, it } from 'vitest'
import { Restarts } from './restarts.js'

const POLICY = { delayMinMs: 100, delayMaxMs: 500, crashesMax: 4, windowMs: 10_000 }

describe('the restarts of a worker', () => {
  it('wait twice as long after each crash, up to a bound, and end after the last that is allowed', () => {
    const restarts = new Restarts(POLICY)
    expect([0, 1, 2, 3, 4].map((at) => restarts.crashed(at))).toEqual([100, 200, 400, 500, undefined])
  })

  it('forget a crash that lies outside the window', () => {
    const restarts = new Restarts(POLICY)
    for (const at of [0, 1_000, 2_000, 3_000]) restarts.crashed(at)
    expect(restarts.crashed(10_000)).toBe(500)
    expect(restarts.crashed(25_000)).toBe(100)
    expect(restarts.crashes).toBe(1)
  })
})
