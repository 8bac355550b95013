import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../testing/simulated-clock.js'
import { Store } from './store.js'

function storeOf(): { store: Store<{ count: number; name: string }>; clock: SimulatedClock; begun: string[] } {
  const clock = new SimulatedClock()
  const begun: string[] = []
  const begin = (): (() => void) => {
    begun.push('begin')
    return () => void begun.push('end')
  }
  return { store: new Store({ count: 0, name: 'a' }, begin, clock), clock, begun }
}

describe('a store', () => {
  it('begins with its first listener and ends with its last, and again', () => {
    const { store, begun } = storeOf()
    const [one, two] = [store.subscribe(() => {}), store.subscribe(() => {})]
    one()
    expect(begun).toEqual(['begin'])
    two()
    store.subscribe(() => {})
    expect(begun).toEqual(['begin', 'end', 'begin'])
  })

  it('tells once of all that changes in a row, and holds the same object until something does', async () => {
    const { store, clock } = storeOf()
    let told = 0
    store.subscribe(() => (told += 1))
    const before = store.get()
    store.set({ count: 0, name: 'a' })
    expect(store.get()).toBe(before)
    for (let count = 1; count <= 100; count += 1) store.set({ count })
    expect({ told, state: store.get() }).toEqual({ told: 0, state: { count: 100, name: 'a' } })
    await clock.pass(1)
    expect(told).toBe(1)
    store.set({ name: 'b' })
    await clock.pass(1)
    expect(told).toBe(2)
  })
})
