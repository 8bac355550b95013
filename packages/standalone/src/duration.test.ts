import { expect, it } from 'vitest'
import { parseDuration } from './duration.js'

it('reads durations with a unit', () => {
  expect(['500ms', '30s', '5m', '1.5h', '7d'].map(parseDuration)).toEqual([
    500, 30_000, 300_000, 5_400_000, 604_800_000,
  ])
})

it('takes nothing else', () => {
  expect(['', '5', 'h', '1 h', '-1s', '1e3s', '1w'].map(parseDuration)).toEqual(Array(7).fill(undefined))
})
