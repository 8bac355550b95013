import { aloneEndHours, beginning, type Beginning } from './beginning.js'
import type { Lot } from './lot.js'
import { restedEndHours } from './rested-bound.js'
import type { Rules } from './rules.js'
import { leastOver, needOf } from './work-need.js'
import { finishHours, shortestActivity } from './working-time.js'

/**
 * What the makespan of no plan of these lots can be below, in hours; 0 without lots. Of a plan that is known the makespan may be told, in `knownHours`: what would be far behind it is not looked at, which takes less time.
 *
 * **Cost of a block.** Let in(k) be the shortest changeover into type k, own type included, and D(k) the shortest from another type of these lots (in(k) where there is none);
 * d(k) = D(k) − in(k) ≥ 0 and M = max D. In a block every lot but the first is entered at least for in(k), and each type that comes up the first time, but for the first of the
 * block, for D(k). So cleaning and changeovers of a block with lots S of types T take at least clean − M + Σ in(S) + Σ d(T): the lot that opens the block is credited with M.
 *
 * **Numbers.** Summed over B blocks, of which T(k) contain type k, that is Σ (fill + in) + (clean − M)·B + Σ d(k)·T(k), with
 * - T(k) ≥ bins for the lots of type k of sizes fill + in(k) and capacity window + in(k), for the lots of one type of a block fit into its window with the changeovers between them;
 * - B ≥ bins for all lots of sizes fill + in and capacity window + max in;
 * - B·(window + M) ≥ Σ (fill + in) + Σ d(k)·T(k), each block holding no more than its window;
 * - Σ T(k) ≥ B, no block being empty, and B ≤ the number of lots.
 *
 * The least of that (a line in B with a bend at Σ T(k), so its ends and the bend are enough) is the work to be done. `fewestBins` proves the numbers of bins.
 *
 * **Time.** No plan ends before its lines have worked that long: from when each is free, only while the calendar lets it. A block that is open when planning begins counts as one whose cleaning is done,
 * where any lot fits into it. Nor does a plan end before each lot could, alone on a line. Where there are rests, `restedEndHours` knows more.
 */
export function lowerBoundHours(lots: readonly Lot[], rules: Rules, knownHours = Infinity): number {
  const begun = beginning(lots, rules)
  if (lots.length === 0) return Math.max(0, begun.endedHours - begun.firstHours)
  const need = needOf(lots, rules, rules.windowHours)
  const workHours = need.workHours + leastOver(need, rules.cleanHours - need.mostOther)
  const plain = endHours(workHours, lots, rules, begun)
  return Math.max(0, restedEndHours(lots, rules, begun, plain, begun.firstHours + knownHours) - begun.firstHours)
}

/** The same where it is known what work these lots are at least, on one line that never rests and had nothing to do before. */
export function makespanOfWork(workHours: number, lots: readonly Lot[], rules: Rules): number {
  const begun = beginning(lots, rules)
  return Math.max(0, endHours(workHours, lots, rules, begun) - begun.firstHours)
}

/** What lateness costs any plan at least, in hours of makespan: no lot is filled before it could be if it were the only one. */
export function leastLateHours(lots: readonly Lot[], rules: Rules): number {
  const begun = beginning(lots, rules)
  const late = lots.reduce((sum, lot) => {
    const { dueHours = Infinity, priority = 1 } = lot
    return sum + priority * Math.max(0, aloneEndHours(lot, begun, rules) - dueHours)
  }, 0)
  return rules.latePenaltyPerHour * late
}

function endHours(workHours: number, lots: readonly Lot[], rules: Rules, begun: Beginning): number {
  const work = Math.max(0, workHours - begun.openBlocks * rules.cleanHours)
  const together = finishHours(work, begun.freeHours, rules.calendar, shortestActivity(lots, rules))
  const alone = lots.reduce((latest, lot) => Math.max(latest, aloneEndHours(lot, begun, rules)), 0)
  return Math.max(together, alone, begun.endedHours)
}
