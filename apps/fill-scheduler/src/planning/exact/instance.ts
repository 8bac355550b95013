import type { Lot } from '../lot.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../rules.js'

/** Lots that no plan can tell apart: of one type, and as long to fill. Which of them stands where is decided last, so that no solver tries them in every order. */
interface LotClass {
  /** Index of the type. */
  readonly type: number
  readonly fillHours: number
  readonly lots: readonly Lot[]
}

/** What changeovers to lots of one type cost at least. Every plan pays `lotHours` for each lot and `setupHours` once for each block with the type, less what its first lot saves. */
interface TypeCosts {
  readonly count: number
  /** The shortest changeover to a lot of this type from a lot of another type. */
  readonly entryHours: number
  /** The shortest changeover to a lot of this type from anything. */
  readonly lotHours: number
  /** `entryHours` − `lotHours`. */
  readonly setupHours: number
}

/** What the exact strategy solves: the lots as classes and the rules as numbers. A count of classes is a block, whose changeovers depend on how many lots of each type it has. */
export interface Instance {
  /** Ordered by type, then longest first. */
  readonly classes: readonly LotClass[]
  /** In order of first appearance. */
  readonly types: readonly TypeCosts[]
  readonly lotCount: number
  readonly fillHours: number
  readonly cleanHours: number
  readonly windowHours: number
  /** From type, to type. */
  readonly changeover: readonly (readonly number[])[]
  /** The first lot of a block is placed without changeover: what that saves at most. */
  readonly creditHours: number
  /** Set where there are two lengths of changeover and it pays to keep a type together: then the order in a block is no question any more. */
  readonly levels?: { readonly sameHours: number; readonly differentHours: number }
}

/** The instance of these lots under these rules: one line without calendar and without past. */
export function instanceOf(lots: readonly Lot[], rules: Rules): Instance {
  const names = [...new Set(lots.map(({ type }) => type))]
  const changeover = names.map((from) => names.map((to) => changeoverHours(rules.changeover, from, to)))
  const counts = names.map((name) => lots.filter(({ type }) => type === name).length)
  const types = counts.map((count, type) => typeCosts(changeover, type, count))
  const levels = levelsOf(changeover, counts)
  return {
    classes: names.flatMap((name, type) => classesOf(lots, name, type)),
    types,
    lotCount: lots.length,
    fillHours: lots.reduce((sum, { fillHours }) => sum + fillHours, 0),
    cleanHours: rules.cleanHours,
    windowHours: rules.windowHours,
    changeover,
    creditHours: Math.max(0, ...types.map(({ entryHours }) => entryHours)),
    ...(levels === undefined ? {} : { levels }),
  }
}

function classesOf(lots: readonly Lot[], name: string, type: number): LotClass[] {
  const byFill = new Map<number, Lot[]>()
  for (const lot of lots) {
    if (lot.type !== name) continue
    const equals = byFill.get(lot.fillHours)
    if (equals === undefined) byFill.set(lot.fillHours, [lot])
    else equals.push(lot)
  }
  return [...byFill].toSorted(([a], [b]) => b - a).map(([fillHours, equals]) => ({ type, fillHours, lots: equals }))
}

function typeCosts(changeover: Instance['changeover'], type: number, count: number): TypeCosts {
  const within = changeover[type]?.[type] ?? 0
  const others = changeover.flatMap((row, from) => (from === type ? [] : [row[type] ?? 0]))
  const entryHours = others.length === 0 ? within : Math.min(...others)
  const lotHours = count > 1 ? Math.min(within, entryHours) : entryHours
  return { count, entryHours, lotHours, setupHours: entryHours - lotHours }
}

function levelsOf(changeover: Instance['changeover'], counts: readonly number[]): Instance['levels'] {
  const within = changeover.flatMap((row, type) => ((counts[type] ?? 0) > 1 ? [row[type] ?? 0] : []))
  const between = changeover.flatMap((row, from) => row.filter((_, to) => to !== from))
  const differentHours = between[0] ?? within[0] ?? 0
  const sameHours = within[0] ?? differentHours
  const uniform = (values: readonly number[], value: number): boolean =>
    values.every((each) => Math.abs(each - value) <= EPSILON_HOURS)
  if (sameHours > differentHours || !uniform(within, sameHours) || !uniform(between, differentHours)) return undefined
  return { sameHours, differentHours }
}
