import { expect, it } from 'vitest'
import * as z from 'zod'
import { checked } from './checked.js'
import { duration } from './duration.js'

const take = (lease: unknown): unknown => checked(z.strictObject({ lease: duration }), { lease }, 'body')

it('a duration is milliseconds, or text with a unit', () => {
  expect([take(250), take('30s'), take('36525d')]).toEqual([{ lease: 250 }, { lease: '30s' }, { lease: '36525d' }])
})

it.each([
  ['soon', 'lease must be milliseconds or text such as 30s, 5m, 1h or 7d'],
  ['1.5s', 'lease must be milliseconds or text such as 30s, 5m, 1h or 7d'],
  [-1, 'lease must be milliseconds or text such as 30s, 5m, 1h or 7d'],
  [1.5, 'lease must be milliseconds or text such as 30s, 5m, 1h or 7d'],
  [null, 'lease must be milliseconds or text such as 30s, 5m, 1h or 7d'],
  ['36526d', 'lease must be at most a century: 36525d'],
])('of %j is said what it must be', (lease, message) => {
  expect(() => take(lease)).toThrow(message)
})
