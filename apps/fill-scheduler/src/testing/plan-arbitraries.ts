import fc from 'fast-check'
import { calendarOf } from '../planning/calendar.js'
import type { Lot } from '../planning/lot.js'
import type { Calendar, Rules } from '../planning/rules.js'
import { DEFAULT_RULES } from './reference-lots.js'

const TYPES = ['E', 'H', 'F', 'X'] as const

/** Lots of up to four types that fit into a window of 120 h; `hoursMax` bounds their fills. */
export function anyLots(countMax: number, hoursMax = 119): fc.Arbitrary<readonly Lot[]> {
  const lot = fc.record({ type: fc.constantFrom(...TYPES), vials: fc.integer({ min: 1, max: hoursMax * 19_920 }) })
  return fc
    .array(lot, { minLength: 1, maxLength: countMax })
    .map((lots) =>
      lots.map(({ type, vials }, index) => ({ id: `L${index + 1}`, type, vials, fillHours: vials / 19_920 })),
    )
}

/** The same, some of them with due dates and priorities. */
export function anyDueLots(countMax: number, hoursMax = 119): fc.Arbitrary<readonly Lot[]> {
  const wish = fc.option(
    fc.record({ dueHours: fc.integer({ min: 0, max: 800 }), priority: fc.integer({ min: 0, max: 5 }) }),
  )
  return anyLots(countMax, hoursMax).chain((lots) =>
    fc
      .array(wish, { minLength: lots.length, maxLength: lots.length })
      .map((wishes) => lots.map((lot, index) => ({ ...lot, ...wishes[index] }))),
  )
}

/** Rules of one line that never rests: two changeovers, or a matrix, or a spacing. */
export const plainRules: fc.Arbitrary<Rules> = fc
  .record({
    sameTypeHours: fc.integer({ min: 0, max: 8 }),
    differentTypeHours: fc.integer({ min: 0, max: 12 }),
    spacingHours: fc.constantFrom(0, 0, 3),
    matrix: fc.oneof(
      fc.constant({}),
      fc.dictionary(
        fc.constantFrom(...TYPES),
        fc.dictionary(fc.constantFrom(...TYPES), fc.integer({ min: 0, max: 20 })),
      ),
    ),
  })
  .map((changeover) => ({ ...DEFAULT_RULES, changeover }))

/** Rules of one to four lines, with or without a calendar. */
export const anyRules: fc.Arbitrary<Rules> = fc
  .tuple(plainRules, fc.integer({ min: 1, max: 4 }), fc.option(weeklyCalendars(), { nil: undefined }))
  .map(([rules, lines, calendar]) => ({ ...rules, lines, ...(calendar === undefined ? {} : { calendar }) }))

/** Works for `workHours` of each `workHours + restHours`, the first time from hour `firstHours` on. */
export function shiftCalendar(workHours: number, restHours: number, firstHours = 0): Calendar {
  const cycle = workHours + restHours
  return calendarOf((fromHours, toHours) => {
    const rests = []
    for (
      let cycleAt = Math.floor((fromHours - firstHours) / cycle) * cycle + firstHours;
      cycleAt < toHours;
      cycleAt += cycle
    ) {
      const rest = { fromHours: cycleAt + workHours, toHours: cycleAt + cycle }
      if (rest.toHours > fromHours && rest.fromHours < toHours) rests.push(rest)
    }
    return rests
  })
}

function weeklyCalendars(): fc.Arbitrary<Calendar> {
  return fc
    .tuple(fc.integer({ min: 70, max: 140 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 60 }))
    .map(([work, rest, first]) => shiftCalendar(work, rest, first))
}
