import { describe, expect, it } from 'vitest'
import { at, withAt } from './setting-path.js'

describe('a setting at a path', () => {
  it('is read, and is nothing where nothing stands', () => {
    const settings = { changeover: { sameTypeHours: 3 } }
    expect([
      at(settings, 'changeover.sameTypeHours'),
      at(settings, 'calendar.shifts'),
      at(settings, 'constructor'),
    ]).toEqual([3, undefined, undefined])
  })

  it('is set beside what stands there, and taken away with what is empty then', () => {
    const one = withAt({ lines: 2 } as object, 'strategies.exact.maxLots', 12)
    expect(one).toEqual({ lines: 2, strategies: { exact: { maxLots: 12 } } })
    expect(withAt(one, 'strategies.improver.seed', 1)).toEqual({
      lines: 2,
      strategies: { exact: { maxLots: 12 }, improver: { seed: 1 } },
    })
    expect(withAt(one, 'strategies.exact.maxLots', undefined)).toEqual({ lines: 2 })
  })
})
