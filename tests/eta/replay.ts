import { readFileSync, readdirSync } from 'node:fs'
import {
  type Pace,
  type Reach,
  etaOf,
  observe,
  paceOf,
  startMeter,
} from '../../packages/server/src/operations/meter.js'

/** How real work went: what was done at which millisecond. */
export interface Trace {
  readonly name: string
  readonly kind: 'steady' | 'bursty' | 'slowing'
  readonly what: string
  readonly unit: string
  readonly total: number
  readonly points: readonly (readonly [number, number])[]
}

/** What was told at one second, and what was true; in seconds. */
export interface Told {
  readonly at: number
  readonly truth: number
  readonly seconds: number
  readonly low: number
  readonly high: number
}

/** Every recording, by name: those on which the estimate was tuned (`traces`), those of which beside them the reach of the range was taught (`held-out`), or those of which nothing was (`fresh`). */
export function loadTraces(folder: 'traces' | 'held-out' | 'fresh'): Trace[] {
  const place = new URL(`${folder}/`, import.meta.url)
  const files = readdirSync(place).filter((name) => name.endsWith('.json'))
  return files.toSorted().map((name) => JSON.parse(readFileSync(new URL(name, place), 'utf8')) as Trace)
}

/** Seconds that the work took. */
export function durationOf({ points }: Trace): number {
  return (points.at(-1)?.[0] ?? 0) / 1_000
}

/** What the estimator has to go by at one second, and what is true. */
export interface Moment {
  readonly at: number
  readonly truth: number
  readonly remaining: number
  readonly pace: Pace
}

/** Every second of the work, from the first on at which there is evidence. */
export function momentsOf(trace: Trace): Moment[] {
  const duration = durationOf(trace)
  const moments: Moment[] = []
  let meter = startMeter(0)
  let next = 0
  for (let at = 1; at < duration; at += 1) {
    for (; (trace.points[next]?.[0] ?? Infinity) <= at * 1_000; next += 1) {
      const [ms, done] = trace.points[next] ?? [0, 0]
      meter = observe(meter, ms, done)
    }
    const pace = paceOf(meter, at * 1_000)
    const remaining = trace.total - (trace.points[next - 1]?.[1] ?? 0)
    if (pace !== undefined) moments.push({ at, truth: duration - at, remaining, pace })
  }
  return moments
}

/** What is told at a moment (default: with the reach that the estimator has); nothing at a standstill. */
export function tellAt({ at, truth, remaining, pace }: Moment, reach?: Reach): Told[] {
  const eta = etaOf(remaining, pace, reach)
  return eta === undefined ? [] : [{ at, truth, ...eta }]
}

/** What is told at every second of the work. */
export function replay(trace: Trace): Told[] {
  return momentsOf(trace).flatMap((moment) => tellAt(moment))
}

/** Whether the truth is in the range, which is told in tenths of seconds. */
export function isWithin({ truth, low, high }: Told): boolean {
  return truth >= low - 0.1 && truth <= high + 0.1
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

/** How good it was: the share of seconds at which the truth was in the range, the middle width of the range as a factor, and the middle error as a share of the truth. */
export function judge(told: readonly Told[]): {
  readonly within: number
  readonly width: number
  readonly error: number
} {
  return {
    within: told.filter(isWithin).length / told.length,
    width: median(told.map(({ low, high }) => high / Math.max(low, 0.1))),
    error: median(told.map(({ seconds, truth }) => Math.abs(seconds - truth) / Math.max(truth, 1))),
  }
}
