import { slotInOpenBlock } from '../line.js'
import type { Rules } from '../rules.js'
import type { LinePicker } from './improved-loop.js'

/** Picks the first that fits of those due within a window from now, so of lots by due date the most urgent; where there is none, what `otherwise` picks. */
export function urgentFirst(rules: Rules, otherwise: LinePicker): LinePicker {
  return {
    ...otherwise,
    next(remaining, line) {
      const urgent = remaining.findIndex(
        (lot) =>
          lot.dueHours !== undefined &&
          lot.dueHours < line.freeHours + rules.windowHours &&
          slotInOpenBlock(line, lot, rules) !== undefined,
      )
      return urgent < 0 ? otherwise.next(remaining, line) : urgent
    },
  }
}
