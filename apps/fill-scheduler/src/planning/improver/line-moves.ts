import type { Random } from '../../random.js'
import type { BlockModel } from './block-model.js'
import { below } from './packing.js'
import type { Repacker } from './repack.js'

/** For each line its blocks, for each block its lots by index. Only the first block of a line may be empty. */
export type Lines = readonly (readonly (readonly number[])[])[]

/** Lines that are being changed; blocks are replaced, never changed. */
type Draft = (readonly number[])[][]

/** So many blocks before and behind a block are near it. */
const NEAR_BLOCKS = 4

/** Where a block stands. */
interface Spot {
  readonly line: number
  readonly block: number
}

/** Changes plans of several lines, or of one whose times matter, at random. */
export class LineMoves {
  readonly #model: BlockModel
  readonly #repacker: Repacker
  readonly #random: Random
  readonly #isOpen: (line: number) => boolean

  constructor(model: BlockModel, repacker: Repacker, random: Random, isOpen: (line: number) => boolean) {
    this.#model = model
    this.#repacker = repacker
    this.#random = random
    this.#isOpen = isOpen
  }

  /** A neighbour of these lines; blocks that are the same are the same objects. Whether the lots fit is not looked at. */
  neighbour(lines: Lines): Lines {
    const draft = lines.map((blocks) => [...blocks])
    const way = this.#random()
    if (way < 0.3) this.#moveLot(draft)
    else if (way < 0.5) this.#swapLots(draft)
    else if (way < 0.6) this.#moveBlock(draft)
    else if (way < 0.68) this.#swapBlocks(draft)
    else if (way < 0.74) this.#split(draft)
    else if (way < 0.8) this.#merge(draft)
    else if (way < 0.86) this.#reorder(draft)
    else this.#repack(draft)
    return draft.map((blocks, line) =>
      blocks.filter(({ length }, at) => length > 0 || (at === 0 && this.#isOpen(line))),
    )
  }

  #moveLot(draft: Draft): void {
    const from = this.#spot(draft)
    const lot = this.#takeLot(draft, from)
    if (lot === undefined) return
    if (this.#random() < 0.1) this.#insertBlock(draft, [lot])
    else this.#putLot(draft, this.#other(draft, from), lot)
  }

  #swapLots(draft: Draft): void {
    const here = this.#spot(draft)
    const there = this.#other(draft, here)
    const one = this.#takeLot(draft, here)
    const other = this.#takeLot(draft, there)
    if (other !== undefined) this.#putLot(draft, here, other)
    if (one !== undefined) this.#putLot(draft, there, one)
  }

  #moveBlock(draft: Draft): void {
    const { line, block } = this.#spot(draft)
    const lots = draft[line]?.[block] ?? []
    replace(draft, { line, block }, [])
    this.#insertBlock(draft, lots)
  }

  #swapBlocks(draft: Draft): void {
    const here = this.#spot(draft)
    const there = this.#other(draft, here)
    const lots = draft[here.line]?.[here.block] ?? []
    replace(draft, here, draft[there.line]?.[there.block] ?? [])
    replace(draft, there, lots)
  }

  #split(draft: Draft): void {
    const spot = this.#spot(draft)
    const lots = draft[spot.line]?.[spot.block] ?? []
    const at = below(this.#random, lots.length + 1)
    replace(draft, spot, lots.slice(0, at))
    if (this.#random() < 0.5) draft[spot.line]?.splice(spot.block + 1, 0, lots.slice(at))
    else this.#insertBlock(draft, lots.slice(at))
  }

  #merge(draft: Draft): void {
    const here = this.#spot(draft)
    const there = this.#other(draft, here)
    const more = draft[there.line]?.[there.block]
    if (more === undefined || (here.line === there.line && here.block === there.block)) return
    replace(draft, here, [...(draft[here.line]?.[here.block] ?? []), ...more])
    replace(draft, there, [])
  }

  /** Takes a stretch of a block out and puts it in again, turned around or elsewhere. */
  #reorder(draft: Draft): void {
    const spot = this.#spot(draft)
    const lots = [...(draft[spot.line]?.[spot.block] ?? [])]
    const stretch = lots.splice(below(this.#random, lots.length), 1 + below(this.#random, lots.length))
    if (this.#random() < 0.5) stretch.reverse()
    lots.splice(below(this.#random, lots.length + 1), 0, ...stretch)
    replace(draft, spot, lots)
  }

  /** Packs two to four blocks anew, as if times did not matter. */
  #repack(draft: Draft): void {
    const first = this.#spot(draft)
    const spots = [first]
    const lots = [...(draft[first.line]?.[first.block] ?? [])]
    const count = 2 + below(this.#random, 3)
    for (let attempt = 0; attempt < 2 * count && spots.length < count; attempt++) {
      const spot = this.#other(draft, first)
      const more = draft[spot.line]?.[spot.block] ?? []
      if (spots.some(({ line, block }) => line === spot.line && block === spot.block)) continue
      if (lots.length + more.length > this.#repacker.lotsMax) continue
      spots.push(spot)
      lots.push(...more)
    }
    if (lots.length === 0 || lots.length > this.#repacker.lotsMax) return
    const anew = this.#repacker.repack(lots, 4 * this.#random() ** 2)
    for (const spot of spots) replace(draft, spot, anew.pop()?.lots ?? [])
    for (const block of anew) this.#insertBlock(draft, block.lots)
  }

  /** Any block of any line; of lines without blocks the place of a first one. */
  #spot(draft: Draft): Spot {
    const line = below(this.#random, draft.length)
    return { line, block: below(this.#random, draft[line]?.length ?? 0) }
  }

  /** Another block: mostly one of about the same time on the line, for where times matter what is far away is seldom of use. */
  #other(draft: Draft, { line, block }: Spot): Spot {
    if (this.#random() < 0.4) return this.#spot(draft)
    const near = block + 1 + below(this.#random, NEAR_BLOCKS) - (this.#random() < 0.5 ? NEAR_BLOCKS + 1 : 0)
    return { line, block: Math.min(Math.max(near, 0), Math.max(0, (draft[line]?.length ?? 0) - 1)) }
  }

  #takeLot(draft: Draft, spot: Spot): number | undefined {
    const lots = draft[spot.line]?.[spot.block] ?? []
    const at = below(this.#random, lots.length)
    const lot = lots[at]
    if (lot !== undefined) replace(draft, spot, lots.toSpliced(at, 1))
    return lot
  }

  /** Where the changeovers grow least, or anywhere. */
  #putLot(draft: Draft, spot: Spot, lot: number): void {
    const lots = [...(draft[spot.line]?.[spot.block] ?? [])]
    const cheapest = this.#random() < 0.7 ? this.#model.insertion(this.#model.inOrder(lots), lot)?.at : undefined
    lots.splice(cheapest ?? below(this.#random, lots.length + 1), 0, lot)
    replace(draft, spot, lots)
  }

  #insertBlock(draft: Draft, lots: readonly number[]): void {
    const line = below(this.#random, draft.length)
    const first = this.#isOpen(line) ? 1 : 0
    const blocks = draft[line] ?? []
    blocks.splice(first + below(this.#random, blocks.length - first + 1), 0, lots)
  }
}

/** A spot behind the last block of its line becomes a block. */
function replace(draft: Draft, { line, block }: Spot, lots: readonly number[]): void {
  const blocks = draft[line]
  if (blocks !== undefined) blocks[block] = lots
}
