import type { Lot } from './lot.js'
import type { Arrangement } from './plan.js'
import type { Rules } from './rules.js'
import { ArrangementBuilder } from './arrangement-builder.js'

/**
 * Keeps the order of the lots: a new block begins when the next lot does not fit. Of several lines the one that is free
 * first gets the next block. Throws a `RangeError` for a lot that fits into no window.
 */
export function givenOrder(lots: readonly Lot[], rules: Rules): Arrangement {
  const builder = new ArrangementBuilder(rules)
  let line = builder.nextLine
  for (const lot of lots) {
    if (!builder.fits(line, lot)) line = builder.nextLine
    builder.place(line, lot)
  }
  return builder.arrangement
}
