import { describe, expect, it } from 'vitest'
import { Newcomers } from './newcomers.js'

describe('newcomers', () => {
  it('are as many as the node takes, and not one more', () => {
    const newcomers = new Newcomers({ nodeMax: 3, addressMax: 3 })
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      expect(newcomers.hasRoom).toBe(true)
      newcomers.arrived(address)
    }
    expect([newcomers.hasRoom, newcomers.size]).toEqual([false, 3])
    newcomers.departed('192.0.2.2')
    expect([newcomers.hasRoom, newcomers.size]).toEqual([true, 2])
  })

  it('are as many from one address as it may send, whatever the others do', () => {
    const newcomers = new Newcomers({ nodeMax: 10, addressMax: 2 })
    newcomers.arrived('192.0.2.1')
    expect(newcomers.hasRoomFor('192.0.2.1')).toBe(true)
    newcomers.arrived('192.0.2.1')
    expect(newcomers.hasRoomFor('192.0.2.1')).toBe(false)
    expect(newcomers.hasRoomFor('192.0.2.2')).toBe(true)
    newcomers.departed('192.0.2.1')
    expect(newcomers.hasRoomFor('192.0.2.1')).toBe(true)
  })

  it('from one /64 count as one address', () => {
    const newcomers = new Newcomers({ nodeMax: 10, addressMax: 2 })
    newcomers.arrived('2001:db8::1')
    newcomers.arrived('2001:db8::ffff')
    expect(newcomers.hasRoomFor('2001:db8::2')).toBe(false)
    expect(newcomers.hasRoomFor('2001:db8:0:1::2')).toBe(true)
  })
})
