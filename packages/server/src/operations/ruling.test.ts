import { isTerminal } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OperationSpec } from './desk.js'
import { encodeRecord, parseRecord, showRecord } from './record.js'
import type { OperationRecord } from './record.js'
import { type Ruling, rule } from './ruling.js'
import { recordOf } from './spec.js'
import type { Word } from './word.js'

const TERMS = { idleMs: 86_400_000, childrenMax: 2 }
const SPEC: OperationSpec = { kind: 'import', owner: 'ada', total: 10 }

/** One operation, to which words are said one after the other. */
class Subject {
  record: OperationRecord
  now = 0

  constructor(spec: Partial<OperationSpec> = {}) {
    this.record = recordOf('acme', 'import-1', { ...SPEC, ...spec }, { now: 0, leaseMs: 30_000, stamp: 's' })
  }

  /** Says a word `afterMs` later; what it comes to is stored and read again. */
  say(word: Word, afterMs: number = 1_000): Ruling {
    this.now += afterMs
    const ruling = rule(this.record, word, this.now, TERMS)
    if (ruling.kind === 'changed') this.#store(ruling.record)
    return ruling
  }

  /** What the word comes to, in short. */
  heard(word: Word, afterMs?: number): string {
    const ruling = this.say(word, afterMs)
    return ruling.kind === 'changed' ? ruling.event : ruling.kind === 'refused' ? ruling.code : 'unchanged'
  }

  get snapshot(): OperationRecord['snapshot'] {
    return this.record.snapshot
  }

  #store(record: OperationRecord): void {
    const snapshot = showRecord(record, this.now, this.snapshot.version + 1)
    this.record = parseRecord(encodeRecord(record, JSON.stringify(snapshot)))
  }

  /** Its worker was silent for its lease. */
  lapse(): string {
    return this.heard({ do: 'due', lapsed: this.snapshot.version }, 30_000)
  }
}

const report = (members: Extract<Word, { do: 'report' }>['report']): Word => ({ do: 'report', report: members })
const complete: Word = { do: 'end', ending: { state: 'completed' } }

describe('a word', () => {
  it('of an older attempt is refused, whatever it is', () => {
    const subject = new Subject()
    expect(subject.heard({ do: 'attempt', force: true })).toBe('started')
    expect(subject.heard(report({ done: 1, attempt: 1 }))).toBe('stale_report')
    expect(subject.heard({ do: 'heartbeat', worker: { attempt: 1 } })).toBe('stale_report')
    expect(subject.heard({ do: 'end', ending: { state: 'completed', attempt: 1 } })).toBe('stale_report')
    expect(subject.heard(report({ done: 1, attempt: 3 }))).toBe('bad_request')
    expect(subject.heard(report({ done: 1, attempt: 2 }))).toBe('progress')
  })

  it('that came before changes nothing, by its number or by its place', () => {
    const subject = new Subject()
    expect(subject.heard(report({ advance: 1, sequence: 1, entry: '9-1' }))).toBe('progress')
    expect(subject.heard(report({ advance: 1, sequence: 1 }))).toBe('unchanged')
    expect(subject.heard(report({ advance: 1, entry: '9-1' }))).toBe('unchanged')
    expect(subject.heard(report({ advance: 1, entry: '9-0' }))).toBe('unchanged')
    expect(subject.heard(report({ advance: 1, entry: '10-0' }))).toBe('progress')
    expect(subject.heard({ do: 'attempt', force: true, entry: '10-0' })).toBe('unchanged')
    expect(subject.snapshot.progress.done).toBe(2)
  })
})

describe('an operation that waits for a worker', () => {
  it('takes no report and cannot complete before an attempt begins, which is its first', () => {
    const subject = new Subject({ queued: true })
    expect(subject.heard(report({ done: 1 }))).toBe('bad_request')
    expect(subject.heard(complete)).toBe('bad_request')
    expect(subject.snapshot).not.toHaveProperty('startedAt')
    expect(subject.heard({ do: 'attempt', force: false })).toBe('started')
    expect(subject.snapshot).toMatchObject({ state: 'running', attempt: 1, startedAt: '1970-01-01T00:00:03.000Z' })
  })

  it('is cancelled at once, and given up after its time', () => {
    expect(new Subject({ queued: true }).heard({ do: 'cancel' })).toBe('cancelled')
    const subject = new Subject({ queued: true })
    expect(subject.heard({ do: 'due', lapsed: undefined }, 86_399_999)).toBe('unchanged')
    expect(subject.heard({ do: 'due', lapsed: undefined }, 1)).toBe('expired')
    expect(subject.snapshot.error).toMatchObject({ code: 'expired', retryable: true })
  })
})

describe('a lease that lapsed', () => {
  it('stalls an operation, which any word of its worker takes up again', () => {
    const subject = new Subject()
    expect(subject.heard({ do: 'due', lapsed: undefined }, 60_000)).toBe('unchanged')
    expect(subject.lapse()).toBe('stalled')
    expect(subject.heard(report({ done: 4 }))).toBe('resumed')
    expect(subject.snapshot).toMatchObject({ state: 'running', attempt: 1, progress: { percent: 40 } })
    expect(subject.lapse()).toBe('stalled')
    expect(subject.heard({ do: 'heartbeat', worker: {} })).toBe('resumed')
    expect(subject.lapse()).toBe('stalled')
    expect(subject.heard(complete)).toBe('completed')
  })

  it('is none when the worker spoke after it was found', () => {
    const subject = new Subject()
    const { version } = subject.snapshot
    subject.say(report({ done: 1 }))
    expect(subject.heard({ do: 'due', lapsed: version }, 30_000)).toBe('unchanged')
  })

  it('cancels an operation that was to stop', () => {
    const subject = new Subject()
    expect(subject.heard({ do: 'cancel' })).toBe('progress')
    expect(subject.heard({ do: 'cancel' })).toBe('unchanged')
    expect(subject.lapse()).toBe('cancelled')
  })

  it('leaves an operation to another worker, whose attempt begins anew', () => {
    const subject = new Subject()
    subject.say(report({ done: 9 }))
    expect(subject.heard({ do: 'attempt', force: false })).toBe('already_held')
    subject.lapse()
    expect(subject.heard({ do: 'attempt', force: false })).toBe('started')
    expect(subject.snapshot).toMatchObject({ attempt: 2, progress: { done: 0, total: 10, percent: 0 } })
  })
})

describe('running time', () => {
  it('counts while an operation runs, and neither while it waits nor while it is stalled', () => {
    const subject = new Subject()
    subject.say(report({ done: 1 }), 10_000)
    subject.say(report({ state: 'waiting' }), 10_000)
    expect(subject.snapshot).toMatchObject({ state: 'waiting', elapsed: 20 })
    expect(subject.heard(report({ message: 'still' }), 100_000)).toBe('progress')
    expect(subject.snapshot).toMatchObject({ state: 'waiting', elapsed: 20 })
    subject.say(report({ state: 'running' }), 100_000)
    subject.say(report({ done: 2 }), 5_000)
    expect(subject.snapshot.elapsed).toBe(25)
    expect(subject.lapse()).toBe('stalled')
    subject.say(report({ done: 3 }), 1_000_000)
    expect(subject.snapshot.elapsed).toBe(55)
  })

  it('ends with the time that an operation had', () => {
    const subject = new Subject({ expireAfter: '1m' })
    expect(subject.snapshot.expiresAt).toBe('1970-01-01T00:01:00.000Z')
    subject.say(report({ done: 1 }), 59_000)
    expect(subject.heard({ do: 'due', lapsed: undefined }, 1_000)).toBe('expired')
  })
})

describe('a parent', () => {
  const child = (id: string, fraction: number, state: 'running' | 'completed' | 'failed', weight = 1): Word => ({
    do: 'child',
    id,
    weight,
    fraction,
    state,
  })

  it('is as far as its children are, by their weights, and does not complete before them unless told so', () => {
    const subject = new Subject({ total: 100 })
    subject.say(child('a', 0, 'running', 3))
    subject.say(child('b', 0.5, 'running'))
    expect(subject.snapshot).toMatchObject({ progress: { percent: 12.5 }, children: { total: 2, running: 2 } })
    expect(subject.heard(report({ done: 99 }))).toBe('progress')
    expect(subject.snapshot.progress).toMatchObject({ done: 99, percent: 12.5 })
    subject.say(child('a', 1, 'completed', 3))
    expect(subject.heard(child('a', 0.2, 'running', 3))).toBe('unchanged')
    expect(subject.snapshot).toMatchObject({ progress: { percent: 87.5 }, children: { running: 1, completed: 1 } })
    expect(subject.heard(complete)).toBe('children_running')
    expect(subject.heard(child('c', 0, 'running'))).toBe('limit_exceeded')
    subject.say(child('b', 0.5, 'failed'))
    expect(subject.heard(complete)).toBe('completed')
  })

  it('completes before its children when told so, and hears no more of them', () => {
    const subject = new Subject()
    subject.say(child('a', 0, 'running'))
    expect(subject.heard({ do: 'end', ending: { state: 'completed', regardless: true } })).toBe('completed')
    expect(subject.heard(child('a', 1, 'completed'))).toBe('unchanged')
  })
})

describe('a record of an older version', () => {
  it('is gone on with', () => {
    const { snapshot } = new Subject()
    const shown = { ...snapshot, progress: { done: 4, total: 10, percent: 40 }, elapsed: 7 }
    const record = parseRecord(JSON.stringify({ snapshot: shown, sharedWith: ['bob'] }))
    const ruling = rule(record, report({ done: 5 }), 1_000, TERMS)
    const next = ruling.kind === 'changed' ? showRecord(ruling.record, 1_000, 2) : undefined
    expect(next).toMatchObject({ progress: { done: 5, total: 10, percent: 50 }, elapsed: 8, version: 2 })
  })

  it('gets an estimate with a range, though its average was never looked at', () => {
    const subject = new Subject({ total: 100 })
    for (let done = 1; done <= 5; done += 1) subject.say(report({ done }), 1_000)
    const { snapshot, sharedWith, work } = subject.record
    const { markedAt: _at, marked: _value, wander: _sum, wandered: _time, ...older } = work.overall
    const text = JSON.stringify({ snapshot, sharedWith, work: { ...work, overall: older, units: older } })
    const ruling = rule(parseRecord(text), report({ done: 6 }), subject.now + 1_000, TERMS)
    const next = ruling.kind === 'changed' ? showRecord(ruling.record, subject.now + 1_000, 9) : undefined
    expect(next?.eta?.low).toBeGreaterThan(0)
    expect(next?.eta?.high).toBeGreaterThan(next?.eta?.seconds ?? Infinity)
  })
})

describe('whatever is said in whatever order', () => {
  const worker = fc.record({ attempt: fc.integer({ min: 1, max: 4 }), sequence: fc.nat(20) }, { requiredKeys: [] })
  const word: fc.Arbitrary<Word> = fc.oneof(
    fc
      .tuple(worker, fc.constantFrom({ advance: 3 }, { done: 2 }, { done: 30 }, { percent: 40 }, { total: 50 }))
      .map(([who, told]) => report({ ...who, ...told })),
    fc.tuple(worker, fc.constantFrom('a', 'b', 'other')).map(([who, phase]) => report({ ...who, phase })),
    fc.constantFrom<Word>(report({ state: 'waiting' }), report({ state: 'running' })),
    worker.map((who): Word => ({ do: 'heartbeat', worker: who })),
    fc
      .tuple(worker, fc.constantFrom('completed' as const, 'cancelled' as const))
      .map(([who, state]): Word => ({ do: 'end', ending: { ...who, state } })),
    worker.map((who): Word => ({ do: 'end', ending: { ...who, state: 'failed', error: { message: 'no' } } })),
    fc.boolean().map((force): Word => ({ do: 'attempt', force })),
    fc.constant<Word>({ do: 'cancel' }),
    fc.constant<Word>({ do: 'due', lapsed: undefined }),
    fc
      .tuple(fc.constantFrom('x', 'y', 'z'), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([id, fraction]): Word => ({ do: 'child', id, weight: 1, fraction, state: 'running' })),
  )
  const step = fc.record({ word, lapses: fc.boolean(), afterMs: fc.constantFrom(1, 1_000, 40_000, 86_400_000) })

  it('an operation ends once, nothing follows its end, versions rise, and the percentage of an attempt never falls', () => {
    const spec = fc.record({
      queued: fc.boolean(),
      phases: fc.constantFrom([], [{ name: 'a', weight: 2 }, { name: 'b' }]),
    })
    fc.assert(
      fc.property(spec, fc.array(step, { maxLength: 40 }), (given, steps) => {
        const subject = new Subject(given)
        let ends = 0
        let [attempt, percent] = [1, 0]
        for (const { word: said, lapses, afterMs } of steps) {
          const before = subject.snapshot
          const isDue = said.do === 'due' && lapses
          const ruling = subject.say(isDue ? { do: 'due', lapsed: before.version } : said, afterMs)
          const after = subject.snapshot
          if (isTerminal(before.state)) expect(after).toEqual(before)
          if (ruling.kind !== 'changed') continue
          expect(after.version).toBe(before.version + 1)
          expect(after.attempt).toBeGreaterThanOrEqual(before.attempt)
          if (after.attempt !== attempt) [attempt, percent] = [after.attempt, 0]
          expect(after.progress.percent ?? percent).toBeGreaterThanOrEqual(percent)
          percent = after.progress.percent ?? percent
          expect(percent).toBeLessThanOrEqual(100)
          if (isTerminal(after.state)) ends += 1
        }
        expect(ends).toBe(isTerminal(subject.snapshot.state) ? 1 : 0)
      }),
      { numRuns: 2_000 },
    )
  })
})
