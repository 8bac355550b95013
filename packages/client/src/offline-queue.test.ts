import { expect, it } from 'vitest'
import { OfflineQueue, type Queued } from './offline-queue.js'

interface Item extends Queued {
  readonly name: string
}

const queue = (): OfflineQueue<Item> => new OfflineQueue({ countMax: 3, bytesMax: 10, ageMaxMs: 0 })
const item = (name: string, bytes = 1, urgent = false): Item => ({ name, bytes, urgent, id: name.charCodeAt(0) })
const any = (): boolean => true

it('takes as many, and as many bytes, as it may', () => {
  const waiting = queue()
  expect([item('a', 4), item('b', 6), item('c')].map((one) => waiting.push(one))).toEqual([true, true, false])
  waiting.take(any)
  expect([item('d'), item('e'), item('f')].map((one) => waiting.push(one))).toEqual([true, true, false])
  expect([waiting.count, waiting.bytes]).toEqual([3, 8])
})

it('gives in order, what was put back at its place, and what is urgent first', () => {
  const waiting = queue()
  const [a, b, c, d] = [item('a'), item('b'), item('c'), item('d')]
  for (const one of [a, b, c]) waiting.push(one)
  const taken = [waiting.take(any)!, waiting.take(any)!]
  expect(taken).toEqual([a, b])
  waiting.push(d)
  waiting.putBack(b)
  waiting.putBack(a)
  const [y, z] = [item('y', 1, true), item('z', 1, true)]
  expect([waiting.push(y), waiting.push(z)]).toEqual([true, true])
  waiting.remove(b)
  waiting.remove(b)
  expect(waiting.clear()).toEqual([y, z, a, c, d])
  expect([waiting.count, waiting.bytes]).toEqual([0, 0])
})

it('gives the first that may go', () => {
  const waiting = queue()
  const [a, b] = [item('a', 3), item('b')]
  waiting.push(a)
  waiting.push(b)
  expect(waiting.take(({ name }) => name !== 'a')).toBe(b)
  expect(waiting.take(({ name }) => name !== 'a')).toBeUndefined()
  expect([waiting.count, waiting.bytes]).toEqual([1, 3])
})
