import { ArrangementBuilder } from '../arrangement-builder.js'
import { freshBlock, slotInOpenBlock, type LineState } from '../line.js'
import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import type { Rules } from '../rules.js'
import type { Tally } from './tally.js'

/** What decides which of the remaining lots a line fills next. */
export interface LinePicker {
  /** Index of the lot to fill next in the open block of a line; undefined: none fits, or none should. */
  next(remaining: readonly Lot[], line: LineState): number | undefined
  /** Tells that this lot was placed. */
  taken?(lot: Lot): void
}

/**
 * Places lot by lot, in the order given but for what the picker prefers; what is passed over keeps its place. The line
 * that is free first is next; where its block is full, an open block of another line is taken if the lot is filled
 * there before a new block could have filled one. Throws a `RangeError` for a lot that fits into no window.
 */
export function improvedLoop(ordered: readonly Lot[], rules: Rules, picker: LinePicker, tally: Tally): Arrangement {
  const builder = new ArrangementBuilder(rules)
  const remaining = [...ordered]
  while (remaining.length > 0) {
    const { line, index, fresh } = nextMove(builder, remaining, rules, picker)
    const [lot] = remaining.splice(index, 1)
    if (lot === undefined) break
    if (fresh) builder.placeInNewBlock(line, lot)
    else builder.place(line, lot)
    picker.taken?.(lot)
    tally.placed()
  }
  return builder.arrangement
}

interface Move {
  readonly line: number
  readonly index: number
  /** In a new block. */
  readonly fresh: boolean
  readonly endHours: number
}

function nextMove(builder: ArrangementBuilder, remaining: readonly Lot[], rules: Rules, picker: LinePicker): Move {
  const line = builder.nextLine
  const inBlock = moveInOpenBlock(builder, line, remaining, rules, picker)
  if (inBlock !== undefined) return inBlock
  const fresh = moveInNewBlock(builder.line(line), line, remaining, rules, picker)
  const elsewhere = Array.from({ length: rules.lines }, (_, other) =>
    other === line ? undefined : moveInOpenBlock(builder, other, remaining, rules, picker),
  )
  return elsewhere.reduce<Move>((best, move) => (move && move.endHours < best.endHours ? move : best), fresh)
}

function moveInOpenBlock(
  builder: ArrangementBuilder,
  line: number,
  remaining: readonly Lot[],
  rules: Rules,
  picker: LinePicker,
): Move | undefined {
  const state = builder.line(line)
  if (state.closesHours === undefined) return undefined
  const index = picker.next(remaining, state)
  const lot = index === undefined ? undefined : remaining[index]
  if (index === undefined || lot === undefined) return undefined
  const endHours = slotInOpenBlock(state, lot, rules)?.fillEnd
  return endHours === undefined ? undefined : { line, index, fresh: false, endHours }
}

function moveInNewBlock(
  state: LineState,
  line: number,
  remaining: readonly Lot[],
  rules: Rules,
  picker: LinePicker,
): Move {
  const cleaned = freshBlock(state, [], rules)?.after ?? state
  const index = picker.next(remaining, cleaned) ?? 0
  const lot = remaining[index]
  const block = lot === undefined ? undefined : freshBlock(state, [lot], rules)
  return { line, index, fresh: true, endHours: block?.after.freeHours ?? Infinity }
}
