import { expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemRandom } from '../random.js'
import { SimulatedClock } from '../simulated-clock.js'
import { runChaos } from '../testing/operations-chaos.js'
import { openOperations } from '../testing/operations-node.js'

it(
  'F-66 ten thousand operations end once each, whoever is killed, frozen or cancelled',
  { timeout: 300_000 },
  async () => {
    const clock = new SimulatedClock()
    const engine = new MemoryEngine({ clock })
    await engine.start()
    const nodes = Array.from({ length: 3 }, () => openOperations(engine, clock, { leaseMs: 10_000 }))
    const { ends, killed, frozen, raced, violations } = await runChaos(
      {
        clock,
        engine,
        nodes: nodes.map(({ operations }) => operations),
        pass: (ms) => clock.pass(ms, ms / 2),
        fraction: () => systemRandom.fraction(),
      },
      { operations: 10_000, together: 1_000, reportMs: 1_000, leaseMs: 10_000 },
    )
    expect(violations).toEqual([])
    expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(10_000)
    expect(Object.keys(ends).toSorted()).toEqual(['cancelled', 'completed', 'failed'])
    expect([killed > 350, frozen > 100, raced > 1_500]).toEqual([true, true, true])
    // Whose worker died learns that another has it.
    await clock.pass(12_000, 500)
    for (const { operations } of nodes) {
      expect(operations.size).toBe(0)
      await operations.close()
    }
    await engine.close()
  },
)
