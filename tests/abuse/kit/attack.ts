import { Baseline, type Measured, type Tolerance } from './baseline.js'
import type { Neighbour } from './neighbour.js'

/** Does something to a node, and asks then whether the well-behaved client beside it noticed, and whether something stayed behind. */
export async function attackBeside<T>(
  neighbour: Neighbour,
  node: Measured,
  attacking: () => Promise<T>,
  tolerance?: Tolerance,
): Promise<T> {
  const baseline = await Baseline.of(node)
  const outcome = await attacking()
  await neighbour.isWell()
  await baseline.restored(tolerance)
  return outcome
}
