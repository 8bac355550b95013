import { describe, expect, it } from 'vitest'
import type { RunTimes } from '../store/store.js'
import { at } from '../store/testing/samples.js'
import { runTimesOf } from './run-times.js'

const ended = (strategy: RunTimes['strategy'], waited: number, took: number, status: RunTimes['status']): RunTimes => {
  return { strategy, status, createdAt: at(0), startedAt: at(waited), endedAt: at(waited + took) }
}

describe('times of runs', () => {
  it('are medians and the longest, by strategy: waits of all that began, durations of all that found a plan', () => {
    const times = [
      ended('exact', 1, 60, 'completed'),
      ended('exact', 3, 10, 'completed'),
      ended('exact', 9, 500, 'cancelled'),
      ended('spt-pack', 2, 0.5, 'failed'),
    ]
    expect(runTimesOf(times)).toEqual({
      exact: {
        ...{ begun: 3, median_wait_seconds: 3, longest_wait_seconds: 9 },
        ...{ completed: 2, median_run_seconds: 10, longest_run_seconds: 60 },
      },
      'spt-pack': {
        ...{ begun: 1, median_wait_seconds: 2, longest_wait_seconds: 2 },
        ...{ completed: 0, median_run_seconds: null, longest_run_seconds: null },
      },
    })
  })

  it('are none of what waits, and never negative where clocks of servers differ', () => {
    const waiting: RunTimes = { strategy: 'exact', status: 'pending', createdAt: at(0) }
    expect(runTimesOf([waiting])['exact']).toMatchObject({ begun: 0, median_wait_seconds: null, completed: 0 })
    expect(runTimesOf([ended('exact', -2, 1, 'completed')])['exact']).toMatchObject({ median_wait_seconds: 0 })
    expect(runTimesOf([])).toEqual({})
  })
})
