import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../random.js'
import type { Lot } from '../lot.js'
import type { Rules } from '../rules.js'
import type { PlanningTask } from '../strategy.js'
import { timetable } from '../timetable.js'
import { validatePlan } from '../validate-plan.js'
import { proveAssignment } from './assignment-proof.js'
import { BlockOrder } from './block-order.js'
import { arrangementOf } from './blocks.js'
import { costGrid } from './cost-grid.js'
import { Course } from './course.js'
import { exact } from './exact.js'
import { fewestBlocks } from './fewest-blocks.js'
import { instanceOf } from './instance.js'
import { patternOf } from './pattern.js'
import { provePatterns } from './pattern-proof.js'
import { loadSolver } from './solver.js'
import { leastMakespanHours } from './testing/brute-force.js'
import { randomLots, randomMatrixRules, rulesWith, taskOf } from './testing/tasks.js'

/** An instance of up to eight lots with a matrix. */
function withMatrix(seed: number): { lots: Lot[]; rules: Rules } {
  const random = seededRandom(seed)
  const types = 1 + Math.floor(random() * 5)
  const lots = randomLots(random, 1 + Math.floor(random() * 8), types, 40)
  return { lots, rules: randomMatrixRules(random, types, 40) }
}

/** An instance of up to ten lots with two levels. */
function withLevels(seed: number): { lots: Lot[]; rules: Rules } {
  const random = seededRandom(seed)
  const lots = randomLots(random, 1 + Math.floor(random() * 10), 1 + Math.floor(random() * 4), 40)
  const sameTypeHours = Math.floor(random() * 6)
  const changeover = {
    sameTypeHours,
    differentTypeHours: sameTypeHours + Math.floor(random() * 8),
    matrix: {},
    spacingHours: 0,
  }
  return {
    lots,
    rules: rulesWith({ cleanHours: 4 + Math.floor(random() * 20), windowHours: 42 + random() * 80, changeover }),
  }
}

/** Solves from the plan that has each lot in a block of its own, and without any bound but the model's. */
async function solved(
  task: PlanningTask,
  prove: typeof proveAssignment | typeof provePatterns,
): Promise<{ hours: number; proven: boolean; problems: unknown[] }> {
  const { lots, rules } = task
  const instance = instanceOf(lots, rules)
  const order = new BlockOrder(instance)
  const blocks = instance.classes.flatMap(({ lots: alike }, index) => {
    const pattern = patternOf(
      instance,
      order,
      instance.classes.map((_, other) => (other === index ? 1 : 0)),
    )
    return alike.flatMap(() => pattern ?? [])
  })
  const course = new Course(task, instance, costGrid(instance), task.now(), { blocks, boundHours: 0 })
  prove(await loadSolver(), instance, order, { fewest: fewestBlocks(instance), blocksMax: lots.length }, course)
  const plan = timetable(arrangementOf(instance, order, lots, course.best), rules)
  return { hours: plan.makespanHours, proven: course.proven, problems: validatePlan(plan, lots, rules) }
}

describe('exact and brute force', { timeout: 60_000 }, () => {
  it.each([
    [200, 'matrix'],
    [60, 'levels'],
  ])('agree on %i random instances (%s)', async (instances, kind) => {
    for (let seed = 1; seed <= instances; seed++) {
      const { lots, rules } = kind === 'matrix' ? withMatrix(seed) : withLevels(seed)
      const { arrangement, proof } = await exact.plan(taskOf(lots, rules))
      const plan = timetable(arrangement, rules)
      expect(plan.makespanHours, `seed ${seed}`).toBeCloseTo(leastMakespanHours(lots, rules), 6)
      expect(proof, `seed ${seed}`).toMatchObject({ status: 'optimal', gap: 0 })
      expect(validatePlan(plan, lots, rules), `seed ${seed}`).toEqual([])
    }
  })

  it('agree on twelve lots in windows that are nearly full', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed)
      const lots = randomLots(random, 12, 3, 30)
      const fill = lots.reduce((sum, { fillHours }) => sum + fillHours, 0)
      const rules = rulesWith({ windowHours: Math.max(31, (fill + 9 * 5) / 3) })
      const { hours, proven, problems } = await solved(taskOf(lots, rules), provePatterns)
      expect(hours, `seed ${seed}`).toBeCloseTo(leastMakespanHours(lots, rules), 6)
      expect({ proven, problems }, `seed ${seed}`).toEqual({ proven: true, problems: [] })
    }
  })

  it.each([
    ['assignment', 200, 'matrix', proveAssignment],
    ['assignment', 100, 'levels', proveAssignment],
    ['patterns', 200, 'matrix', provePatterns],
    ['patterns', 100, 'levels', provePatterns],
  ] as const)(
    'agree where the formulation %s has no heuristic and no bound to go by (%i, %s)',
    async (_, instances, kind, prove) => {
      for (let seed = 1; seed <= instances; seed++) {
        const { lots, rules } = kind === 'matrix' ? withMatrix(seed) : withLevels(seed)
        const { hours, proven, problems } = await solved(taskOf(lots, rules), prove)
        expect(hours, `seed ${seed}`).toBeCloseTo(leastMakespanHours(lots, rules), 6)
        expect({ proven, problems }, `seed ${seed}`).toEqual({ proven: true, problems: [] })
      }
    },
  )
})
