import { describe, expect, it } from 'vitest'
import { panned, revealing, wholeOf, zoomed } from './view.js'

const whole = wholeOf(1000)

describe('a view of a plan', () => {
  it('keeps the hour under the pointer where it is as it zooms', () => {
    expect(zoomed(whole, whole, 4, 200)).toEqual({ fromHours: 150, toHours: 400 })
    expect(zoomed({ fromHours: 150, toHours: 400 }, whole, 1 / 4, 200)).toEqual(whole)
  })

  it('goes neither beyond the plan nor closer than an hour', () => {
    expect(zoomed(whole, whole, 0.5, 10)).toEqual(whole)
    expect(zoomed(whole, whole, 1e9, 500)).toEqual({ fromHours: 499.5, toHours: 500.5 })
    expect(panned({ fromHours: 0, toHours: 100 }, whole, -50)).toEqual({ fromHours: 0, toHours: 100 })
    expect(panned({ fromHours: 850, toHours: 950 }, whole, 500)).toEqual({ fromHours: 900, toHours: 1000 })
    expect(zoomed(wholeOf(0), wholeOf(0), 3, 0)).toEqual({ fromHours: 0, toHours: 1 })
  })

  it('moves no further than it needs to show something', () => {
    const view = { fromHours: 100, toHours: 200 }
    expect(revealing(view, whole, 120, 130)).toBe(view)
    expect(revealing(view, whole, 50, 60)).toEqual({ fromHours: 45, toHours: 145 })
    expect(revealing(view, whole, 195, 205)).toEqual({ fromHours: 110, toHours: 210 })
    expect(revealing(view, whole, 300, 310)).toEqual({ fromHours: 215, toHours: 315 })
    expect(revealing(view, whole, 300, 700)).toEqual({ fromHours: 295, toHours: 395 })
  })
})
