import { describe, expect, it } from 'vitest'
import { generateLots } from '../../io/generate.js'
import { shiftCalendar } from '../../testing/plan-arbitraries.js'
import { DEFAULT_RULES, lotOf, taskOf } from '../../testing/reference-lots.js'
import type { PlanningProgress } from '../strategy.js'
import { validatePlan } from '../validate-plan.js'
import { planLots } from '../planner.js'
import { HEURISTICS } from './heuristics.js'

/** 500 lots of four types from 20,000 to 2,300,000 vials, seed 42. */
const LOTS = generateLots({ count: 500, seed: 42 }).map(({ id, type, vials }) => lotOf(id, type, vials))
const SECONDS_MAX = 2
const MODES = ['classic', 'improved'] as const

/** Of work: how busy the machine is with other things says nothing. */
function secondsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1e6
}

describe.each(HEURISTICS)('$name on 500 lots', ({ name }) => {
  it.each(MODES)('takes less than two seconds in %s mode, telling how far it is', async (mode) => {
    const told: PlanningProgress[] = []
    const began = process.cpuUsage()
    const { plan } = await planLots(taskOf(LOTS, { mode, onProgress: (progress) => told.push(progress) }), name)
    expect(secondsSince(began)).toBeLessThan(SECONDS_MAX)
    expect(validatePlan(plan, LOTS, DEFAULT_RULES)).toEqual([])
    expect(told.map(({ done }) => done)).toEqual(LOTS.map((_, index) => index + 1))
    expect(told.every(({ total, unit }) => total === 500 && unit === 'lots')).toBe(true)
  })

  it('takes less than two seconds on four lines with a calendar and due dates', async () => {
    const rules = { ...DEFAULT_RULES, lines: 4, calendar: shiftCalendar(150, 18) }
    const lots = LOTS.map((lot, index) => ({ ...lot, dueHours: (index * 7_919) % 10_000 }))
    const began = process.cpuUsage()
    const { plan } = await planLots(taskOf(lots, { mode: 'improved', rules }), name)
    expect(secondsSince(began)).toBeLessThan(SECONDS_MAX)
    expect(validatePlan(plan, lots, rules)).toEqual([])
  })

  it.each(MODES)('stops when it is aborted in %s mode', async (mode) => {
    const abort = new AbortController()
    const reason = new Error('enough')
    let last = 0
    const onProgress = ({ done }: PlanningProgress): void => {
      last = done
      if (done === 100) abort.abort(reason)
    }
    const task = taskOf(LOTS, { mode, signal: abort.signal, onProgress })
    await expect(planLots(task, name)).rejects.toBe(reason)
    expect(last).toBe(100)
  })
})
