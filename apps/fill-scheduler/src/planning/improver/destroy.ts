import type { Random } from '../../random.js'
import { below, type Packing } from './packing.js'

/** So many blocks are taken apart at once. */
const BLOCKS_MAX = 6

/** Of so many blocks drawn at random the worst is taken. */
const TOURNAMENT = 4

/**
 * Chooses blocks to pack anew: one that is badly filled, one of several types or any; then others that share a type with it, are badly filled, or any; until they hold `lotsMax` lots.
 * Answers their indices, at least one.
 */
export function chooseBlocks(packing: Packing, lotsMax: number, random: Random): number[] {
  const chosen = [firstBlock(packing, random)]
  const count = 2 + below(random, BLOCKS_MAX - 1)
  let lots = lotsIn(packing, chosen[0] ?? 0)
  for (let attempt = 0; attempt < 2 * count && chosen.length < count; attempt++) {
    const next = nextBlock(packing, chosen[0] ?? 0, random)
    const more = lotsIn(packing, next)
    if (chosen.includes(next) || (lots + more > lotsMax && chosen.length > 1)) continue
    chosen.push(next)
    lots += more
  }
  return chosen
}

function lotsIn(packing: Packing, block: number): number {
  return packing.blocks[block]?.lots.length ?? 0
}

function firstBlock(packing: Packing, random: Random): number {
  const way = random()
  if (way < 0.35) return leastFilled(packing, random)
  if (way < 0.6) return mixed(packing, random)
  return below(random, packing.blocks.length)
}

function nextBlock(packing: Packing, first: number, random: Random): number {
  const way = random()
  if (way < 0.5) return related(packing, first, random)
  if (way < 0.7) return leastFilled(packing, random)
  return below(random, packing.blocks.length)
}

function leastFilled({ blocks }: Packing, random: Random): number {
  let least = below(random, blocks.length)
  for (let count = 1; count < TOURNAMENT; count++) {
    const other = below(random, blocks.length)
    if ((blocks[other]?.fillHours ?? 0) < (blocks[least]?.fillHours ?? 0)) least = other
  }
  return least
}

function mixed({ blocks, model }: Packing, random: Random): number {
  for (let count = 0; count < 2 * TOURNAMENT; count++) {
    const index = below(random, blocks.length)
    const lots = blocks[index]?.lots ?? []
    if (lots.some((lot) => model.types[lot] !== model.types[lots[0] ?? 0])) return index
  }
  return below(random, blocks.length)
}

/** The block of a lot of the same type as one of the first block. */
function related(packing: Packing, first: number, random: Random): number {
  const { types } = packing.model
  const lots = packing.blocks[first]?.lots ?? []
  const type = types[lots[below(random, lots.length)] ?? 0]
  for (let count = 0; count < 3 * TOURNAMENT; count++) {
    const lot = below(random, types.length)
    if (types[lot] === type) return packing.blockOf(lot)
  }
  return below(random, packing.blocks.length)
}
