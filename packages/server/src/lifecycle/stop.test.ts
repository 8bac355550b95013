import { expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemRandom } from '../random.js'
import { SimulatedClock } from '../simulated-clock.js'
import { silentLogger } from '../telemetry/log.js'
import { faultyEngine } from '../testing/faulty-engine.js'
import type { Destination } from './destination.js'
import { Lifecycle } from './lifecycle.js'
import { ENTRY_MS, INTEREST } from './places.js'

const destination: Destination = {
  id: 'receiver',
  name: 'receiver',
  batchMax: 1,
  atOncePerTenant: 1,
  atOnce: 1,
  wants: () => true,
  deliver: () => Promise.resolve('taken'),
}

/** A node whose engine does not answer these methods (default: any) until `answer`. */
function stuck(...methods: readonly string[]): {
  lifecycle: Lifecycle
  clock: SimulatedClock
  memory: MemoryEngine
  answer: () => void
} {
  const clock = new SimulatedClock()
  const memory = new MemoryEngine({ clock })
  let answer: () => void = () => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const lifecycle = new Lifecycle({
    engine: faultyEngine(memory, (method) =>
      methods.length === 0 || methods.includes(method) ? answered : Promise.resolve(),
    ),
    clock,
    random: systemRandom,
    node: 'n1',
    control: { on: () => undefined, tell: () => Promise.resolve() },
    log: silentLogger,
    audit: { record: () => undefined },
    webhooks: [{ destination, wanted: { types: ['connected'], tenants: undefined } }],
    isHeardHere: () => false,
    connections: () => [],
    onError: () => undefined,
  })
  return { lifecycle, clock, memory, answer }
}

it.each([[[]], [['registers.put']]])('begins nothing after its end, while %j was not answered', async (methods) => {
  const { lifecycle, clock, memory, answer } = stuck(...methods)
  // Somebody else wants events.
  await memory.registers.put(INTEREST, { key: 'other', value: '{"types":["connected"]}', ttlMs: ENTRY_MS })
  void lifecycle.start()
  await clock.pass(100)
  const stopped = lifecycle.stop()
  await clock.pass(10_000, 100)
  answer()
  await stopped
  await clock.pass(10_000, 100)
  expect(await memory.leases.hold('lifecycle', 'another', 1_000)).toBe(true)
  expect(await memory.leases.hold('lifecycle:to:receiver', 'another', 1_000)).toBe(true)
})
