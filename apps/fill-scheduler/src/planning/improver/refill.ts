import type { Random } from '../../random.js'
import type { Block, BlockModel, OpenBlock } from './block-model.js'
import { below } from './packing.js'

/** How often the best place of a lot is passed over, so that the same blocks are not always filled alike. */
const BLINK = 0.03

/**
 * Takes some lots out of these blocks and puts each back where it adds least energy, the longest first as a rule. For blocks of too many lots to pack them exactly.
 */
export function refill(blocks: readonly Block[], model: BlockModel, random: Random): Block[] {
  const loose: number[] = []
  const open = blocks.map((block) => takeOut(block, loose, model, random))
  for (const lot of inTurn(loose, model, random)) putBack(open, lot, model, random)
  return open.filter(({ lots }) => lots.length > 0).map(({ lots }) => model.inOrder(lots))
}

function takeOut(block: Block, loose: number[], model: BlockModel, random: Random): OpenBlock {
  const way = random()
  const { length } = block.lots
  const count = way < 0.15 ? length : 1 + below(random, Math.max(1, Math.min(length, 6)))
  const from = below(random, length)
  // A string of neighbours, which are mostly of one type, or single ones.
  const gone = new Set(
    Array.from({ length: count }, (_, at) => (way < 0.6 ? (from + at) % length : below(random, length))),
  )
  const kept: number[] = []
  for (const [at, lot] of block.lots.entries()) (gone.has(at) ? loose : kept).push(lot)
  return { ...model.inOrder(kept), lots: kept }
}

function inTurn(loose: readonly number[], model: BlockModel, random: Random): number[] {
  const way = random()
  const key = (lot: number): number => {
    const fill = model.fills[lot] ?? 0
    if (way < 0.2) return random()
    if (way < 0.6) return fill * (0.8 + 0.4 * random())
    return (model.types[lot] ?? 0) * model.windowHours + fill
  }
  return loose
    .map((lot) => ({ lot, key: key(lot) }))
    .toSorted((a, b) => b.key - a.key)
    .map(({ lot }) => lot)
}

function putBack(open: OpenBlock[], lot: number, model: BlockModel, random: Random): void {
  const fill = model.fills[lot] ?? 0
  let least = model.energy(fill, 0)
  let best: (() => void) | undefined
  for (const block of open) {
    if (random() < BLINK) continue
    const insertion = model.insertion(block, lot)
    if (insertion === undefined) continue
    const before = block.lots.length === 0 ? 0 : model.energy(block.fillHours, block.changeoverHours)
    const after = model.energy(block.fillHours + fill, block.changeoverHours + insertion.changeoverHours)
    if (after - before >= least) continue
    least = after - before
    best = () => model.insert(block, lot, insertion)
  }
  if (best === undefined) open.push({ lots: [lot], fillHours: fill, changeoverHours: 0 })
  else best()
}
