import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { MemoryRegisters } from './registers.js'

const anyStep = fc.oneof(
  fc.record({
    do: fc.constant('put' as const),
    key: fc.nat(6).map(String),
    amount: fc.nat(9),
    ttlMs: fc.constantFrom(100, 1_000, 7_000),
  }),
  fc.record({ do: fc.constant('remove' as const), key: fc.nat(6).map(String) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(50, 900, 5_000) }),
)

describe('a register in memory', () => {
  it('holds what a plain table of entries would, whatever is done to it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 200 }), async (steps) => {
        const clock = new SimulatedClock()
        const registers = new MemoryRegisters(clock)
        let table: { key: string; amount: number; until: number }[] = []
        for (const step of steps) {
          if (step.do === 'pass') await clock.pass(step.ms)
          table = table.filter(({ until }) => until > clock.now())
          const isThere = step.do !== 'pass' && table.some(({ key }) => key === step.key)
          if (step.do !== 'pass') table = table.filter(({ key }) => key !== step.key)
          if (step.do === 'put') {
            table.push({ key: step.key, amount: step.amount, until: clock.now() + step.ttlMs })
            expect(await registers.put('r', step)).toMatchObject({ added: !isThere })
          }
          if (step.do === 'remove') expect(await registers.remove('r', step.key)).toMatchObject({ removed: isThere })
          const amount = table.reduce((sum, entry) => sum + entry.amount, 0)
          expect(await registers.totals('r')).toEqual({ entries: table.length, amount })
          expect(await registers.list('r', 100)).toEqual(table.map(({ key, amount }) => ({ key, value: '', amount })))
        }
      }),
    )
  })

  it('keeps nothing of what ended, nor of what was renewed again and again', async () => {
    const clock = new SimulatedClock()
    const registers = new MemoryRegisters(clock)
    for (let n = 0; n < 10_000; n += 1) await registers.put('busy', { key: 'a', ttlMs: 60_000 })
    for (let n = 0; n < 100; n += 1) await registers.put(`r${n}`, { key: 'a', ttlMs: 1_000 })
    expect([registers.size, registers.count]).toEqual([101, 101])
    await clock.pass(1_000)
    registers.sweep()
    expect([registers.size, registers.count]).toEqual([1, 1])
  })
})
