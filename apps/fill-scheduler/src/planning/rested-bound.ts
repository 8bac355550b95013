import type { Beginning } from './beginning.js'
import type { Lot } from './lot.js'
import type { Rules } from './rules.js'
import { StretchTime, type Worth } from './stretch-time.js'
import { WindowTime } from './window-time.js'
import { leastOver, type Need, needOf } from './work-need.js'
import { shortestActivity } from './working-time.js'

/** Of a plan that is known, so much more is looked at as its share and in hours: near the horizon steps are not whole, and stretches may be cut short. */
const BEHIND_SHARE = 0.25
const BEHIND_HOURS = 168

/** So many credits are tried. */
const CREDITS = 6

/**
 * What no plan ends before where there are rests: the latest of several hours that are each right, at least `plainHours`. Only up to a horizon is looked at, which is not far behind `knownHours`: a plan that ends
 * behind it is longer than the horizon, which is a bound, too. At least one lot.
 *
 * - **Windows** (`WindowTime`): B blocks work for at least R(B) inside their windows, which run on in rests. Whatever a block is credited with, work and credits come to at least min R(B) + credit · B.
 * - **Stretches** (`StretchTime`): fills, changeovers and cleanings are each done within one stretch of working time.
 */
export function restedEndHours(
  lots: readonly Lot[],
  rules: Rules,
  begun: Beginning,
  plainHours: number,
  knownHours = Infinity,
): number {
  const { calendar, cleanHours } = rules
  if (calendar === undefined) return plainHours
  const farHours = Math.max(...begun.freeHours) + 2 * plainHours
  const horizonHours = Math.max(plainHours, Math.min(farHours, knownHours * (1 + BEHIND_SHARE) + BEHIND_HOURS))
  const rests = { calendar, shortestHours: shortestActivity(lots, rules), horizonHours }
  const windows = new WindowTime(begun.lines, rules, rests)
  const need = needOf(lots, rules, Math.min(rules.windowHours, Math.max(windows.widestHours, longestFill(lots))))
  const byWindows = creditsFor(need, cleanHours).map((creditHours) =>
    windows.finishHours(need.workHours + leastOver(need, creditHours - need.mostOther), creditHours),
  )
  const stretchTime = new StretchTime(begun.freeHours, rests)
  const byStretches = [apart(need, begun, cleanHours), behindGaps(need, begun, cleanHours)].map(
    ({ lengths, gapHours, wanted }) => stretchTime.finishHours(lengths, gapHours, wanted),
  )
  return Math.max(plainHours, Math.min(horizonHours, Math.max(...byWindows, ...byStretches)))
}

function longestFill(lots: readonly Lot[]): number {
  return lots.reduce((longest, { fillHours }) => Math.max(longest, fillHours), 0)
}

/** What is put into stretches of working time. */
interface Contents {
  readonly lengths: readonly number[]
  readonly gapHours: number
  readonly wanted: (worth: Worth) => number
}

/** Fills, changeovers and cleanings each by itself, as the cost of a block counts them. */
function apart(
  { groups, presences, blocks, blocksMax, mostOther }: Need,
  { openBlocks }: Beginning,
  cleanHours: number,
): Contents {
  const lengths = [cleanHours, ...groups.flatMap(({ fills, fromAny, fromOther }) => [...fills, fromAny, fromOther])]
  const wanted = (worth: Worth): number => {
    const perBlock = worth(cleanHours) - worth(mostOther)
    const ofTypes = groups.map(({ fills, fromAny, fromOther }, k) => {
      const ofFills = fills.reduce((sum, hours) => sum + worth(hours), 0)
      const present = presences[k] ?? 0
      return ofFills + (fills.length - present) * worth(fromAny) + present * worth(fromOther)
    })
    const all = ofTypes.reduce((sum, hours) => sum + hours, 0)
    return all + Math.min(perBlock * blocks, perBlock * blocksMax) - openBlocks * worth(cleanHours)
  }
  return { lengths, gapHours: 0, wanted }
}

/** Fills with the shortest changeover before each but the first of a stretch, and cleanings, which stand in place of one. */
function behindGaps({ groups, blocks }: Need, { openBlocks }: Beginning, cleanHours: number): Contents {
  const gapHours = Math.min(cleanHours, ...groups.map(({ fromAny }) => fromAny))
  const fills = groups.flatMap((group) => group.fills.map((hours) => hours + gapHours))
  const cleaning = cleanHours - gapHours
  const cleanings = Math.max(0, blocks - openBlocks)
  const wanted = (worth: Worth): number => fills.reduce((sum, hours) => sum + worth(hours), cleanings * worth(cleaning))
  return { lengths: [...fills, cleaning], gapHours, wanted }
}

/** What a block counts beside the work of its window: prices of a block in the trade between blocks and changeovers. Each gives a bound; the best is somewhere in between. */
function creditsFor({ mostOther, cheapest }: Need, cleanHours: number): number[] {
  const [least, most] = [mostOther - cheapest, mostOther + cleanHours]
  return Array.from({ length: CREDITS }, (_, at) => least + ((most - least) * at) / (CREDITS - 1))
}
