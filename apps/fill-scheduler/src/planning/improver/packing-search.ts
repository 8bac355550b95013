import type { Random } from '../../random.js'
import type { Block, BlockModel } from './block-model.js'
import { chooseBlocks } from './destroy.js'
import { Packing } from './packing.js'
import { refill } from './refill.js'
import { Repacker } from './repack.js'

/** Temperatures, in cleanings: at first a plan may become worse by some of a block, in the end by next to nothing. */
const HOT = 0.1
const COLD = 0.002

/** When a search is over; asked every few iterations, with the cleanings and changeovers of the best packing in hours, and the packing. */
type Enough = (costHours: number, blocks: readonly Block[]) => Promise<boolean>

/** Iterations of one cooling: longer for more lots. */
function coolingIterations(lots: number): number {
  return 200 + 100 * lots
}

/** What is better by less is not: sums that were added to and taken from for long are not exact to the last digit. */
const IMPROVED_HOURS = 1e-6

/** So many coolings in a row that found nothing better end a search. */
const IDLE_COOLINGS_MAX = 10

/**
 * Large-neighbourhood search over blocks: takes a few of them apart, packs their lots anew (exactly where they are few), and goes on from what comes of it when it is better, or a little worse
 * with a probability that falls while it cools (simulated annealing, over and over from the best). Answers the best packing; never worse than `start`.
 */
export async function searchPacking(
  start: readonly Block[],
  model: BlockModel,
  random: Random,
  enough: Enough,
): Promise<readonly Block[]> {
  const best = { blocks: [...start], cost: new Packing(model, start).cost }
  const repacker = new Repacker(model)
  const length = coolingIterations(model.fills.length)
  for (let idle = 0; idle < IDLE_COOLINGS_MAX; idle++) {
    const before = best.cost
    const packing = new Packing(model, best.blocks)
    for (let at = 0; at < length; at++) {
      if (at % 32 === 0 && (await enough(best.cost, best.blocks))) return best.blocks
      const temperature = model.cleanHours * HOT * (COLD / HOT) ** (at / length)
      step(packing, repacker, random, temperature)
      if (packing.cost >= best.cost - IMPROVED_HOURS) continue
      best.cost = packing.cost
      best.blocks = [...packing.blocks]
    }
    if (best.cost < before - IMPROVED_HOURS) idle = -1
  }
  return best.blocks
}

/** Refilled blocks hold no more lots than this, one block aside. */
const REFILL_LOTS_MAX = 80

function step(packing: Packing, repacker: Repacker, random: Random, temperature: number): void {
  // Blocks of few lots are better packed exactly; of many lots only two or three blocks could be.
  const perBlock = packing.model.fills.length / packing.blocks.length
  const refills = random() < (perBlock < 3 ? 0.05 : 0.7)
  const chosen = chooseBlocks(packing, refills ? REFILL_LOTS_MAX : repacker.lotsMax, random)
  const old = chosen.flatMap((index) => packing.blocks[index] ?? [])
  const lots = old.flatMap((block) => block.lots)
  const exact = !refills && lots.length <= repacker.lotsMax
  const anew = exact ? repacker.repack(lots, 4 * random() ** 2) : refill(old, packing.model, random)
  const change = packing.energyOf(anew) - packing.energyOf(old)
  if (change <= -temperature * Math.log(1 - random())) packing.replace(chosen, anew)
}
