import fc from 'fast-check'
import type { Rate } from '../engine.js'

/** Tokens that were given: not before `fromMs`, not after `toMs`. */
export interface Grant {
  readonly fromMs: number
  readonly toMs: number
  readonly cost: number
}

/** A rate, and what is asked of it: after how many milliseconds, for how much. */
export const anyDemand: fc.Arbitrary<{
  readonly rate: Rate
  readonly asks: readonly { readonly afterMs: number; readonly cost: number }[]
}> = fc.record({
  rate: fc.record({
    perSecond: fc.double({ min: 0.5, max: 5_000, noNaN: true }),
    burst: fc.integer({ min: 1, max: 500 }),
  }),
  asks: fc.array(
    fc.record({
      afterMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(30), fc.nat(3_000)),
      cost: fc.oneof(fc.constant(1), fc.nat(20), fc.double({ min: 0, max: 2, noNaN: true })),
    }),
    { minLength: 1, maxLength: 80 },
  ),
})

/** By how much the window in which most was given passes what a bucket may give in it: what it holds, and what it gets meanwhile. Not above 0 for a bucket that is right. */
export function excessOf(grants: readonly Grant[], { perSecond, burst }: Rate): number {
  let worst = -Infinity
  for (const [from, { fromMs: begin }] of grants.entries()) {
    let given = 0
    for (const { toMs: end, cost } of grants.slice(from)) {
      given += cost
      worst = Math.max(worst, given - burst - (perSecond * (end - begin)) / 1_000)
    }
  }
  return worst
}
