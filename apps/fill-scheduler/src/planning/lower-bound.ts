import { fewestBins } from './bin-count.js'
import type { Lot } from './lot.js'
import { changeoverHours, type Rules } from './rules.js'
import { finishHours, workHoursIn } from './working-time.js'

/**
 * What the makespan of no plan of these lots can be below, in hours; 0 without lots.
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
 * **Time.** No plan ends before its lines have worked that long: from when each is free, only while the calendar lets it, which also bounds how much fits into a window. A block
 * that is open when planning begins counts as one whose cleaning is done. Nor does a plan end before each lot could, alone on a line.
 */
export function lowerBoundHours(lots: readonly Lot[], rules: Rules): number {
  const begun = beginning(rules)
  if (lots.length === 0) return Math.max(0, begun.endedHours - begun.firstHours)
  const plain = endHours(lots, rules, rules.windowHours, begun)
  return Math.max(0, withRests(lots, rules, begun, plain) - begun.firstHours)
}

/** What lateness costs any plan at least, in hours of makespan: no lot is filled before it could be if it were the only one. */
export function leastLateHours(lots: readonly Lot[], rules: Rules): number {
  const { fillableHours } = beginning(rules)
  const late = lots.reduce((sum, { fillHours, dueHours = Infinity, priority = 1 }) => {
    return sum + priority * Math.max(0, fillableHours + fillHours - dueHours)
  }, 0)
  return rules.latePenaltyPerHour * late
}

/** Where rests shorten windows, more blocks are needed. Windows up to a horizon are looked at: a plan that ends behind it is longer than the horizon, which is a bound, too. */
function withRests(lots: readonly Lot[], rules: Rules, begun: Beginning, plainHours: number): number {
  if (rules.calendar === undefined) return plainHours
  const horizon = Math.max(...begun.freeHours) + 3 * plainHours
  const longest = lots.reduce((most, { fillHours }) => Math.max(most, fillHours), 0)
  const working = workHoursIn(
    rules.windowHours,
    begun.earliestHours,
    horizon,
    rules.calendar,
    shortestActivity(lots, rules),
  )
  const windowHours = Math.min(rules.windowHours, Math.max(working, longest))
  return Math.max(plainHours, Math.min(horizon, endHours(lots, rules, windowHours, begun)))
}

function endHours(lots: readonly Lot[], rules: Rules, windowHours: number, begun: Beginning): number {
  const work = Math.max(0, workHours(lots, rules, windowHours) - begun.openBlocks * rules.cleanHours)
  const together = finishHours(work, begun.freeHours, rules.calendar, shortestActivity(lots, rules))
  const longest = lots.reduce((most, { fillHours }) => Math.max(most, fillHours), 0)
  return Math.max(together, begun.fillableHours + longest, begun.endedHours)
}

/** What cleaning, changeovers and fills of all lots take at least, added up. */
function workHours(lots: readonly Lot[], rules: Rules, windowHours: number): number {
  const groups = groupsOf(lots, rules)
  const mostOther = Math.max(...groups.map(({ fromOther }) => fromOther))
  const mostAny = Math.max(...groups.map(({ fromAny }) => fromAny))
  const sizes = groups.flatMap(({ fills, fromAny }) => fills.map((hours) => hours + fromAny))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const presences = groups.map(({ fills, fromAny }) =>
    fewestBins(
      fills.map((hours) => hours + fromAny),
      windowHours + fromAny,
    ),
  )
  const setups = groups.reduce((sum, { fromAny, fromOther }, k) => sum + (fromOther - fromAny) * (presences[k] ?? 0), 0)
  const byVolume = Math.ceil((total + setups) / (windowHours + mostOther) - 1e-7)
  const blocks = Math.min(lots.length, Math.max(byVolume, fewestBins(sizes, windowHours + mostAny)))
  const presence = presences.reduce((sum, bins) => sum + bins, 0)
  const cheapest = Math.min(...groups.map(({ fromAny, fromOther }) => fromOther - fromAny))
  const cost = (count: number): number =>
    (rules.cleanHours - mostOther) * count + cheapest * Math.max(0, count - presence)
  return total + setups + Math.min(...[blocks, Math.max(blocks, presence), lots.length].map(cost))
}

/** The lots of one type, and the shortest changeovers into it. */
interface Group {
  readonly fills: readonly number[]
  readonly fromAny: number
  readonly fromOther: number
}

function groupsOf(lots: readonly Lot[], rules: Rules): Group[] {
  const types = new Map<string, Lot[]>()
  for (const lot of lots) {
    const those = types.get(lot.type)
    if (those === undefined) types.set(lot.type, [lot])
    else those.push(lot)
  }
  return [...types].map(([type, those]) => {
    const own = changeoverHours(rules.changeover, type, type)
    const others = [...types.keys()].filter((other) => other !== type)
    const fromOther = Math.min(...others.map((other) => changeoverHours(rules.changeover, other, type)))
    const fromAny = Math.min(own, fromOther)
    return {
      fills: those.map(({ fillHours }) => fillHours),
      fromAny,
      fromOther: others.length === 0 ? fromAny : fromOther,
    }
  })
}

/** How the lines stand when planning begins. */
interface Beginning {
  readonly freeHours: readonly number[]
  readonly earliestHours: number
  /** When at the earliest a lot may be filled. */
  readonly fillableHours: number
  readonly openBlocks: number
  /** First start and last end of what was done before. */
  readonly firstHours: number
  readonly endedHours: number
}

function beginning({ lines, starts = [], cleanHours }: Rules): Beginning {
  const all = Array.from({ length: Math.max(lines, starts.length) }, (_, line) => starts[line])
  const freeHours = all.map((start) => start?.freeHours ?? 0)
  const fillable = all.map((start) => (start?.freeHours ?? 0) + (start?.open === undefined ? cleanHours : 0))
  const done = starts.flatMap(({ activities }) => activities)
  return {
    freeHours,
    earliestHours: Math.min(...freeHours),
    fillableHours: Math.min(...fillable),
    openBlocks: starts.filter(({ open }) => open !== undefined).length,
    firstHours: done.reduce((first, { startHours }) => Math.min(first, startHours), done[0]?.startHours ?? 0),
    endedHours: done.reduce((last, { endHours: end }) => Math.max(last, end), 0),
  }
}

/** Rests that are nearer to each other than this leave no time to work. */
function shortestActivity(lots: readonly Lot[], { cleanHours, changeover }: Rules): number {
  const { sameTypeHours, differentTypeHours, matrix, spacingHours } = changeover
  const named = Object.values(matrix).flatMap((row) => Object.values(row))
  const changeovers = [sameTypeHours, differentTypeHours, ...named].map((hours) => Math.max(hours, spacingHours))
  const lengths = [cleanHours, ...changeovers, ...lots.map(({ fillHours }) => fillHours)]
  return lengths.filter((hours) => hours > 0).reduce((least, hours) => Math.min(least, hours), cleanHours)
}
