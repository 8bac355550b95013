import { describe, expect, it } from 'vitest'
import { type Acknowledged, type Told, checkHistory } from './history-checker.js'

const begun = (offset: number): Told => ({ kind: 'begun', offset })
const message = (offset: number, id: string = `m${offset}`): Told => ({ kind: 'message', offset, id })
const gap = (from: number, to: number | null): Told => ({ kind: 'gap', from, to, reason: 'trimmed' })
const stored = (offset: number, epoch: string = 'one', id: string = `m${offset}`): Acknowledged => ({
  epoch,
  offset,
  id,
})

describe('the history checker', () => {
  it('passes what is in order and complete', () => {
    const told = [begun(3), message(4), message(5), begun(5), message(6)]
    expect(checkHistory(told, [stored(4), stored(5), stored(6)])).toEqual([])
  })

  it('passes what a gap announces, within an epoch and over its end', () => {
    const told = [begun(0), message(1), gap(2, 3), message(4), gap(5, null), message(1, 'n1')]
    const acknowledged = [stored(1), stored(3), stored(4), stored(5), stored(1, 'two', 'n1')]
    expect(checkHistory(told, acknowledged)).toEqual([])
  })

  it.each([
    ['a message told twice', [begun(0), message(1), message(1)], [stored(1)], 2],
    ['a hole', [begun(0), message(1), message(3)], [stored(1), stored(3)], 1],
    ['an order turned round', [begun(0), message(2), message(1)], [stored(1), stored(2)], 2],
    ['an end that is missing', [begun(0), message(1)], [stored(1), stored(2)], 1],
    ['another message at an offset', [begun(0), message(1, 'other')], [stored(1)], 1],
    ['a gap that begins elsewhere', [begun(0), message(1), gap(3, 4)], [stored(1)], 1],
    [
      'a new log that begins in the middle',
      [begun(0), message(1), gap(2, null), message(2, 'n2')],
      [stored(2, 'two', 'n2')],
      1,
    ],
    ['a message missing from the log in force, whatever gap was told before', [begun(0), gap(1, null)], [stored(1)], 1],
    ['a message before the beginning', [message(1)], [stored(1)], 1],
  ])('finds %s', (_what, told, acknowledged, violations) => {
    expect(checkHistory(told, acknowledged)).toHaveLength(violations)
  })
})
