import { expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemRandom } from '../random.js'
import { SimulatedClock } from '../simulated-clock.js'
import { ENTRY_MS, listenersOf } from './places.js'
import { Reconciler } from './reconciler.js'
import { mark } from './subjects.js'

it('ends a look at all tenants also while one of them never rests', async () => {
  const clock = new SimulatedClock()
  const engine = new MemoryEngine({ clock })
  const subject = { stream: { tenant: 'busy', channel: 'room:1' }, user: undefined }
  let changes = 0
  const change = async (): Promise<void> => {
    await mark(engine, subject, `m${(changes += 1)}`)
    if (changes < 1_000) void reconciler.some(['busy'])
  }
  const reconciler: Reconciler = new Reconciler({
    engine,
    clock,
    random: systemRandom,
    log: { tell: () => Promise.resolve() },
    interest: { wants: () => true },
    isLive: async () => {
      await change()
      return true
    },
    onError: (error) => {
      throw error
    },
  })
  await engine.registers.put(listenersOf(subject.stream), { key: 'life', ttlMs: ENTRY_MS })
  await mark(engine, subject, 'first')
  await reconciler.all()
  expect(changes).toBeLessThan(50)
  // What is left is found by the next look.
  const before = changes
  await reconciler.all()
  expect(changes).toBeGreaterThan(before)
})
