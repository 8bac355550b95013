import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../random.js'
import { BlockOrder } from './block-order.js'
import { findCover, type PricedPattern } from './exact-cover.js'
import { instanceOf, type Instance } from './instance.js'
import { PatternSearch } from './pattern-search.js'
import { leastMakespanHours } from './testing/brute-force.js'
import { randomLots, randomMatrixRules } from './testing/tasks.js'

/** Every pattern of the instance, as if none cost more than it should. */
function everyPattern(instance: Instance): PricedPattern[] {
  const prices = { ofClass: instance.classes.map(() => 0), ofType: instance.types.map(() => 0), ofBlock: 0 }
  const limits = { patternsMax: 100_000, stepsMax: 1_000_000, over: () => false }
  const { patterns } = new PatternSearch(instance, new BlockOrder(instance), prices).find(-Infinity, limits)
  return patterns.map((pattern) => ({ pattern, extraHours: 0 }))
}

const UNBOUNDED = { spareHours: 0, slackHoursMax: Infinity, blocksMax: 60, stepsMax: 10_000_000, over: () => false }

describe('a search for a cover', () => {
  it('finds the blocks of the best plan, and none below', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed)
      const lots = randomLots(random, 2 + Math.floor(random() * 7), 3, 40)
      const rules = randomMatrixRules(random, 3, 40)
      const instance = instanceOf(lots, rules)
      const patterns = everyPattern(instance)
      const least = leastMakespanHours(lots, rules) - instance.fillHours
      const { blocks = [], complete } = findCover(instance, patterns, { ...UNBOUNDED, hoursMax: least + 1e-6 })
      expect(complete).toBe(true)
      expect(
        blocks.reduce((sum, { hours }) => sum + hours, 0),
        `seed ${seed}`,
      ).toBeCloseTo(least, 6)
      for (const [at, { lots: alike }] of instance.classes.entries()) {
        expect(blocks.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0)).toBe(alike.length)
      }
      const below = findCover(instance, patterns, { ...UNBOUNDED, hoursMax: least - 1e-3 })
      expect(below, `seed ${seed}`).toEqual({ complete: true })
    }
  })

  it('keeps within the hours to spare, the slack and the number of blocks', () => {
    const random = seededRandom(7)
    const lots = randomLots(random, 8, 2, 40)
    const rules = { ...randomMatrixRules(random, 2, 40), windowHours: 80 }
    const instance = instanceOf(lots, rules)
    const patterns = everyPattern(instance).map((priced) => ({ ...priced, extraHours: 1 }))
    const goal = { ...UNBOUNDED, hoursMax: Infinity, spareHours: 8 }
    const { blocks = [] } = findCover(instance, patterns, goal)
    expect(blocks.length).toBeGreaterThan(1)
    const fewest = Math.ceil(instance.fillHours / 80)
    expect(findCover(instance, patterns, { ...goal, spareHours: fewest - 1 })).toEqual({ complete: true })
    expect(findCover(instance, patterns, { ...goal, blocksMax: fewest - 1 })).toEqual({ complete: true })
    const tight = findCover(instance, patterns, { ...goal, slackHoursMax: 80 }).blocks ?? []
    expect(tight.reduce((sum, { slackHours }) => sum + slackHours, 0)).toBeLessThanOrEqual(80)
  })

  it('says that it is not complete when it is stopped', () => {
    const random = seededRandom(3)
    const lots = randomLots(random, 8, 3, 40)
    const instance = instanceOf(lots, randomMatrixRules(random, 3, 40))
    const goal = { ...UNBOUNDED, hoursMax: 0, stepsMax: 1 }
    expect(findCover(instance, everyPattern(instance), { ...goal, hoursMax: Infinity }).complete).toBe(false)
  })
})
