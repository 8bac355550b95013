import { describe, expect, it } from 'vitest'
import { changeoverHours } from './rules.js'

const matrix = { A: { B: 1, A: 6 }, B: { A: 0 }, __proto__: { A: 9 } }
const rules = { sameTypeHours: 4, differentTypeHours: 8, matrix, spacingHours: 0 }

describe('a changeover', () => {
  it.each([
    ['none before the first lot of a block', undefined, 'A', 0],
    ['what the matrix says', 'A', 'B', 1],
    ['what the matrix says of one type', 'A', 'A', 6],
    ['what it says the other way round', 'B', 'A', 0],
    ['that of the same type where the matrix is silent', 'B', 'B', 4],
    ['that of different types where the matrix is silent', 'A', 'C', 8],
    ['that of different types for what every object has', 'constructor', 'toString', 8],
    ['that of the same type for what every object has', '__proto__', '__proto__', 4],
  ])('takes %s', (_, from, to, hours) => {
    expect(changeoverHours(rules, from, to)).toBe(hours)
  })

  it('takes at least the spacing of lots, whatever their types', () => {
    const spaced = { ...rules, spacingHours: 5 }
    const pairs = [
      ['A', 'B'],
      ['A', 'A'],
      ['B', 'B'],
      ['B', 'C'],
    ] as const
    expect(pairs.map(([from, to]) => changeoverHours(spaced, from, to))).toEqual([5, 6, 5, 8])
    expect(changeoverHours(spaced, undefined, 'A')).toBe(0)
  })
})
