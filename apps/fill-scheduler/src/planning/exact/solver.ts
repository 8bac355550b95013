import highs, { type Highs, type Model, type ModelData } from 'highs'
import type { Course } from './course.js'

/** The solver HiGHS, compiled to WebAssembly. It blocks the thread while it solves. */
export type Solver = Highs

/** Rows of a model that grows row by row, with its columns. */
export interface Rows {
  readonly lower: number[]
  readonly upper: number[]
  readonly starts: number[]
  readonly indices: number[]
  readonly values: number[]
}

/** What a mixed-integer solve came to. */
export interface Solved {
  /** The best values found, those of whole variables whole; undefined: none were found. */
  readonly values?: Float64Array
  /** What no solution of the model is below; `Infinity`: there is none. */
  readonly bound: number
  /** Nothing was left to try. */
  readonly finished: boolean
}

/** How a mixed-integer solve is told to go. */
interface SolveOptions {
  readonly start?: Float64Array
  /** Whether the model is made smaller first: pays for models with many rows; with tens of thousands of columns it takes minutes and heeds no limit. */
  readonly presolve: boolean
  /** At most so long, and never longer than the course has left. */
  readonly seconds?: number
  /** Told now and then what no solution can be below. */
  readonly onBound?: (bound: number) => void
}

let loading: Promise<Solver> | undefined

/** Loads the solver once per thread. The types of the package speak of a CommonJS module; what is imported is the function itself. */
export function loadSolver(): Promise<Solver> {
  loading ??= (highs as unknown as typeof highs.default)()
  return loading
}

/** Forgets the solver after an error: WebAssembly that has trapped cannot be trusted with the next model. */
export function forgetSolver(): void {
  loading = undefined
}

/** A model without rows yet. */
export function noRows(): Rows {
  return { lower: [], upper: [], starts: [0], indices: [], values: [] }
}

/** Adds `lower <= Σ value·column <= upper`; entries that are 0 are left out. */
export function addRow(
  rows: Rows,
  lower: number,
  upper: number,
  entries: readonly (readonly [number, number])[],
): void {
  rows.lower.push(lower)
  rows.upper.push(upper)
  for (const [column, value] of entries) {
    if (value === 0) continue
    rows.indices.push(column)
    rows.values.push(value)
  }
  rows.starts.push(rows.indices.length)
}

/** The parts of a model as HiGHS takes them. */
export function modelData(
  columns: { readonly cost: number[]; readonly upper: number[]; readonly whole: boolean[] },
  rows: Rows,
): ModelData {
  const { starts, indices, values } = rows
  const numCols = columns.cost.length
  const numRows = rows.lower.length
  return {
    numCols,
    numRows,
    colCost: columns.cost,
    colLower: columns.cost.map(() => 0),
    colUpper: columns.upper,
    rowLower: rows.lower,
    rowUpper: rows.upper,
    matrix: { format: 'csr', numRows, numCols, starts, indices, values },
    integrality: columns.whole.map((whole) => (whole ? 1 : 0)),
  }
}

/**
 * Solves a mixed-integer model and frees it. Stops when the course has no time left or is aborted (then it throws the reason). Feasibility jump is off: it takes longer than our models do, and a start is known.
 */
export function solve(solver: Solver, data: ModelData, course: Course, options: SolveOptions): Solved {
  const model = solver.createModel(data)
  try {
    model.options.set({
      output_flag: false,
      time_limit: Math.max(0.01, Math.min(course.secondsLeft, options.seconds ?? Infinity)),
      presolve: options.presolve ? 'choose' : 'off',
      mip_rel_gap: 0,
      mip_feasibility_tolerance: 1e-9,
      primal_feasibility_tolerance: 1e-9,
      mip_heuristic_run_feasibility_jump: false,
    })
    if (options.start !== undefined) model.setSolution({ colValue: options.start })
    watch(solver, model, course, options)
    return solved(solver, model)
  } finally {
    model.dispose()
    course.throwIfAborted()
  }
}

function watch(solver: Solver, model: Model, course: Course, options: SolveOptions): void {
  const { callbackType } = solver.constants
  const told = (bound: number | undefined): undefined => {
    if (bound !== undefined && Number.isFinite(bound)) options.onBound?.(bound)
    course.report()
    return undefined
  }
  model.run({
    [callbackType.mipLogging]: ({ data }) => told(data.mip_dual_bound),
    [callbackType.mipInterrupt]: (event) => {
      if (course.over) event.interrupt()
      return told(event.data.mip_dual_bound)
    },
  })
}

function solved(solver: Solver, model: Model): Solved {
  const { modelStatus, solutionStatus } = solver.constants
  const status = model.getModelStatus()
  if (status === modelStatus.infeasible) return { bound: Infinity, finished: true }
  const found = model.info.get('primal_solution_status') === solutionStatus.feasible
  const bound = Number(model.info.get('mip_dual_bound'))
  const finished = status === modelStatus.optimal
  return { ...(found ? { values: model.getSolution().colValue } : {}), bound, finished }
}
