import { expect, it } from 'vitest'
import { systemMemory } from './memory.js'

it('tells how much memory the process uses, and how much it can have', () => {
  const { used, max } = systemMemory()
  expect(used).toBeGreaterThan(1_000_000)
  expect(max).toBeGreaterThan(used)
})
