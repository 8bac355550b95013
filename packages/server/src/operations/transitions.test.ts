import { OPERATION_STATES, type OperationState, TERMINAL_STATES, isTerminal } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { mayBecome } from './transitions.js'

describe('an operation', () => {
  it.each(TERMINAL_STATES)('T-122 never leaves %s, not even to enter it again', (state) => {
    expect(OPERATION_STATES.filter((next) => mayBecome(state, next))).toEqual([])
  })

  it.each<[OperationState, OperationState[]]>([
    ['queued', ['queued', 'running', 'failed', 'cancelled', 'expired']],
    ['running', ['running', 'waiting', 'stalled', 'completed', 'failed', 'cancelled', 'expired']],
    ['waiting', ['running', 'waiting', 'stalled', 'completed', 'failed', 'cancelled', 'expired']],
    ['stalled', ['running', 'stalled', 'completed', 'failed', 'cancelled', 'expired']],
  ])('goes from %s to %j and nowhere else', (state, next) => {
    expect(OPERATION_STATES.filter((other) => mayBecome(state, other))).toEqual(next)
  })

  it('can end from every state that it can be in', () => {
    for (const state of OPERATION_STATES.filter((one) => !isTerminal(one)))
      expect(mayBecome(state, 'failed')).toBe(true)
  })

  it('does not complete before it has run', () => expect(mayBecome('queued', 'completed')).toBe(false))
})
