import { describe, expect, it } from 'vitest'
import type { StreamMessage } from '../../engine/engine.js'
import { Gate } from './gate.js'

const LIMITS = { messagesMax: 3, bytesMax: 100 }

function message(offset: number, data = '1'): StreamMessage {
  return { id: `m${offset}`, offset, event: 'e', data, from: { user: 'u' }, at: '' }
}

function gateWith(epoch: string, ...offsets: number[]): Gate {
  const gate = new Gate(LIMITS)
  for (const offset of offsets) gate.message(epoch, message(offset))
  return gate
}

const change = {
  kind: 'joined',
  member: { user: 'u', connections: 1 },
  counts: { members: 1, connections: 1 },
} as const

describe('a gate', () => {
  it('joins any log while it is empty', () => {
    expect(gateWith('e1').continuing('e9', 7)).toEqual([])
  })

  it('gives what follows an offset, in order', () => {
    expect(
      gateWith('e1', 4, 5, 6)
        .continuing('e1', 4)
        ?.map(({ offset }) => offset),
    ).toEqual([5, 6])
    expect(gateWith('e1', 4, 5).continuing('e1', 5)).toEqual([])
    expect(gateWith('e1', 4, 5).continuing('e1', 9)).toEqual([])
  })

  it('takes what is announced twice, or late, once', () => {
    const gate = gateWith('e1', 4, 4, 5, 4)
    expect(gate.continuing('e1', 3)?.map(({ offset }) => offset)).toEqual([4, 5])
    expect(gate.overflowed).toBe(false)
  })

  it('does not join a log that ends before its first message, or with a message missing between', () => {
    expect(gateWith('e1', 4, 5).continuing('e1', 2)).toBeUndefined()
    expect(gateWith('e1', 4, 6).continuing('e1', 3)).toBeUndefined()
  })

  it('does not join a log of another epoch', () => {
    expect(gateWith('e1', 4).continuing('e2', 3)).toBeUndefined()
  })

  it('does not join a log of an epoch that ended, even with nothing after it', () => {
    const gate = gateWith('e1', 4)
    gate.rotated('e2')
    expect(gate.continuing('e1', 4)).toBeUndefined()
    expect(gate.continuing('e2', 0)).toEqual([])
  })

  it('forgets an epoch whose successor speaks', () => {
    const gate = gateWith('e1', 4)
    gate.message('e2', message(1))
    expect(gate.continuing('e2', 0)?.map(({ offset }) => offset)).toEqual([1])
  })

  it('joins any log when it was emptied, until somebody speaks again', () => {
    const gate = gateWith('e1', 4)
    gate.empty()
    expect(gate.continuing('e2', 4)).toEqual([])
    gate.message('e1', message(5))
    expect(gate.continuing('e2', 4)).toBeUndefined()
  })

  it('overflows after its number of messages', () => {
    expect(gateWith('e1', 1, 2, 3).overflowed).toBe(false)
    expect(gateWith('e1', 1, 2, 3, 4).overflowed).toBe(true)
  })

  it('overflows after its bytes, and counts anew when it was emptied', () => {
    const gate = new Gate(LIMITS)
    gate.message('e1', message(1, 'x'.repeat(60)))
    gate.message('e1', message(2, 'x'.repeat(40)))
    expect(gate.overflowed).toBe(false)
    gate.empty()
    gate.message('e1', message(3, 'x'.repeat(100)))
    expect(gate.overflowed).toBe(false)
    gate.message('e1', message(4, 'x'))
    expect(gate.overflowed).toBe(true)
  })

  it('holds presence changes under the same bound', () => {
    const gate = gateWith('e1', 1, 2)
    gate.presence(change)
    expect([gate.changes(), gate.overflowed]).toEqual([[change], false])
    gate.presence(change)
    expect(gate.overflowed).toBe(true)
  })
})
