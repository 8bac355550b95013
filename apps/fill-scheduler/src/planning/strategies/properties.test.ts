import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyDueLots, anyLots, anyRules, plainRules } from '../../testing/plan-arbitraries.js'
import { taskOf } from '../../testing/reference-lots.js'
import type { Lot } from '../lot.js'
import { objectiveHours } from '../objective.js'
import { planLots } from '../planner.js'
import { remainingLots, startsAfter } from '../replan.js'
import type { Rules } from '../rules.js'
import type { Mode } from '../strategy-name.js'
import type { Plan } from '../plan.js'
import { validateLots } from '../validate-lots.js'
import { validatePlan } from '../validate-plan.js'
import { HEURISTICS } from './heuristics.js'

const LOTS_MAX = 14
const RUNS = { numRuns: 150 }
/** Working time of at least 70 h holds every one of these, behind a changeover, too. */
const SHORT_HOURS = 45

describe.each(HEURISTICS)('$name on random lots', ({ name }) => {
  async function planOf(lots: readonly Lot[], rules: Rules, mode: Mode): Promise<Plan> {
    return (await planLots(taskOf(lots, { rules, mode }), name)).plan
  }

  it('makes right plans in classic mode, under any rules of one line', async () => {
    await fc.assert(
      fc.asyncProperty(anyDueLots(LOTS_MAX), plainRules, async (lots, rules) => {
        expect(validatePlan(await planOf(lots, rules, 'classic'), lots, rules)).toEqual([])
      }),
      RUNS,
    )
  })

  it('makes right plans in improved mode, under any rules', async () => {
    await fc.assert(
      fc.asyncProperty(anyDueLots(LOTS_MAX, SHORT_HOURS), anyRules, async (lots, rules) => {
        fc.pre(validateLots(lots, rules).length === 0)
        expect(validatePlan(await planOf(lots, rules, 'improved'), lots, rules)).toEqual([])
      }),
      RUNS,
    )
  })

  it('is never worse improved than classic', async () => {
    await fc.assert(
      fc.asyncProperty(anyDueLots(LOTS_MAX), plainRules, async (lots, rules) => {
        const [classic, improved] = [await planOf(lots, rules, 'classic'), await planOf(lots, rules, 'improved')]
        const objective = objectiveHours(improved, lots, rules)
        expect(objective).toBeLessThanOrEqual(objectiveHours(classic, lots, rules))
      }),
      RUNS,
    )
  })

  it('goes on from work that had begun, which stays as it was', async () => {
    await fc.assert(
      fc.asyncProperty(anyLots(LOTS_MAX, SHORT_HOURS), anyRules, fc.nat({ max: 400 }), async (lots, rules, hours) => {
        fc.pre(validateLots(lots, rules).length === 0)
        const starts = startsAfter((await planOf(lots, rules, 'improved')).activities, hours, rules)
        const left = remainingLots(lots, starts)
        const modes: readonly Mode[] =
          rules.lines > 1 || rules.calendar !== undefined ? ['improved'] : ['improved', 'classic']
        for (const mode of modes) {
          const plan = await planOf(lots, { ...rules, starts }, mode)
          expect(validatePlan(plan, left, { ...rules, starts })).toEqual([])
          expect(validatePlan(plan, lots, { ...rules, starts })).toEqual([])
        }
      }),
      RUNS,
    )
  })
})
