import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock, settle } from './simulated-clock.js'

let clock: SimulatedClock
let log: string[]

beforeEach(() => {
  clock = new SimulatedClock(0)
  log = []
})

const note = (word: string) => (): void => void log.push(`${word} ${clock.now()}`)

describe('a simulated clock', () => {
  it('stands still until it is told to go on', () => {
    expect(new SimulatedClock().now()).toBe(Date.UTC(2026, 0, 1))
    clock.after(0, note('a'))
    expect([clock.now(), log]).toEqual([0, []])
  })

  it('runs timers in the order of their times, and those of one time in the order of their start', () => {
    clock.after(20, note('c'))
    clock.after(10, note('a'))
    clock.after(10, note('b'))
    clock.advance(30)
    expect(log).toEqual(['a 10', 'b 10', 'c 20'])
    expect(clock.now()).toBe(30)
  })

  it('runs what is due and nothing that is not', () => {
    clock.after(10, note('a'))
    clock.advance(9)
    expect(log).toEqual([])
    clock.advance(1)
    expect(log).toEqual(['a 10'])
  })

  it('repeats what runs every so often, and cancels', () => {
    const cancel = clock.every(10, note('a'))
    clock.advance(35)
    cancel()
    cancel()
    clock.advance(100)
    expect(log).toEqual(['a 10', 'a 20', 'a 30'])
  })

  it('runs timers that timers start, when they fall into the time that passes', () => {
    clock.after(10, () => void clock.after(10, note('a')))
    clock.advance(25)
    expect(log).toEqual(['a 20'])
  })

  it('runs what was deferred at the end of each tick', () => {
    clock.after(10, () => clock.defer(note('deferred')))
    clock.after(10, note('timer'))
    clock.advance(10)
    expect(log).toEqual(['deferred 10', 'timer 10'])
  })

  it('runs what is deferred by what was deferred', () => {
    clock.defer(() => clock.defer(note('a')))
    clock.endTick()
    expect(log).toEqual(['a 0'])
  })

  it('lets promises settle between the steps', async () => {
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve))
    void wait(10)
      .then(() => wait(10))
      .then(note('a'))
    await clock.pass(20, 10)
    expect(log).toEqual(['a 20'])
  })

  it('passes exactly the time it is told to', async () => {
    await clock.pass(25, 10)
    expect(clock.now()).toBe(25)
  })
})

describe('settle', () => {
  it('waits for chains of promises', async () => {
    void (async () => {
      for (let at = 0; at < 10; at += 1) await Promise.resolve()
      log.push('done')
    })()
    await settle()
    expect(log).toEqual(['done'])
  })
})
