import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { etaOf, observe, paceOf, startMeter } from '../../packages/server/src/operations/meter.js'
import { printFigures } from '../kit/figures.js'
import { chartOf } from './chart.js'
import { type Trace, judge, loadTraces, replay } from './replay.js'

/** The truth is in the range so often, over all recordings, and at least so often of each kind. */
const WITHIN = 0.8
const KIND_WITHIN = 0.75
/** So often over recordings of other work. */
const HELD_OUT_WITHIN = 0.7
/** And the range is no wider than this factor, in the middle: it must not be right by saying nothing. */
const WIDTH_MAX = 4.5
const STEADY_WIDTH_MAX = 3
const STEADY_ERROR_MAX = 0.1

const KINDS = ['steady', 'bursty', 'slowing'] as const
const traces = loadTraces('traces')
const of = (kind: Trace['kind']): Trace[] => traces.filter((trace) => trace.kind === kind)

describe('the time to go, replayed on recorded work', () => {
  it('is within the range that was told four times out of five, and the range is not wide for it', () => {
    const all = judge(traces.flatMap(replay))
    printFigures('eta', Object.fromEntries(traces.map((trace) => [trace.name, inWords(trace)])))
    printFigures('eta, all', { seconds: traces.flatMap(replay).length, ...all })
    expect(all.within).toBeGreaterThanOrEqual(WITHIN)
    expect(all.width).toBeLessThanOrEqual(WIDTH_MAX)
  })

  it.each(KINDS)('is so three times out of four for %s work alone', (kind) => {
    expect(of(kind).length).toBeGreaterThanOrEqual(4)
    const { within } = judge(of(kind).flatMap(replay))
    expect(within).toBeGreaterThanOrEqual(KIND_WITHIN)
  })

  it('is exact, and says so, where work is steady', () => {
    const { error, width } = judge(of('steady').flatMap(replay))
    expect(error).toBeLessThanOrEqual(STEADY_ERROR_MAX)
    expect(width).toBeLessThanOrEqual(STEADY_WIDTH_MAX)
  })

  it('is told from the third report on, but for the first second', () => {
    const late = traces.filter(
      (trace) => (replay(trace)[0]?.at ?? Infinity) > Math.max(1, (trace.points[2]?.[0] ?? 0) / 1_000) + 2,
    )
    expect(late.map(({ name }) => name)).toEqual([])
  })
})

describe('the time to go of work on which the numbers of the estimator were not chosen', () => {
  const others = loadTraces('held-out')

  it('is within the range that was told seven times out of ten', () => {
    printFigures('eta, held out', Object.fromEntries(others.map((trace) => [trace.name, inWords(trace)])))
    for (const kind of KINDS) {
      const told = others.filter((trace) => trace.kind === kind).flatMap(replay)
      printFigures(`eta, held out, ${kind}`, { seconds: told.length, ...judge(told) })
    }
    const all = judge(others.flatMap(replay))
    printFigures('eta, held out, all', { seconds: others.flatMap(replay).length, ...all })
    expect(all.within).toBeGreaterThanOrEqual(HELD_OUT_WITHIN)
  })
})

describe('work that stalls', () => {
  const stalled = of('steady').map((trace) => ({ trace, at: 15_000 }))

  /** The range at a second after the work stopped; `says`: it still reports, that nothing has changed. */
  function after({ trace, at }: (typeof stalled)[number], seconds: number, says: boolean): number {
    let meter = startMeter(0)
    const before = trace.points.filter(([ms]) => ms <= at)
    for (const [ms, done] of before) meter = observe(meter, ms, done)
    const done = before.at(-1)?.[1] ?? 0
    if (says) for (let ms = at; ms <= at + seconds * 1_000; ms += 500) meter = observe(meter, ms, done)
    const pace = paceOf(meter, at + seconds * 1_000)
    return (pace && etaOf(trace.total - done, pace)?.seconds) ?? Infinity
  }

  it.each([true, false])('is seen within five seconds, whether it still reports (%s) or not', (says) => {
    for (const one of stalled) {
      expect(after(one, 5, says)).toBeGreaterThan(after(one, 0, says) * 1.5)
      expect(after(one, 10, says)).toBeGreaterThan(after(one, 0, says) * 4)
    }
  })
})

describe('the pictures of the documentation', () => {
  it.each(KINDS)('show %s work as it is computed now', (kind) => {
    const file = new URL(`../../docs/images/eta-${kind}.svg`, import.meta.url)
    const chart = chartOf(of(kind))
    if (process.env['UPDATE_ETA'] === '1') writeFileSync(file, chart)
    expect(existsSync(file), 'run the test with UPDATE_ETA=1').toBe(true)
    const drawn = readFileSync(file, 'utf8')
    expect(chart.replaceAll(NUMBER, '')).toBe(drawn.replaceAll(NUMBER, ''))
    // Another version of the engine may round another way.
    const [now, before] = [numbersOf(chart), numbersOf(drawn)]
    expect(now.every((value, index) => Math.abs(value - (before[index] ?? NaN)) <= 1)).toBe(true)
  })
})

const NUMBER = /-?\d+(?:\.\d+)?/g

function numbersOf(chart: string): number[] {
  return (chart.match(NUMBER) ?? []).map(Number)
}

function inWords(trace: Trace): string {
  const { within, width, error } = judge(replay(trace))
  return `${Math.round(within * 100)} % within, ${width.toFixed(2)} wide, ${Math.round(error * 100)} % wrong`
}
