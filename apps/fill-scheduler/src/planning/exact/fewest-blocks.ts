import { fewestBins } from '../bin-count.js'
import type { Instance } from './instance.js'

/** How many blocks every plan has at least. */
export interface FewestBlocks {
  /** With anything in them. */
  readonly all: number
  /** By type: with a lot of that type in them. */
  readonly ofType: readonly number[]
}

/**
 * Bin packing bounds. Every lot of a block but the first takes at least the shortest changeover to its type, so the sizes `fill + lotHours` of a block fit into the window and one such changeover; those of one
 * type, too, which gives how many blocks have that type. Each of these is opened once, which bounds the number of blocks again, by volume.
 */
export function fewestBlocks(instance: Instance): FewestBlocks {
  const { types, windowHours, creditHours, lotCount } = instance
  if (lotCount === 0) return { all: 0, ofType: [] }
  const ofType = types.map(({ lotHours }, type) => fewestBins(sizesOf(instance, type), windowHours + lotHours))
  const sizes = types.flatMap((_, type) => sizesOf(instance, type))
  const setups = types.reduce((sum, { setupHours }, type) => sum + setupHours * (ofType[type] ?? 0), 0)
  const volume = (sizes.reduce((sum, size) => sum + size, 0) + setups) / (windowHours + creditHours)
  const longest = Math.max(...types.map(({ lotHours }) => lotHours))
  const all = Math.max(fewestBins(sizes, windowHours + longest), ...ofType, Math.ceil(volume - 1e-7))
  return { all, ofType }
}

function sizesOf(instance: Instance, type: number): number[] {
  const { lotHours } = instance.types[type] ?? { lotHours: 0 }
  return instance.classes
    .filter((each) => each.type === type)
    .flatMap(({ fillHours, lots }) => lots.map(() => fillHours + lotHours))
}
