import { describe, expect, it } from 'vitest'
import { pairedRatios, quartiles } from './statistics.js'

describe('quartiles', () => {
  it('are the values themselves where the ranks are whole', () => {
    expect(quartiles([5, 1, 4, 2, 3])).toEqual({ low: 2, median: 3, high: 4, count: 5 })
  })

  it('are interpolated between neighbours where the ranks are not', () => {
    expect(quartiles([4, 1, 3, 2])).toEqual({ low: 1.75, median: 2.5, high: 3.25, count: 4 })
  })

  it('of one value are that value', () => {
    expect(quartiles([7])).toEqual({ low: 7, median: 7, high: 7, count: 1 })
  })

  it('order numbers as numbers and leave the input as it was', () => {
    const values = [10, 9, 100]
    expect(quartiles(values).median).toBe(10)
    expect(values).toEqual([10, 9, 100])
  })

  it('of nothing are refused', () => {
    expect(() => quartiles([])).toThrow(RangeError)
  })
})

describe('paired ratios', () => {
  it('divide each slice by the slice that stood beside it', () => {
    expect(pairedRatios([20, 30, 80], [10, 10, 40])).toEqual([2, 3, 2])
  })

  it('do not see a slowdown that both shared', () => {
    const ratios = pairedRatios([20, 60, 20], [10, 30, 10])
    expect(quartiles(ratios)).toEqual({ low: 2, median: 2, high: 2, count: 3 })
  })

  it('refuse rows of different length', () => {
    expect(() => pairedRatios([1, 2], [1])).toThrow('equally many, received 2 and 1')
  })

  it('refuse a cost of nothing', () => {
    expect(() => pairedRatios([1], [0])).toThrow('above zero, received 0')
  })
})
