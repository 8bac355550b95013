import { describe, expect, it } from 'vitest'
import { slotOf } from './slot.js'

describe('the slot of a key', () => {
  // The first is the check value of CRC16/XMODEM, the others what a Redis Cluster answers to CLUSTER KEYSLOT.
  it.each([
    ['123456789', 0x31c3],
    ['', 0],
    ['foo', 12_182],
    ['{user1000}.following', 3_443],
    ['{user1000}.followers', 3_443],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', 4_015],
    ['foo{bar}{zap}', 5_061],
  ])('of %j is %d', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })
})
