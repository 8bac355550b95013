import { lineAfter, slotInOpenBlock, type LineState } from '../line.js'
import type { Lot } from '../lot.js'
import { changeoverHours, type Rules } from '../rules.js'
import type { LinePicker } from './improved-loop.js'

/** Picks what fits after the shortest changeover, which is as a rule a lot of the same type; of those that are alike the first. */
export function leastChangeoverFirst(rules: Rules): LinePicker {
  return {
    next(remaining, line) {
      let best: number | undefined
      let leastHours = Infinity
      for (const [index, lot] of remaining.entries()) {
        const hours = changeoverHours(rules.changeover, line.previousType, lot.type)
        if (hours >= leastHours || slotInOpenBlock(line, lot, rules) === undefined) continue
        best = index
        leastHours = hours
      }
      return best
    },
  }
}

/** The same, but the last lot of a block is the longest that fits, so that little of the window is wasted. */
export function longestAtLast(rules: Rules): LinePicker {
  const first = leastChangeoverFirst(rules)
  return {
    next(remaining, line) {
      const index = first.next(remaining, line)
      const lot = index === undefined ? undefined : remaining[index]
      if (lot === undefined || isFollowed(remaining, line, lot, rules)) return index
      return longestThatFits(remaining, line, rules)
    },
  }
}

function isFollowed(remaining: readonly Lot[], line: LineState, lot: Lot, rules: Rules): boolean {
  const slot = slotInOpenBlock(line, lot, rules)
  if (slot === undefined) return false
  const after = lineAfter(line, lot, slot)
  return remaining.some((next) => next !== lot && slotInOpenBlock(after, next, rules) !== undefined)
}

function longestThatFits(remaining: readonly Lot[], line: LineState, rules: Rules): number | undefined {
  let longest: number | undefined
  let hours = -Infinity
  for (const [index, lot] of remaining.entries()) {
    const worth = lot.fillHours - changeoverHours(rules.changeover, line.previousType, lot.type)
    if (worth <= hours || slotInOpenBlock(line, lot, rules) === undefined) continue
    longest = index
    hours = worth
  }
  return longest
}
