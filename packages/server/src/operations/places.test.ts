import { expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { SimulatedClock } from '../simulated-clock.js'
import { OperationPlaces } from './places.js'
import { OperationStore } from './store.js'

it('gives back the place of an operation whose id another has, though nobody heard of its end', () => {
  const clock = new SimulatedClock()
  const retention = { runningMs: 1_000, completedMs: 1_000, failedMs: 1_000 }
  const places = new OperationPlaces(clock, new OperationStore(new MemoryEngine({ clock }), retention, 65_536))
  const left: string[] = []
  places.take('acme', 'a', () => left.push('first'))
  places.take('acme', 'a', () => left.push('second'))
  expect([left, places.size]).toEqual([['first'], 1])
  expect(places.leave('acme', 'a')).toBe(true)
  expect([left, places.leave('acme', 'a')]).toEqual([['first', 'second'], false])
})
