import type { AssignmentModel, BlockColumns, SequenceColumns } from './assignment-model.js'
import { assignmentModel } from './assignment-model.js'
import type { BlockOrder } from './block-order.js'
import type { Course } from './course.js'
import type { Instance } from './instance.js'
import { patternOf, typeCounts, type Pattern } from './pattern.js'
import { blocksAt, type BlockLimits } from './block-limits.js'
import { solve, type Solver } from './solver.js'

/** Solves the assignment formulation from the best plan on. A block that only the solver's tolerance lets fit is not taken; its bound holds all the same. */
export function proveAssignment(
  solver: Solver,
  instance: Instance,
  order: BlockOrder,
  limits: BlockLimits,
  course: Course,
): void {
  const model = assignmentModel(
    instance,
    limits,
    course.grid,
    Math.max(course.best.length, blocksAt(instance, limits, course.betterHours)),
  )
  const onBound = (bound: number): void => course.raise(model.toHours(bound))
  const { values, bound } = solve(solver, model.data, course, {
    start: startOf(instance, order, model, course.best),
    onBound,
    presolve: true,
  })
  const blocks = values === undefined ? undefined : blocksOf(instance, order, model, values)
  if (blocks !== undefined) course.offer(blocks)
  course.raise(model.toHours(bound))
}

function blocksOf(
  instance: Instance,
  order: BlockOrder,
  model: AssignmentModel,
  values: Float64Array,
): Pattern[] | undefined {
  const patterns: Pattern[] = []
  for (const { lots } of model.blocks) {
    const counts = lots.map((column) => Math.round(values[column] ?? 0))
    if (counts.every((count) => count === 0)) continue
    const pattern = patternOf(instance, order, counts)
    if (pattern === undefined) return undefined
    patterns.push(pattern)
  }
  return patterns
}

/** The best plan in the columns of the model, its blocks by their smallest class. */
function startOf(
  instance: Instance,
  order: BlockOrder,
  model: AssignmentModel,
  best: readonly Pattern[],
): Float64Array {
  const start = new Float64Array(model.data.numCols)
  const smallest = ({ counts }: Pattern): number => counts.findIndex((count) => count > 0)
  for (const [index, pattern] of best.toSorted((a, b) => smallest(a) - smallest(b)).entries()) {
    const block = model.blocks[index]
    if (block !== undefined) fillBlock(instance, order, block, pattern, start)
  }
  return start
}

function fillBlock(
  instance: Instance,
  order: BlockOrder,
  block: BlockColumns,
  { counts }: Pattern,
  start: Float64Array,
): void {
  const byType = typeCounts(instance, counts)
  start[block.used] = 1
  for (const [at, count] of counts.entries()) start[block.lots[at] ?? 0] = count
  for (const [type, count] of byType.entries()) start[block.present[type] ?? 0] = count > 0 ? 1 : 0
  if (block.sequence !== undefined) fillSequence(order.order(byType), block.sequence, start)
}

function fillSequence(
  walk: readonly number[],
  { steps, first, last, flow }: SequenceColumns,
  start: Float64Array,
): void {
  start[first[walk[0] ?? 0] ?? 0] = 1
  start[last[walk.at(-1) ?? 0] ?? 0] = 1
  const add = (table: readonly (readonly number[])[], from: number, to: number, amount: number): void => {
    const column = table[from]?.[to]
    if (column !== undefined) start[column] = (start[column] ?? 0) + amount
  }
  const newTypes = walk.map((type, at) => walk.indexOf(type) === at)
  for (let at = walk.length - 1, below = 0; at > 0; at--) {
    const [from, to] = [walk[at - 1] ?? 0, walk[at] ?? 0]
    add(steps, from, to, 1)
    if (newTypes[at] === true) below++
    if (from !== to) add(flow, from, to, below)
  }
}
