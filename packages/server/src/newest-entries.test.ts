import { expect, it } from 'vitest'
import { enter } from './newest-entries.js'

it('a table keeps its newest entries, and one that is put there again is new', () => {
  const table = new Map<string, number>()
  for (const [key, entry] of Object.entries({ a: 1, b: 2, c: 3 })) enter(table, key, entry, 3)
  enter(table, 'a', 4, 3)
  enter(table, 'd', 5, 3)
  expect([...table]).toEqual([
    ['c', 3],
    ['a', 4],
    ['d', 5],
  ])
})
