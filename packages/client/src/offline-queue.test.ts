import { expect, it } from 'vitest'
import { OfflineQueue } from './offline-queue.js'

const queue = (): OfflineQueue<{ name: string; bytes: number }> =>
  new OfflineQueue({ countMax: 3, bytesMax: 10, ageMaxMs: 0 })
const item = (name: string, bytes = 1): { name: string; bytes: number } => ({ name, bytes })

it('takes as many, and as many bytes, as it may', () => {
  const waiting = queue()
  expect([item('a', 4), item('b', 6), item('c')].map((one) => waiting.push(one))).toEqual([true, true, false])
  waiting.shift()
  expect([item('d'), item('e'), item('f')].map((one) => waiting.push(one))).toEqual([true, true, false])
  expect([waiting.count, waiting.bytes]).toEqual([3, 8])
})

it('gives back in order, with what was put back first', () => {
  const waiting = queue()
  const [a, b, c] = [item('a'), item('b'), item('c')]
  for (const one of [a, b, c]) waiting.push(one)
  const taken = [waiting.shift()!, waiting.shift()!]
  waiting.putBack(taken)
  expect(waiting.remove(b)).toBe(true)
  expect(waiting.remove(b)).toBe(false)
  expect(waiting.clear()).toEqual([a, c])
  expect([waiting.count, waiting.bytes]).toEqual([0, 0])
})
