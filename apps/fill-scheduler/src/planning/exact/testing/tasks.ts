import { systemClock } from '../../../clock.js'
import type { Random } from '../../../random.js'
import type { Lot } from '../../lot.js'
import type { Rules } from '../../rules.js'
import { settingsSchema, type Settings } from '../../settings.js'
import type { PlanningTask } from '../../strategy.js'

/** Vials per hour of the lots made here. */
const RATE = 19_920

/** A lot at the default fill rate. */
export function lotOf(id: string, type: string, vials: number): Lot {
  return { id, type, vials, fillHours: vials / RATE }
}

/** The fifteen lots of the example, of 353.16 h. */
export const EXAMPLE_LOTS: readonly Lot[] = (
  'A1 E 100000,A2 H 900000,A3 E 750000,A4 H 1000000,A5 E 30000,B1 H 700000,B2 H 500000,C1 E 20000,C2 H 100000,C3 H 50000,' +
  'C4 E 1200000,C5 H 625000,C6 H 10000,B3 H 800000,C7 E 250000'
)
  .split(',')
  .map((row) => {
    const [id = '', type = '', vials = ''] = row.split(' ')
    return lotOf(id, `Vial${type}`, Number(vials))
  })

/** The default rules, with changes. */
export function rulesWith(changes: Partial<Rules> = {}): Rules {
  const changeover = { sameTypeHours: 4, differentTypeHours: 8, matrix: {}, spacingHours: 0 }
  return { cleanHours: 24, windowHours: 120, changeover, lines: 1, latePenaltyPerHour: 1, ...changes }
}

/** A task for `exact` with these limits. */
export function taskOf(
  lots: readonly Lot[],
  rules: Rules,
  limits: Partial<Settings['strategies']['exact']> = {},
  more: Partial<PlanningTask> = {},
): PlanningTask {
  const settings = settingsSchema.parse({ strategies: { exact: limits } })
  return { lots, rules, settings, mode: 'improved', now: () => systemClock.monotonic(), ...more }
}

/** Lots of up to so many types whose fills reach from a few minutes to `hoursMax`. Every other is as long as one before now and then, so that some are equal. */
export function randomLots(random: Random, count: number, types: number, hoursMax: number): Lot[] {
  const lengths = Array.from({ length: count }, () => Math.ceil(random() * hoursMax * RATE))
  return lengths.map((vials, index) => {
    const again = random() < 0.25 ? lengths[Math.floor(random() * count)] : undefined
    return lotOf(`L${index + 1}`, `T${Math.floor(random() * types)}`, again ?? vials)
  })
}

/** Rules with a matrix that keeps nothing in order: not symmetric, detours may be shorter, zeros; windows that barely hold one lot to such that hold most. */
export function randomMatrixRules(random: Random, types: number, hoursMax: number): Rules {
  const value = (): number => (random() < 0.2 ? 0 : Math.round(random() * 40) / 2)
  const names = Array.from({ length: types }, (_, index) => `T${index}`)
  const row = (): Record<string, number> =>
    Object.fromEntries(names.filter(() => random() < 0.9).map((name) => [name, value()]))
  const matrix = Object.fromEntries(names.map((name) => [name, row()]))
  return rulesWith({
    cleanHours: 1 + Math.floor(random() * 30),
    windowHours: hoursMax * (1 + random() * 4),
    changeover: { sameTypeHours: value(), differentTypeHours: value(), matrix, spacingHours: random() < 0.2 ? 1 : 0 },
  })
}
