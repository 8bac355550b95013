import type { Instance } from './instance.js'

/** Settings are taken as multiples of this, where they are. */
const UNIT_HOURS = 1e-6

/** A finer grid is none: the solver's own tolerance would be a step of it. */
const STEP_HOURS_MIN = 0.01

/** How far below a step a bound may lie and still be taken for it, in steps. */
const STEP_TOLERANCE = 1e-3

/**
 * The values that the hours of cleaning and changeover of a plan can take at all. A plan with `b` blocks of `n` lots has `b` cleanings and `n − b` changeovers, so its hours are
 * `n·c + b·(clean − c) + Σ (changeover − c)` for any `c`: multiples of one step above `n·c`. A bound between two steps is as good as the upper one.
 */
export interface CostGrid {
  /** `n·c`, at which the grid begins. */
  readonly baseHours: number
  /** `c`. */
  readonly lotHours: number
  /** 0: there is no grid. */
  readonly stepHours: number
}

/** The grid of an instance: the step is the greatest common divisor of the differences between what a cleaning and the changeovers take. */
export function costGrid(instance: Instance): CostGrid {
  const lengths = instance.changeover.flatMap((row, from) =>
    row.filter((_, to) => from !== to || (instance.types[from]?.count ?? 0) > 1),
  )
  const lotHours = lengths[0] ?? 0
  const differences = [instance.cleanHours, ...lengths].map((hours) => (hours - lotHours) / UNIT_HOURS)
  const whole = differences.every((units) => Math.abs(units - Math.round(units)) < 1e-3)
  const step = whole ? differences.map((units) => Math.abs(Math.round(units))).reduce(divisor, 0) * UNIT_HOURS : 0
  return { baseHours: lotHours * instance.lotCount, lotHours, stepHours: step < STEP_HOURS_MIN ? 0 : step }
}

/** The least value of the grid that is not below the bound. */
export function roundUp(grid: CostGrid, boundHours: number): number {
  if (grid.stepHours === 0 || !Number.isFinite(boundHours)) return boundHours
  const steps = Math.ceil((boundHours - grid.baseHours) / grid.stepHours - STEP_TOLERANCE)
  return Math.max(boundHours, grid.baseHours + steps * grid.stepHours)
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
