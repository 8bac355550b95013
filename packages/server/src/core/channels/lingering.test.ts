import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { Lingering } from './lingering.js'

describe('an end that lingers', () => {
  it('comes when its time is over, once', async () => {
    const clock = new SimulatedClock()
    const lingering = new Lingering(clock, 1_000)
    let ends = 0
    lingering.add('room', () => (ends += 1))
    await clock.pass(999)
    expect([ends, lingering.size]).toEqual([0, 1])
    await clock.pass(10_000)
    expect([ends, lingering.size]).toEqual([1, 0])
  })

  it('comes at once when another of its name takes its place: one waits for each name', async () => {
    const clock = new SimulatedClock()
    const lingering = new Lingering(clock, 1_000)
    const ended: number[] = []
    for (let turn = 0; turn < 100; turn += 1) lingering.add('room', () => void ended.push(turn))
    expect([ended.length, lingering.size]).toEqual([99, 1])
    await clock.pass(1_000)
    expect(ended).toEqual(Array.from({ length: 100 }, (_, turn) => turn))
  })

  it('comes at once where nothing lingers, and where too much does', () => {
    let ends = 0
    new Lingering(new SimulatedClock(), 0).add('room', () => (ends += 1))
    expect(ends).toBe(1)
    const full = new Lingering(new SimulatedClock(), 1_000)
    for (let name = 0; name < 10_005; name += 1) full.add(`room ${name}`, () => (ends += 1))
    expect([ends, full.size]).toEqual([6, 10_000])
  })

  it('is forgotten with its node', async () => {
    const clock = new SimulatedClock()
    const lingering = new Lingering(clock, 1_000)
    let ends = 0
    lingering.add('room', () => (ends += 1))
    lingering.stop()
    await clock.pass(10_000)
    expect([ends, lingering.size]).toEqual([0, 0])
  })
})
