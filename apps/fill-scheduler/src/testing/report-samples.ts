import { rulesOf } from '../io/rules-of.js'
import { generateLots } from '../io/generate.js'
import type { Report } from '../io/reports/report.js'
import { givenOrder } from '../planning/given-order.js'
import { kpisOf } from '../planning/kpis.js'
import type { Lot } from '../planning/lot.js'
import { settingsSchema, type SettingsInput } from '../planning/settings.js'
import { statisticsOf } from '../planning/statistics.js'
import type { PlanningResult } from '../planning/strategy.js'
import { timetable } from '../planning/timetable.js'
import { EXAMPLE_LOTS, lotOf } from './reference-lots.js'

/** A report on lots in the order given; by default the example of 15 lots with default settings. */
export function sampleReport(
  change: Partial<Omit<Report, 'settings' | 'result'>> & {
    settings?: SettingsInput
    result?: Partial<PlanningResult>
  } = {},
): Report {
  const lots = change.lots ?? EXAMPLE_LOTS
  const settings = settingsSchema.parse(change.settings ?? {})
  const rules = rulesOf(settings)
  const plan = timetable(givenOrder(lots, rules), rules)
  const statistics = statisticsOf(plan, lots, rules)
  const result: PlanningResult = {
    strategy: 'lpt-pack',
    mode: 'improved',
    plan,
    statistics,
    kpis: kpisOf(statistics),
    elapsedMs: 12,
    ...change.result,
  }
  return {
    name: 'Week 1',
    problems: [],
    generatedAt: new Date('2025-01-01T06:30:00Z'),
    ...change,
    lots,
    settings,
    result,
  }
}

/** As many lots as a large plant has: 500 of four types, always the same. */
export const MANY_LOTS: readonly Lot[] = generateLots().map(({ id, type, vials }) => lotOf(id, type, vials))

/** Names that try to be a formula, markup, another text, or too much for a format. */
export const HOSTILE_NAMES = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '＝1+1',
  '＋1',
  '－1',
  '＠a',
  '\t=1',
  '\r=1',
  '<script>alert(1)</script>',
  `"><img src=x onerror='alert(1)'>`,
  '</style><b>&amp;',
  'a,"b";=2',
  'Лот-1',
  '批号 7',
  'left\u202Egnp.exe',
  'bell\u0007\u001B[31m',
  'half \uD800',
  '🧪',
  ']]>',
  '_x003D_1',
] as const
