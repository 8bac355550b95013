import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyLots, anyRules, shiftCalendar } from '../testing/plan-arbitraries.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf, taskOf } from '../testing/reference-lots.js'
import type { Activity, ActivityKind, Plan } from './plan.js'
import { planLots } from './planner.js'
import { startsAfter } from './replan.js'
import type { Rules } from './rules.js'
import { validateLots } from './validate-lots.js'
import { validatePlan } from './validate-plan.js'

/** | E1 E2 H1 | H2 */
const LOTS = [
  lotOf('E1', 'E', 199_200),
  lotOf('E2', 'E', 398_400),
  lotOf('H1', 'H', 996_000),
  lotOf('H2', 'H', 1_992_000),
]
const [E1, E2, H1, H2] = [10, 20, 50, 100]
const GOOD = planOf([
  ['CLEAN', 24],
  ['FILL', E1, 'E1', 'E'],
  ['CHANGEOVER', 4, undefined, 'E->E'],
  ['FILL', E2, 'E2', 'E'],
  ['CHANGEOVER', 8, undefined, 'E->H'],
  ['FILL', H1, 'H1', 'H'],
  ['CLEAN', 24],
  ['FILL', H2, 'H2', 'H'],
])

type Bar = readonly [kind: ActivityKind, hours: number, lotId?: string | undefined, lotType?: string]

/** One line from hour 0, without gaps. */
function planOf(bars: readonly Bar[]): Plan {
  let at = 0
  const activities = bars.map(([kind, hours, lotId, lotType]): Activity => {
    at += hours
    const lot = { ...(lotId === undefined ? {} : { lotId }), ...(lotType === undefined ? {} : { lotType }) }
    return { kind, line: 1, startHours: at - hours, endHours: at, ...lot }
  })
  return { activities, makespanHours: at }
}

function codes(plan: Plan, rules: Rules = DEFAULT_RULES, lots = LOTS): readonly string[] {
  return validatePlan(plan, lots, rules).map(({ code }) => code)
}

/** The plan with one activity changed, or left out. */
function changed(plan: Plan, index: number, change: Partial<Activity> | undefined): Plan {
  const activities = plan.activities.flatMap((activity, at) => {
    if (at !== index) return activity
    return change === undefined ? [] : { ...activity, ...change }
  })
  return { ...plan, activities }
}

describe('a right plan', () => {
  it('has no problem', () => {
    expect(codes(GOOD)).toEqual([])
  })

  it('of no lots is one cleaning', () => {
    expect(codes(planOf([['CLEAN', 24]]), DEFAULT_RULES, [])).toEqual([])
  })
})

describe('what is broken', () => {
  it.each<readonly [why: string, code: string, bars: readonly Bar[]]>([
    [
      'a lot that is not filled',
      'unscheduled_lot',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CLEAN', 24],
        ['FILL', H2, 'H2', 'H'],
      ],
    ],
    [
      'a changeover that is missing',
      'missing_changeover',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['FILL', E2, 'E2', 'E'],
      ],
    ],
    [
      'a changeover that is too short',
      'wrong_changeover_length',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CHANGEOVER', 4, undefined, 'E->H'],
        ['FILL', H1, 'H1', 'H'],
      ],
    ],
    [
      'a changeover of other types',
      'wrong_changeover',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CHANGEOVER', 8, undefined, 'E->X'],
        ['FILL', H1, 'H1', 'H'],
      ],
    ],
    [
      'a changeover before the first lot',
      'needless_changeover',
      [
        ['CLEAN', 24],
        ['CHANGEOVER', 8, undefined, 'E->H'],
        ['FILL', H1, 'H1', 'H'],
      ],
    ],
    [
      'a changeover before a cleaning',
      'needless_changeover',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CHANGEOVER', 8, undefined, 'E->H'],
        ['CLEAN', 24],
        ['FILL', H1, 'H1', 'H'],
      ],
    ],
    [
      'a changeover at the end',
      'needless_changeover',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CHANGEOVER', 4, undefined, 'E->E'],
      ],
    ],
    [
      'two changeovers',
      'needless_changeover',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CHANGEOVER', 4, undefined, 'E->E'],
        ['CHANGEOVER', 4, undefined, 'E->E'],
        ['FILL', E2, 'E2', 'E'],
      ],
    ],
    [
      'a cleaning that is too short',
      'wrong_clean_length',
      [
        ['CLEAN', 23],
        ['FILL', E1, 'E1', 'E'],
      ],
    ],
    ['a plan without cleaning', 'missing_clean', [['FILL', E1, 'E1', 'E']]],
    [
      'a window that is overrun',
      'window_overrun',
      [
        ['CLEAN', 24],
        ['FILL', H1, 'H1', 'H'],
        ['CHANGEOVER', 4, undefined, 'H->H'],
        ['FILL', H2, 'H2', 'H'],
      ],
    ],
    [
      'a fill that is too short',
      'wrong_fill_length',
      [
        ['CLEAN', 24],
        ['FILL', E1 - 1, 'E1', 'E'],
      ],
    ],
    [
      'a fill of another type',
      'wrong_type',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'H'],
      ],
    ],
    [
      'a lot that nobody asked for',
      'unknown_lot',
      [
        ['CLEAN', 24],
        ['FILL', 5, 'Z9', 'E'],
      ],
    ],
    [
      'a fill of no lot',
      'unknown_lot',
      [
        ['CLEAN', 24],
        ['FILL', 5],
      ],
    ],
    [
      'a lot that is filled twice',
      'lot_filled_twice',
      [
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
        ['CHANGEOVER', 4, undefined, 'E->E'],
        ['FILL', E1, 'E1', 'E'],
      ],
    ],
    [
      'a rest on a line that never rests',
      'needless_rest',
      [
        ['CLEAN', 24],
        ['CLOSED', 3],
        ['FILL', E1, 'E1', 'E'],
      ],
    ],
    [
      'a cleaning for nothing',
      'empty_block',
      [
        ['CLEAN', 24],
        ['CLEAN', 24],
        ['FILL', E1, 'E1', 'E'],
      ],
    ],
  ])('is found: %s', (_why, code, bars) => {
    expect(codes(planOf(bars))).toContain(code)
  })

  it('is found: a gap, an overlap, an end before the beginning', () => {
    expect(codes(changed(GOOD, 1, undefined))).toContain('gap')
    expect(codes(changed(GOOD, 0, { startHours: 1 }))).toContain('gap')
    expect(codes(changed(GOOD, 1, { startHours: 23 }))).toContain('overlap')
    expect(codes(changed(GOOD, 1, { endHours: 20 }))).toContain('wrong_times')
    expect(codes(changed(GOOD, 1, { startHours: Number.NaN }))).toContain('overlap')
  })

  it('is found: activities that do not stand in order', () => {
    expect(codes({ ...GOOD, activities: GOOD.activities.toReversed() })).toContain('activity_order')
  })

  it.each([0, 2, 1.5, -1])('is found: line %d where there is one', (line) => {
    const activities = GOOD.activities.map((activity) => ({ ...activity, line }))
    expect(codes({ ...GOOD, activities })).toContain('unknown_line')
  })

  it('is found: a makespan that is not that of the activities', () => {
    expect(codes({ ...GOOD, makespanHours: GOOD.makespanHours - 1 })).toEqual(['wrong_makespan'])
  })

  it('is found: work while nobody is there', () => {
    expect(codes(GOOD, { ...DEFAULT_RULES, calendar: shiftCalendar(200, 20) })).toContain('outside_working_time')
  })

  it('names window and overrun', () => {
    const plan = planOf([
      ['CLEAN', 24],
      ['FILL', H1, 'H1', 'H'],
      ['CHANGEOVER', 4, undefined, 'H->H'],
      ['FILL', H2, 'H2', 'H'],
    ])
    const overrun = validatePlan(plan, LOTS, DEFAULT_RULES).find(({ code }) => code === 'window_overrun')
    expect(overrun).toMatchObject({
      severity: 'error',
      lotId: 'H2',
      message: 'line 1: Window overrun: 154.00 h > 120 h.',
    })
  })
})

describe('work that had begun', () => {
  const starts = startsAfter(GOOD.activities, 50, DEFAULT_RULES)
  const rules = { ...DEFAULT_RULES, starts }
  const frozen = {
    ...GOOD,
    activities: GOOD.activities.map((activity, index) => (index < 4 ? { ...activity, frozen: true } : activity)),
  }

  it('may be followed by what was planned before', () => {
    expect(codes(frozen, rules)).toEqual([])
  })

  it.each<[string, Partial<Activity> | undefined]>([
    ['changed', { lotId: 'E2' }],
    ['given another type', { lotType: 'H' }],
    ['moved', { endHours: 33 }],
    ['left out', undefined],
  ])('must not be %s', (_what, change) => {
    expect(codes(changed(frozen, 1, change), rules)).toContain('start_changed')
  })

  it('leaves the line taken until it is free', () => {
    const busy = starts.map((start) => ({ ...start, freeHours: 70 }))
    expect(codes(frozen, { ...DEFAULT_RULES, starts: busy })).toContain('overlap')
  })

  it('has used up a part of the window', () => {
    const used = starts.map((start) => ({ ...start, open: { usedHours: 90, previousType: 'E' } }))
    expect(codes(frozen, { ...DEFAULT_RULES, starts: used })).toContain('window_overrun')
  })
})

describe('a single change of a right plan', () => {
  const KINDS: readonly ActivityKind[] = ['CLEAN', 'CHANGEOVER', 'FILL', 'CLOSED']

  it('is found, whatever it is', async () => {
    const shift = fc.constantFrom(-30, -1, -0.01, 0.01, 1, 30)
    const change = fc.oneof(
      fc.record({ what: fc.constantFrom('start', 'end', 'both'), shift }),
      fc.record({ what: fc.constantFrom('left out', 'line', 'lot', 'type', 'twice') }),
      fc.record({ what: fc.constant('kind'), kind: fc.constantFrom(...KINDS) }),
    )
    await fc.assert(
      fc.asyncProperty(anyLots(8, 40), anyRules, fc.nat(), change, async (lots, rules, at, how) => {
        fc.pre(validateLots(lots, rules).length === 0)
        const { plan } = await planLots(taskOf(lots, { rules, mode: 'improved' }), 'lpt-pack')
        const broken = mutated(plan, at % plan.activities.length, how)
        fc.pre(broken !== undefined)
        expect(validatePlan(broken ?? plan, lots, rules)).not.toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })

  /** Undefined: that changes nothing. */
  function mutated(
    plan: Plan,
    index: number,
    how: { what: string; shift?: number; kind?: ActivityKind },
  ): Plan | undefined {
    const activity = plan.activities[index]
    if (activity === undefined) return undefined
    const { kind, startHours, endHours, line, lotType } = activity
    const { what, shift = 0 } = how
    if (what === 'start') return changed(plan, index, { startHours: startHours + shift })
    if (what === 'end') return changed(plan, index, { endHours: endHours + shift })
    if (what === 'both') return changed(plan, index, { startHours: startHours + shift, endHours: endHours + shift })
    if (what === 'left out') return changed(plan, index, undefined)
    if (what === 'line') return changed(plan, index, { line: line + 1 })
    if (what === 'twice') return { ...plan, activities: plan.activities.toSpliced(index, 0, activity) }
    if (what === 'kind') return how.kind === kind ? undefined : changed(plan, index, { kind: how.kind ?? kind })
    if (what === 'lot') return kind === 'FILL' ? changed(plan, index, { lotId: 'Z9' }) : undefined
    return lotType === undefined ? undefined : changed(plan, index, { lotType: `${lotType}Z` })
  }
})

describe('the plans of the example', () => {
  it('are right in both modes', async () => {
    for (const mode of ['classic', 'improved'] as const) {
      const { plan } = await planLots(taskOf(EXAMPLE_LOTS, { mode }), 'smart-pack')
      expect(validatePlan(plan, EXAMPLE_LOTS, DEFAULT_RULES)).toEqual([])
    }
  })
})
