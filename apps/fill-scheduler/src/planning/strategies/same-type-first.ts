import type { Lot } from '../lot.js'
import { EPSILON_HOURS, type Rules } from '../rules.js'
import { needHours, type OpenBlock, type Picker } from './classic-loop.js'

/** Picks the first lot of the type filled last that fits, else the first that fits. */
export function sameTypeFirst(rules: Rules): Picker {
  return {
    pick(remaining, block) {
      const same =
        block.previousType === undefined
          ? -1
          : remaining.findIndex((lot) => lot.type === block.previousType && fits(block, lot, rules))
      const index = same >= 0 ? same : remaining.findIndex((lot) => fits(block, lot, rules))
      return index < 0 ? undefined : index
    },
  }
}

function fits(block: OpenBlock, lot: Lot, rules: Rules): boolean {
  return block.usedHours + needHours(block, lot, rules) <= rules.windowHours + EPSILON_HOURS
}
