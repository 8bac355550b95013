import type { OperationProgress } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type PhaseSpec,
  type Plan,
  type ProgressReport,
  type ProgressState,
  beginProgress,
  enterPhase,
  finishProgress,
  readPlan,
  showProgress,
  takeReport,
} from './progress.js'

/** Progress over its states. */
class Progress {
  readonly #plan: Plan
  #state: ProgressState

  constructor(phases: readonly PhaseSpec[], start: ProgressReport) {
    this.#plan = readPlan(phases)
    this.#state = beginProgress(this.#plan, start)
  }

  report(report: ProgressReport): void {
    this.#state = takeReport(this.#plan, this.#state, report)
  }

  enter(name: string, start: ProgressReport): void {
    this.#state = enterPhase(this.#plan, this.#state, name, start)
  }

  finished(): OperationProgress {
    return showProgress(this.#plan, finishProgress(this.#state))
  }

  snapshot(): OperationProgress {
    return showProgress(this.#plan, this.#state)
  }
}

const percentOf = (progress: Progress): number | undefined => progress.snapshot().percent

describe('progress', () => {
  it('is the share of the total', () => {
    const progress = new Progress([], { total: 8, unit: 'files' })
    expect(progress.snapshot()).toEqual({ done: 0, total: 8, unit: 'files', percent: 0 })
    progress.report({ done: 3 })
    expect(progress.snapshot()).toEqual({ done: 3, total: 8, unit: 'files', percent: 37.5 })
  })

  it('is what the worker says, where it knows nothing else, until it counts', () => {
    const progress = new Progress([{ name: 'a' }, { name: 'b' }], {})
    progress.enter('a', { percent: 50 })
    expect(progress.snapshot()).toMatchObject({ done: 0, percent: 25 })
    progress.report({ done: 4, total: 4 })
    expect(percentOf(progress)).toBe(50)
    progress.report({ done: 3 })
    expect(progress.snapshot()).toMatchObject({ done: 3, percent: 50 })
  })

  it('has no percentage while there is no total', () => {
    const progress = new Progress([], {})
    progress.report({ done: 3, item: 'a.txt', message: 'reading' })
    expect(progress.snapshot()).toEqual({ done: 3, item: 'a.txt', message: 'reading' })
  })

  it('is 0 % of a total of 0, and 100 % when it is finished', () => {
    const progress = new Progress([], { total: 0 })
    expect(percentOf(progress)).toBe(0)
    expect(progress.finished()).toMatchObject({ done: 0, percent: 100 })
  })

  it('stays where it is when the total grows', () => {
    const progress = new Progress([], { total: 100 })
    progress.report({ done: 50 })
    progress.report({ total: 1_000 })
    expect(percentOf(progress)).toBe(50)
    progress.report({ done: 500 })
    expect(percentOf(progress)).toBe(50)
    progress.report({ done: 600 })
    expect(percentOf(progress)).toBe(60)
  })

  it('T-122 stays where it is when done falls, and says what is done', () => {
    const progress = new Progress([], { total: 10 })
    progress.report({ done: 9 })
    progress.report({ done: 2 })
    expect(progress.snapshot()).toMatchObject({ done: 2, percent: 90 })
  })

  it('T-122 is at most 100 %', () => {
    const progress = new Progress([], { total: 10 })
    progress.report({ done: 11 })
    expect(percentOf(progress)).toBe(100)
  })

  it('is complete when it is finished, whatever was reported, and unchanged until then', () => {
    const progress = new Progress([], { total: 10 })
    progress.report({ done: 3 })
    expect(progress.finished()).toMatchObject({ done: 10, total: 10, percent: 100 })
    expect(progress.snapshot()).toMatchObject({ done: 3, percent: 30 })
  })

  it.each<[ProgressReport]>([[{ done: -1 }], [{ done: Number.NaN }], [{ done: Infinity }], [{ total: -1 }]])(
    'refuses %j',
    (report) => {
      const progress = new Progress([], {})
      expect(() => progress.report(report)).toThrow(expect.objectContaining({ code: 'bad_request' }))
    },
  )

  it('cuts what would not fit a snapshot', () => {
    const long = 'x'.repeat(5_000)
    const progress = new Progress([{ name: long }], { unit: long, item: long, message: long })
    progress.enter(long, { item: long })
    const { unit = '', item = '', phase } = progress.snapshot()
    expect([unit.length, item.length, phase?.name.length]).toEqual([32, 1_024, 128])
  })
})

describe('progress in phases', () => {
  const phases = [{ name: 'scan', weight: 1 }, { name: 'read', weight: 8 }, { name: 'write' }]

  it('weighs each phase', () => {
    const progress = new Progress(phases, {})
    expect(percentOf(progress)).toBeUndefined()
    progress.enter('scan', { total: 4 })
    progress.report({ done: 2 })
    expect(progress.snapshot()).toMatchObject({ percent: 5, phase: { name: 'scan', index: 1, count: 3 } })
    progress.enter('read', { total: 2 })
    expect(percentOf(progress)).toBe(10)
    progress.report({ done: 1 })
    expect(percentOf(progress)).toBe(50)
    progress.enter('write', {})
    expect(progress.snapshot()).toEqual({ done: 0, percent: 90, phase: { name: 'write', index: 3, count: 3 } })
  })

  it('does not fall back with a phase that begins again', () => {
    const progress = new Progress(phases, {})
    progress.enter('write', {})
    progress.enter('scan', {})
    expect(progress.snapshot()).toMatchObject({ percent: 90, phase: { name: 'scan' } })
  })

  it('takes a phase that was not announced for a message', () => {
    const progress = new Progress(phases, {})
    progress.enter('read', { total: 2, done: 2 })
    progress.enter('cleaning up', { total: 5 })
    expect(progress.snapshot()).toMatchObject({ message: 'cleaning up', percent: 90, phase: { name: 'read' } })
  })

  it('counts by units where no phase weighs anything', () => {
    const progress = new Progress([{ name: 'a', weight: 0 }], {})
    progress.enter('a', { total: 2 })
    progress.report({ done: 1 })
    expect(percentOf(progress)).toBe(0)
  })

  it.each([-1, Number.NaN, Infinity])('refuses the weight %s', (weight) => {
    expect(() => new Progress([{ name: 'a', weight }], {})).toThrow('phases.weight must be a number from 0')
  })
})

describe('the percentage', () => {
  it('T-122 never falls and stays within 0 and 100, whatever is reported', () => {
    const number = fc.oneof(fc.nat(1_000), fc.double({ min: 0, max: 1e9, noNaN: true }))
    const report = fc.record({ done: number, total: number }, { requiredKeys: [] })
    const name = fc.constantFrom('a', 'b', 'c', 'unannounced')
    const step = fc.oneof(report, fc.tuple(name, report))
    const phases = fc.array(fc.record({ name, weight: fc.nat(5) }), { maxLength: 4 })
    fc.assert(
      fc.property(phases, fc.array(step, { maxLength: 40 }), (specs, steps) => {
        const progress = new Progress(specs, {})
        let before = 0
        for (const one of steps) {
          if (Array.isArray(one)) progress.enter(one[0], defined(one[1]))
          else progress.report(defined(one))
          const percent = percentOf(progress) ?? before
          expect(percent).toBeGreaterThanOrEqual(before)
          expect(percent).toBeLessThanOrEqual(100)
          before = percent
        }
        expect(progress.finished().percent).toBe(100)
      }),
      { numRuns: 500 },
    )
  })
})

function defined(report: { done?: number | undefined; total?: number | undefined }): ProgressReport {
  return {
    ...(report.done !== undefined && { done: report.done }),
    ...(report.total !== undefined && { total: report.total }),
  }
}
