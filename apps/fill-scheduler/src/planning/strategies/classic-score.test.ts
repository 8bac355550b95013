import { describe, expect, it } from 'vitest'
import { generateLots } from '../../io/generate.js'
import { DEFAULT_RULES, lotOf, taskOf } from '../../testing/reference-lots.js'
import type { Lot } from '../lot.js'
import { changeoverHours } from '../rules.js'
import { DEFAULT_SETTINGS } from '../settings.js'
import { findStrategy } from './strategies.js'

const { windowHours, changeover } = DEFAULT_RULES
const TOLERANCE = 1e-9
const IMPOSSIBLE = -1e9

type Formula = (lot: Lot, usedHours: number, previous: string | undefined, remaining: readonly Lot[]) => number

/** The terms that both formulas have in common, each written out as it is defined. */
function terms(lot: Lot, usedHours: number, previous: string | undefined, remaining: readonly Lot[]) {
  const need = changeoverHours(changeover, previous, lot.type) + lot.fillHours
  const left = windowHours - usedHours - need
  const least = Math.min(...remaining.map((next) => changeoverHours(changeover, lot.type, next.type) + next.fillHours))
  const factor = 1 + 0.5 * Math.min(1, Math.max(0, usedHours / windowHours))
  return {
    need,
    fits: usedHours + need <= windowHours + TOLERANCE,
    penalty: previous === undefined ? 0 : (previous === lot.type ? 4 : 8) * factor,
    waste: least > left ? left : 0,
  }
}

const smart: Formula = (lot, usedHours, previous, remaining) => {
  const { need, fits, penalty, waste } = terms(lot, usedHours, previous, remaining)
  if (!fits) return IMPOSSIBLE
  return need - penalty - 3 * waste + (previous === lot.type ? 1 : 0) - 0.01 * lot.fillHours
}

const hybrid: Formula = (lot, usedHours, previous, remaining) => {
  const { need, fits, penalty, waste } = terms(lot, usedHours, previous, remaining)
  if (!fits) return IMPOSSIBLE
  const shortest = Math.min(...remaining.filter(({ type }) => type === lot.type).map(({ fillHours }) => fillHours))
  const stays = previous === undefined || previous === lot.type
  const liking = stays ? 1 + 2 + 0.5 / Math.max(lot.fillHours, 1e-6) : Math.max(0, 2 - 0.02 * shortest)
  return need - penalty * 1.1 - 3 * waste + liking - 0.005 * lot.fillHours
}

/** The best of the three best, each with a quarter of the best score of a lot behind it. */
function pick(remaining: readonly Lot[], used: number, previous: string | undefined, score: Formula, above: number) {
  const beam = remaining
    .map((lot, index) => ({ lot, index, score: score(lot, used, previous, remaining) }))
    .filter((candidate) => candidate.score > above)
    .toSorted((one, other) => other.score - one.score)
    .slice(0, 3)
  const sums = beam.map(({ lot, index, score: own }) => {
    const usedThen = used + changeoverHours(changeover, previous, lot.type) + lot.fillHours
    const next = remaining.filter((other) => other !== lot).map((other) => score(other, usedThen, lot.type, remaining))
    return { index, sum: own + 0.25 * Math.max(0, ...next) }
  })
  const most = Math.max(...sums.map(({ sum }) => sum))
  return sums.find(({ sum }) => sum === most)?.index
}

/** The loop: what was passed over goes to the tail; a block is closed where nothing is picked, or the first lot placed where it is empty. */
function blocksBy(score: Formula, above: number, lots: readonly Lot[]): string[][] {
  const blocks: string[][] = [[]]
  let [remaining, used, previous] = [lots, 0, undefined as string | undefined]
  while (remaining.length > 0) {
    const block = blocks.at(-1) ?? []
    const picked = pick(remaining, used, previous, score, above) ?? (block.length === 0 ? 0 : undefined)
    if (picked === undefined) {
      blocks.push([])
      ;[used, previous] = [0, undefined]
      continue
    }
    const [lot, ...others] = [...remaining.slice(picked), ...remaining.slice(0, picked)]
    if (lot === undefined) break
    block.push(lot.id)
    used += changeoverHours(changeover, previous, lot.type) + lot.fillHours
    ;[remaining, previous] = [others, lot.type]
  }
  return blocks
}

describe('classic mode decides as the formulas say, written out', () => {
  it.each([
    ['smart-pack', smart, IMPOSSIBLE],
    ['hybrid-pack', hybrid, -1e-9],
  ] as const)('%s', async (name, score, above) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const rows = generateLots({ count: 5 + (seed % 20), seed, vialsMax: seed % 2 === 0 ? 2_300_000 : 700_000 })
      const lots = rows.map(({ id, type, vials }) => lotOf(id, type, vials))
      const planned = await findStrategy(name)?.plan(taskOf(lots, { settings: DEFAULT_SETTINGS }))
      expect(planned?.arrangement[0]?.map((block) => block.map(({ id }) => id))).toEqual(blocksBy(score, above, lots))
    }
  })
})
