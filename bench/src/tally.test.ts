import { describe, expect, it } from 'vitest'
import { SequenceTally, addFaults, faultCount } from './tally.js'

function tallyOf(sequences: readonly number[]): SequenceTally {
  const tally = new SequenceTally()
  for (const sequence of sequences) tally.note(sequence)
  return tally
}

describe('a tally', () => {
  it('finds no fault in a whole sequence', () => {
    expect(faultCount(tallyOf([0, 1, 2, 3]).faults(4))).toBe(0)
  })

  it('counts what was skipped and what never came as lost', () => {
    expect(tallyOf([0, 3]).faults(6)).toEqual({ lost: 4, duplicated: 0, reordered: 0 })
  })

  it('counts what came late as reordered and not as lost', () => {
    expect(tallyOf([0, 2, 1, 3]).faults(4)).toEqual({ lost: 0, duplicated: 0, reordered: 1 })
  })

  it('counts what came again as doubled, and does not take it for new', () => {
    const tally = tallyOf([0, 1])
    expect(tally.note(1)).toBe(false)
    expect(tally.note(2)).toBe(true)
    expect(tally.faults(3)).toEqual({ lost: 0, duplicated: 1, reordered: 0 })
  })

  it('adds to those of others', () => {
    const sum = addFaults(tallyOf([1]).faults(2), tallyOf([0, 0]).faults(2))
    expect(sum).toEqual({ lost: 2, duplicated: 1, reordered: 0 })
  })
})
