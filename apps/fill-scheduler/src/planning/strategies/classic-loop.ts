import { doesNotFit } from '../arrangement-builder.js'
import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../rules.js'
import type { Tally } from './tally.js'

/** A block while it is filled. */
export interface OpenBlock {
  readonly previousType: string | undefined
  /** How much of the window is used. */
  readonly usedHours: number
}

/** What decides which of the remaining lots is next. */
export interface Picker {
  /** Index of the lot; undefined: none, the block is closed. */
  pick(remaining: readonly Lot[], block: OpenBlock): number | undefined
  /** Tells that this lot was placed. */
  taken?(lot: Lot): void
}

/**
 * The loop of the reference on one line: the lot that was picked is taken out, and those that stood before it go to the
 * tail. Where nothing is picked for an empty block, the first lot is placed, so that it always ends. Throws a
 * `RangeError` for a lot that fits into no window.
 */
export function classicLoop(ordered: readonly Lot[], rules: Rules, picker: Picker, tally: Tally): Arrangement {
  const open = rules.starts?.[0]?.open
  let block: OpenBlock = { previousType: open?.previousType, usedHours: open?.usedHours ?? 0 }
  let lots: Lot[] = []
  let untouched = open === undefined
  const blocks: Lot[][] = [lots]
  let remaining = ordered
  while (remaining.length > 0) {
    const picked = picker.pick(remaining, block) ?? (untouched ? 0 : undefined)
    const lot = picked === undefined ? undefined : remaining[picked]
    const after = lot === undefined ? undefined : blockAfter(block, lot, rules)
    if (picked !== undefined) remaining = rotated(remaining, picked)
    if (lot === undefined || after === undefined) {
      if (lot !== undefined && untouched) throw new RangeError(doesNotFit(lot, rules))
      block = { previousType: undefined, usedHours: 0 }
      blocks.push((lots = []))
      untouched = true
      continue
    }
    lots.push(lot)
    remaining = remaining.slice(1)
    block = after
    untouched = false
    picker.taken?.(lot)
    tally.placed()
  }
  return [blocks]
}

/** Hours of changeover and filling that the lot takes in the block. */
export function needHours({ previousType }: OpenBlock, lot: Lot, rules: Rules): number {
  return changeoverHours(rules.changeover, previousType, lot.type) + lot.fillHours
}

function blockAfter(block: OpenBlock, lot: Lot, rules: Rules): OpenBlock | undefined {
  const usedHours = block.usedHours + needHours(block, lot, rules)
  return usedHours <= rules.windowHours + EPSILON_HOURS ? { previousType: lot.type, usedHours } : undefined
}

function rotated(remaining: readonly Lot[], first: number): readonly Lot[] {
  return first === 0 ? remaining : [...remaining.slice(first), ...remaining.slice(0, first)]
}
