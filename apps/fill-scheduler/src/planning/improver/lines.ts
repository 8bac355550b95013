import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import type { Rules } from '../rules.js'
import type { Block } from './block-model.js'
import type { Lines } from './line-moves.js'

/** Whether a plan is as good as its blocks: one line without rests and without work behind it, and no lot that may be late. Then neither the order of blocks nor their times matter. */
export function isPlain(lots: readonly Lot[], rules: Rules): boolean {
  const { lines, calendar, starts = [] } = rules
  return lines === 1 && calendar === undefined && starts.length === 0 && !mayBeLate(lots, rules)
}

/** Whether lateness costs anything. */
export function mayBeLate(lots: readonly Lot[], { latePenaltyPerHour }: Rules): boolean {
  return latePenaltyPerHour > 0 && lots.some(({ dueHours }) => dueHours !== undefined)
}

/** What is due first goes first, what is not due goes last. */
export function byDueDate(lots: readonly Lot[]): Lot[] {
  return lots.toSorted((a, b) => (a.dueHours ?? 1e9) - (b.dueHours ?? 1e9))
}

/** Lots by their index, for as many lines as there are. */
export function indicesOf(arrangement: Arrangement, lots: readonly Lot[]): Lines {
  const indices = new Map(lots.map(({ id }, index) => [id, index]))
  return arrangement.map((blocks) => blocks.map((block) => block.flatMap(({ id }) => indices.get(id) ?? [])))
}

/** The other way round. */
export function lotsOf(lines: Lines, lots: readonly Lot[]): Arrangement {
  return lines.map((blocks) => blocks.map((block) => block.flatMap((index) => lots[index] ?? [])))
}

/** Gives each block, the longest first, to the line that would be free first; on each line what is due first goes first. Blocks that are open on a line stay as they are. */
export function spread(
  blocks: readonly Block[],
  lots: readonly Lot[],
  { lines, starts = [], cleanHours }: Rules,
): Lines {
  const loads = Array.from({ length: lines }, (_, line) => ({
    hours: starts[line]?.freeHours ?? 0,
    blocks: [] as Block[],
  }))
  const length = ({ fillHours, changeoverHours }: Block): number => cleanHours + fillHours + changeoverHours
  for (const block of blocks.toSorted((a, b) => length(b) - length(a))) {
    const load = loads.reduce((least, other) => (other.hours < least.hours ? other : least))
    load.blocks.push(block)
    load.hours += length(block)
  }
  const due = (block: Block): number => Math.min(...block.lots.map((lot) => lots[lot]?.dueHours ?? 1e9))
  return loads.map((load, line) => [
    ...(starts[line]?.open === undefined ? [] : [[]]),
    ...load.blocks.toSorted((a, b) => due(a) - due(b)).map((block) => block.lots),
  ])
}
