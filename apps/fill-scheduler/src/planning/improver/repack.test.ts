import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../random.js'
import { leastMakespanHours } from '../exact/testing/brute-force.js'
import { randomLots, randomMatrixRules, rulesWith } from '../exact/testing/tasks.js'
import type { Lot } from '../lot.js'
import type { Rules } from '../rules.js'
import { BlockModel, type Block } from './block-model.js'
import { refill } from './refill.js'
import { Repacker } from './repack.js'

const KINDS = ['two changeovers', 'a matrix'] as const

function instance(seed: number, kind: (typeof KINDS)[number]): { lots: Lot[]; rules: Rules } {
  const random = seededRandom(seed)
  const lots = randomLots(random, 1 + Math.floor(random() * 8), 4, 40)
  if (kind === 'a matrix') return { lots, rules: randomMatrixRules(random, 4, 40) }
  return { lots, rules: rulesWith({ windowHours: 42 + random() * 80 }) }
}

const everyLot = (lots: readonly Lot[]): number[] => lots.map((_, index) => index)
const lotsIn = (blocks: readonly Block[]): number[] => blocks.flatMap(({ lots }) => lots).toSorted((a, b) => a - b)

describe('packing a few lots anew', () => {
  it.each(KINDS)('is as good as trying everything, with %s', (kind) => {
    for (let seed = 1; seed <= 100; seed++) {
      const { lots, rules } = instance(seed, kind)
      const model = new BlockModel(lots, rules)
      const blocks = new Repacker(model).repack(everyLot(lots), 0)
      const hours = blocks.reduce((sum, block) => sum + block.fillHours + model.cost(block), 0)
      expect(hours, `seed ${seed}`).toBeCloseTo(leastMakespanHours(lots, rules), 6)
      expect(lotsIn(blocks)).toEqual(everyLot(lots))
      expect(blocks.every((block) => model.fits(block))).toBe(true)
    }
  })

  it.each(KINDS)('prefers full blocks among packings that cost the same, with %s', (kind) => {
    const lots = [30, 30, 30, 30].map((hours, index) => ({ id: `L${index}`, type: 'E', vials: 1, fillHours: hours }))
    const matrix = kind === 'a matrix' ? { E: { E: 5 } } : {}
    const changeover = { sameTypeHours: 5, differentTypeHours: 5, matrix, spacingHours: 0 }
    const model = new BlockModel(lots, rulesWith({ changeover }))
    const sizes = new Repacker(model).repack(everyLot(lots), 1).map((block) => block.lots.length)
    expect(sizes.toSorted((a, b) => a - b)).toEqual([1, 3])
  })
})

describe('putting lots back', () => {
  it.each(KINDS)('keeps every lot and every window, with %s', (kind) => {
    for (let seed = 1; seed <= 100; seed++) {
      const { lots, rules } = instance(seed, kind)
      const model = new BlockModel(lots, rules)
      let blocks: Block[] = everyLot(lots).map((lot) => model.inOrder([lot]))
      for (let round = 0; round < 20; round++) blocks = refill(blocks, model, seededRandom(100 * seed + round))
      expect(lotsIn(blocks)).toEqual(everyLot(lots))
      expect(blocks.every((block) => model.fits(block))).toBe(true)
    }
  })
})
