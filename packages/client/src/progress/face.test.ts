import type { OperationSnapshot } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../errors.js'
import { type Face, faceOf } from './face.js'

function snapshot(more: Partial<OperationSnapshot> = {}): OperationSnapshot {
  return {
    id: 'import-42',
    kind: 'import',
    label: 'Customers',
    owner: 'ada',
    tenant: 'acme',
    state: 'running',
    attempt: 1,
    version: 3,
    progress: { done: 630, total: 1500, unit: 'rows', percent: 42, phase: { name: 'Reading', index: 2, count: 3 } },
    rate: 120,
    elapsed: 12,
    eta: { seconds: 120, low: 60, high: 240 },
    updatedAt: '2026-01-01T00:00:00.000Z',
    metadata: {},
    ...more,
  }
}

const face = (more: { [N in keyof OperationSnapshot]?: OperationSnapshot[N] | undefined } = {}, watched = {}): Face =>
  faceOf({ operation: 'import-42', status: 'open', snapshot: snapshot(more as Partial<OperationSnapshot>), ...watched })

describe('what is shown of an operation', () => {
  it('says how far it is, how fast, and how long it takes', () => {
    expect(face()).toMatchObject({
      look: 'running',
      label: 'Customers',
      state: 'Running',
      percent: '42%',
      value: 42,
      figures: ['Reading (2 of 3)', '630 of 1,500 rows', '120 rows/s', 'about 2 min, 1 to 4'],
      spoken: '42 percent, Reading (2 of 3), 630 of 1,500 rows',
      announcement: 'Reading (2 of 3)',
      note: '',
      mayCancel: true,
    })
  })

  it('does not invent a percentage', () => {
    expect(face({ progress: { done: 3 }, eta: undefined })).toMatchObject({ percent: '', value: undefined })
  })

  it('says how long it runs where there is nothing else to say', () => {
    const quiet = { progress: { done: 0 }, eta: undefined }
    expect(face(quiet, { heardSeconds: 7.2 }).state).toBe('Running for 19 s')
    expect(face({ ...quiet, attempt: 2 }).state).toBe('Running for 12 s, attempt 2')
    expect(face({ attempt: 2 }, { heardSeconds: 7.2 }).state).toBe('Running, attempt 2')
  })

  it('tells an item from a message', () => {
    const both = { done: 0, item: 'src/a.ts', message: 'Reading' }
    expect(face({ progress: both })).toMatchObject({ item: 'src/a.ts', message: '' })
    expect(face({ progress: { done: 0, message: 'Reading' } })).toMatchObject({ item: '', message: 'Reading' })
  })

  it('announces the same while only the numbers change', () => {
    const at = (done: number): string =>
      face({ progress: { ...snapshot().progress, done, percent: done / 15 } }).announcement
    expect(new Set([at(1), at(700), at(1400)]).size).toBe(1)
  })

  it('says how long a worker has been silent, and promises nothing meanwhile', () => {
    const shown = face({ state: 'stalled' }, { silentSeconds: 40.7 })
    expect(shown.state).toBe('Stalled: no word from the worker for 40 s')
    expect(shown.figures).toEqual(['Reading (2 of 3)', '630 of 1,500 rows'])
    expect(shown.announcement).toBe('Stalled: no word from the worker')
  })

  it.each([
    ['queued', 'Waits for a worker'],
    ['waiting', 'Waiting'],
    ['completed', 'Completed after 12 s'],
    ['failed', 'Failed after 12 s'],
    ['cancelled', 'Cancelled after 12 s'],
    ['expired', 'Expired after 12 s'],
  ] as const)('calls %s "%s"', (state, text) => expect(face({ state }).state).toBe(text))

  it('shows the result of what completed, and why what failed did', () => {
    expect(face({ state: 'completed', result: { imported: 1500 } })).toMatchObject({
      value: 100,
      result: [['Imported', '1,500']],
      mayCancel: false,
      problem: '',
    })
    const error = { code: 'disk_full', message: 'No space left', retryable: true }
    expect(face({ state: 'failed', error })).toMatchObject({
      problem: 'No space left',
      announcement: 'Failed: No space left',
      result: [],
    })
  })

  it('says when it is the last that is known, but not of an end', () => {
    expect(face({}, { status: 'waiting' }).note).toBe('Reconnecting; this is the last that is known')
    expect(face({}, { status: 'failed' }).note).toBe('Disconnected; this is the last that is known')
    expect(face({ state: 'completed' }, { status: 'waiting' }).note).toBe('')
  })

  it('shows that a cancel is under way, and which attempt it is', () => {
    expect(face({ cancelRequested: true })).toMatchObject({ state: 'Cancelling', isCancelling: true })
    expect(face({ attempt: 2 }).state).toBe('Running, attempt 2')
  })

  it('says the same of what does not exist and of what is not ours', () => {
    const of = (code: string): Face =>
      faceOf({ operation: 'x', status: 'open', error: new HoldfastError(code, 'whatever it says') })
    expect(of('not_found')).toEqual(of('permission_denied'))
    expect(of('not_found')).toMatchObject({ look: 'unknown', problem: 'There is no operation x, or it is not yours' })
    expect(of('disconnected').problem).toBe('whatever it says')
  })

  it('keeps what was known of one that is gone, and says so', () => {
    const error = new HoldfastError('not_found', 'whatever it says')
    expect(face({}, { error, status: 'open' })).toMatchObject({
      look: 'unknown',
      value: 42,
      problem: 'The operation is gone, or not yours any more',
      mayCancel: false,
    })
    expect(face({ state: 'completed' }, { error })).toMatchObject({ look: 'completed', problem: '' })
  })

  it('says why it was not cancelled', () => {
    const refusal = new HoldfastError('rate_limited', 'Too often')
    expect(face({}, { refusal })).toMatchObject({ problem: 'Too often', mayCancel: true })
    expect(face({ cancelRequested: true }, { refusal }).problem).toBe('')
  })

  it('waits for the first snapshot, and for an operation', () => {
    expect(faceOf({ operation: 'x', status: 'connecting' })).toMatchObject({ look: 'loading', note: 'Connecting' })
    expect(faceOf({ operation: '', status: 'idle' })).toMatchObject({ look: 'idle', value: undefined })
  })
})
