import { expect, it } from 'vitest'
import { DeliveryQueue } from './delivery-queue.js'
import type { LifecycleEvent } from './event.js'

const REFUSALS = 5

function occupied(id: string): LifecycleEvent {
  return { id, type: 'occupied', tenant: 'acme', key: 'room:1', channel: 'room:1', at: '2026-01-01T00:00:00.000Z' }
}

it('tries what was refused by itself, so that what follows it is not given up with it', () => {
  const queue = new DeliveryQueue(10, () => 0, 0)
  for (const [at, id] of ['bad', 'good', 'better'].entries()) queue.add(at + 1, occupied(id))
  const deliveries: string[][] = []
  for (let now = 0; queue.size > 0; now += 60_000) {
    const batch = queue.next(now, 0)
    deliveries.push(batch.map(({ event }) => event.id))
    if (!batch.some(({ event }) => event.id === 'bad')) queue.settle(batch, now)
    else if ((batch[0]?.refusals ?? 0) + 1 < REFUSALS) queue.fail(batch, true, now)
    else queue.settle(batch, now)
  }
  expect(deliveries).toEqual([
    ['bad', 'good', 'better'],
    ...Array.from({ length: REFUSALS - 1 }, () => ['bad']),
    ['good'],
    ['better'],
  ])
})

it('tries what did not get through together with what follows it', () => {
  const queue = new DeliveryQueue(10, () => 0, 0)
  for (const [at, id] of ['first', 'second'].entries()) queue.add(at + 1, occupied(id))
  queue.fail(queue.next(0, 0), false, 0)
  expect(queue.next(60_000, 0)).toHaveLength(2)
})
