import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { type Newcomer, Newcomers } from './newcomers.js'

let clock: SimulatedClock
let newcomers: Newcomers
let givenUp: string[]

beforeEach(() => {
  clock = new SimulatedClock()
  newcomers = new Newcomers(clock, { nodeMax: 3, addressMax: 2, timeoutMs: 10_000 })
  givenUp = []
})

function arrive(address: string, isSilent: boolean = true): Newcomer {
  const newcomer = {
    address,
    openedAt: clock.now(),
    isSilent,
    giveUp: () => {
      givenUp.push(address)
      newcomers.departed(newcomer)
    },
  }
  newcomers.arrived(newcomer)
  return newcomer
}

describe('newcomers', () => {
  it('are as many as the node takes, and not one more', () => {
    arrive('192.0.2.1')
    const second = arrive('192.0.2.2')
    expect(newcomers.hasRoom).toBe(true)
    arrive('192.0.2.3')
    expect([newcomers.hasRoom, newcomers.size]).toEqual([false, 3])
    newcomers.departed(second)
    newcomers.departed(second)
    expect([newcomers.hasRoom, newcomers.size]).toEqual([true, 2])
  })

  it('are as many from one address as it may send, whatever the others do', () => {
    const first = arrive('192.0.2.1')
    expect(newcomers.hasRoomFor('192.0.2.1')).toBe(true)
    arrive('192.0.2.1')
    expect(newcomers.hasRoomFor('192.0.2.1')).toBe(false)
    expect(newcomers.hasRoomFor('192.0.2.2')).toBe(true)
    newcomers.departed(first)
    expect(newcomers.hasRoomFor('192.0.2.1')).toBe(true)
  })

  it('are as many on a Unix socket as the node takes: nobody there has an address', () => {
    for (let count = 0; count < 3; count += 1) {
      expect(newcomers.hasRoomFor('unix')).toBe(true)
      arrive('unix')
    }
    expect(newcomers.hasRoom).toBe(false)
  })

  it('that say nothing make room, the oldest of the address with most of them first', async () => {
    newcomers = new Newcomers(clock, { nodeMax: 5, addressMax: 3, timeoutMs: 10_000 })
    arrive('192.0.2.1', false)
    for (const address of ['192.0.2.2', '192.0.2.1', '192.0.2.1', '192.0.2.2']) arrive(address)
    newcomers.makeRoomFor('192.0.2.3')
    expect(givenUp).toEqual([])
    await clock.pass(1_000)
    newcomers.makeRoomFor('192.0.2.3')
    expect([givenUp, newcomers.hasRoom]).toEqual([['192.0.2.1'], true])
    newcomers.makeRoomFor('192.0.2.3')
    expect(givenUp).toHaveLength(1)
  })

  it('make room for another of their own address before one of an address with fewer', async () => {
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) arrive(address)
    await clock.pass(1_000)
    newcomers.makeRoomFor('192.0.2.1')
    expect(givenUp).toEqual(['192.0.2.1'])
  })

  it('make no room where there are as few of each address', async () => {
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.4']) arrive(address)
    await clock.pass(1_000)
    for (const address of ['192.0.2.2', '192.0.2.3']) newcomers.makeRoomFor(address)
    expect(givenUp).toEqual([])
  })

  it('from one /64 count as one address', () => {
    arrive('2001:db8::1')
    arrive('2001:db8::ffff')
    expect(newcomers.hasRoomFor('2001:db8::2')).toBe(false)
    expect(newcomers.hasRoomFor('2001:db8:0:1::2')).toBe(true)
  })

  it('are given up a quarter of a second after their time at most, each in its turn', async () => {
    arrive('192.0.2.1')
    await clock.pass(5_000)
    const second = arrive('192.0.2.2')
    await clock.pass(4_999)
    expect(givenUp).toEqual([])
    await clock.pass(251)
    expect(givenUp).toEqual(['192.0.2.1'])
    newcomers.departed(second)
    await clock.pass(20_000)
    expect([givenUp, newcomers.size]).toEqual([['192.0.2.1'], 0])
    arrive('192.0.2.3')
    await clock.pass(10_250)
    expect(givenUp).toEqual(['192.0.2.1', '192.0.2.3'])
  })

  it('are looked at no more when their node has stopped', async () => {
    arrive('192.0.2.1')
    newcomers.stop()
    await clock.pass(60_000)
    expect(givenUp).toEqual([])
  })
})
