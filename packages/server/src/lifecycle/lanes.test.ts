import { describe, expect, it } from 'vitest'
import { SimulatedClock, settle } from '../simulated-clock.js'
import { Lanes, type LanesParts } from './lanes.js'

function lanesOn(clock: SimulatedClock, parts: Partial<LanesParts> = {}): Lanes {
  return new Lanes({ clock, isBlocked: () => false, onError: () => undefined, ...parts })
}

/** A work that ends when it is told to. */
function held(): { readonly work: () => Promise<void>; end: () => void; readonly begun: () => boolean } {
  let end: () => void = () => undefined
  let hasBegun = false
  const ended = new Promise<void>((resolve) => (end = resolve))
  return {
    work: () => {
      hasBegun = true
      return ended
    },
    end: () => end(),
    begun: () => hasBegun,
  }
}

describe('works', () => {
  it('of one lane are done one after the other, those of others meanwhile', async () => {
    const lanes = lanesOn(new SimulatedClock())
    const [first, second, other] = [held(), held(), held()]
    lanes.add('a', first.work)
    lanes.add('a', second.work)
    lanes.add('b', other.work)
    expect([first.begun(), second.begun(), other.begun()]).toEqual([true, false, true])
    first.end()
    await settle()
    expect(second.begun()).toBe(true)
    expect(lanes.size).toBe(2)
  })

  it('are tried again until they are done, later and later, and what is behind them waits', async () => {
    const clock = new SimulatedClock()
    const lanes = lanesOn(clock)
    const tries: number[] = []
    let isDone = false
    lanes.add('a', async () => {
      tries.push(clock.now())
      if (tries.length < 4) throw new Error('no')
    })
    lanes.add('a', async () => void (isDone = true))
    await clock.pass(100, 10)
    expect(isDone).toBe(false)
    await clock.pass(5_000, 10)
    expect(isDone).toBe(true)
    const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
    expect(waits).toEqual([200, 400, 800])
    expect(lanes.size).toBe(0)
  })

  it('are not tried while there is no sense in it, and at once when there is again', async () => {
    const clock = new SimulatedClock()
    let isAway = true
    let tries = 0
    const lanes = lanesOn(clock, { isBlocked: () => isAway })
    lanes.add('a', async () => void (tries += 1))
    await clock.pass(60_000, 1_000)
    expect(tries).toBe(0)
    isAway = false
    lanes.resume()
    await settle()
    expect(tries).toBe(1)
  })

  it('are bounded: those under way, and those that wait', async () => {
    const lanes = lanesOn(new SimulatedClock(), { atOnce: 2, waitingMax: 3 })
    const works = [held(), held(), held(), held()]
    expect(works.map(({ work }, at) => lanes.add(`${at}`, work, `tenant ${at}`))).toEqual([true, true, true, false])
    expect(works.map(({ begun }) => begun())).toEqual([true, true, false, false])
    works[0]?.end()
    await settle()
    expect(works[2]?.begun()).toBe(true)
  })

  it('are waited for, or given up', async () => {
    const lanes = lanesOn(new SimulatedClock())
    await lanes.settled()
    const work = held()
    lanes.add('a', work.work)
    let isSettled = false
    void lanes.settled().then(() => (isSettled = true))
    await settle()
    expect(isSettled).toBe(false)
    work.end()
    await settle()
    expect(isSettled).toBe(true)
    lanes.add('b', held().work)
    lanes.close()
    await lanes.settled()
    expect(lanes.add('c', held().work)).toBe(false)
  })

  it('of a tenant with many keep no other waiting, and leave it room', async () => {
    const lanes = lanesOn(new SimulatedClock(), { atOnce: 1, waitingMax: 100 })
    const done: string[] = []
    const add = (tenant: string, at: number): boolean =>
      lanes.add(`${tenant} ${at}`, async () => void done.push(tenant), tenant)
    const taken = Array.from({ length: 100 }, (_, at) => add('busy', at))
    expect(taken.filter(Boolean)).toHaveLength(50)
    for (let at = 0; at < 3; at += 1) expect(add('other', at)).toBe(true)
    await lanes.settled()
    expect(done).toHaveLength(53)
    expect(done.lastIndexOf('other')).toBeLessThan(10)
  })

  it('are begun in a time that does not grow with their number', async () => {
    let isBlocked = true
    const lanes = lanesOn(new SimulatedClock(), { isBlocked: () => isBlocked })
    for (let at = 0; at < 200_000; at += 1) lanes.add(`${at}`, () => Promise.resolve())
    isBlocked = false
    const before = process.cpuUsage()
    lanes.resume()
    await lanes.settled()
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_500)
  })
})
