import type { OperationSnapshot } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { runFigures, shortWords, stateWords } from './run-figures.js'

const snapshot: OperationSnapshot = {
  id: 's1',
  kind: 'schedule',
  owner: 'ada',
  tenant: 'fill-scheduler',
  state: 'running',
  attempt: 1,
  version: 3,
  progress: { done: 40, total: 500, unit: 'lots', percent: 9, phase: { name: 'planning', index: 3, count: 5 } },
  elapsed: 12,
  updatedAt: '2025-01-01T00:00:00Z',
}

describe('figures of a run', () => {
  it('count lots where lots are placed', () => {
    expect(runFigures(snapshot)).toEqual([
      ['Lots placed', '40 of 500'],
      ['Running for', '12 s'],
    ])
  })

  it('tell best, bound and gap where a solver tells them', () => {
    const progress = { done: 0, percent: 60, message: 'improving, best 500.00 h, bound 490.00 h' }
    const eta = { seconds: 20, low: 10, high: 40 }
    expect(runFigures({ ...snapshot, progress, eta })).toEqual([
      ['Best so far', '500.00 h'],
      ['No plan is below', '490.00 h'],
      ['Gap', '2.00 %'],
      ['Time left', 'about 20 s, between 10 and 40'],
      ['Running for', '12 s'],
    ])
  })

  it('say what happens, also to a run that waits, is cancelled or was taken up again', () => {
    expect(stateWords(snapshot)).toBe('Planning (step 3 of 5)')
    expect(stateWords({ ...snapshot, attempt: 2 })).toBe('Planning (step 3 of 5), attempt 2')
    expect(stateWords({ ...snapshot, state: 'queued' })).toBe('Waiting for its turn')
    expect(stateWords({ ...snapshot, cancelRequested: true })).toBe('Cancelling')
    expect(stateWords({ ...snapshot, state: 'stalled' })).toContain('taken up again')
    const states = (['running', 'queued', 'stalled'] as const).map((state) => shortWords({ ...snapshot, state }))
    expect([...states, shortWords(undefined)]).toEqual(['9 %', 'waits', 'no word', '…'])
  })
})
