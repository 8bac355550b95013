import type { Reach } from '../../packages/server/src/operations/meter.js'
import { type Moment, type Told, type Trace, momentsOf, tellAt } from './replay.js'

/** How often the truth may be outside the range, on a kind of work that is none of those of which the reach was taught. */
const MISSED = 0.2

/** The reach is a multiple of this, and at most so many times it. */
const STEP = 0.01
const STEPS_MAX = 400

/** Recordings of one kind of work, which stay together on one side of every split: all downloads are one kind. */
export interface Work {
  readonly name: string
  /** Of each recorded shape of it: what there was to go by, in all recordings. */
  readonly shapes: readonly (readonly Moment[])[]
}

/** The kinds of work among recordings, by name. */
export function worksOf(traces: readonly Trace[]): Work[] {
  const names = new Set(traces.map(({ name }) => wordsOf(name, 1)))
  return [...names].toSorted().map((name) => {
    const own = traces.filter((trace) => wordsOf(trace.name, 1) === name)
    const shapes = new Set(own.map((trace) => wordsOf(trace.name, 2)))
    const ofShape = (shape: string): Trace[] => own.filter((trace) => wordsOf(trace.name, 2) === shape)
    return { name, shapes: [...shapes].map((shape) => ofShape(shape).flatMap(momentsOf)) }
  })
}

/**
 * The least reach with which the truth is outside the range no more than 20 % of the time on one more kind of work, half of that below it and half above; each kind counts the same, however long it was recorded.
 *
 * No distribution is assumed, the misses are counted. Moments of one recording are like each other: what is unlike are kinds of work, so they are what is counted, and the one to come is
 * counted among them as missed throughout (conformal risk control: Angelopoulos et al., 2022, theorem 1). The fewer kinds there are, the less may be missed on them.
 */
export function calibrate(works: readonly Work[]): Reach {
  const allowed = Math.max(0, (MISSED * (works.length + 1) - 1) / works.length / 2)
  return {
    low: leastReach(
      (low) => missed(works, { low, high: 0 }, ({ truth, low: least }) => truth < least - 0.1) <= allowed,
    ),
    high: leastReach(
      (high) => missed(works, { low: 0, high }, ({ truth, high: most }) => truth > most + 0.1) <= allowed,
    ),
  }
}

/** The farther it reaches, the less is missed. */
function leastReach(isEnough: (reach: number) => boolean): number {
  let [enough, tooLittle] = [STEPS_MAX, -1]
  while (enough - tooLittle > 1) {
    const middle = Math.floor((enough + tooLittle) / 2)
    if (isEnough(middle * STEP)) enough = middle
    else tooLittle = middle
  }
  return enough * STEP
}

function missed(works: readonly Work[], reach: Reach, isMissed: (told: Told) => boolean): number {
  return mean(works.map(({ shapes }) => mean(shapes.map((moments) => share(moments, reach, isMissed)))))
}

function share(moments: readonly Moment[], reach: Reach, isMissed: (told: Told) => boolean): number {
  const told = moments.flatMap((moment) => tellAt(moment, reach))
  return told.filter(isMissed).length / told.length
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function wordsOf(name: string, count: number): string {
  return name.split('-').slice(0, count).join('-')
}
