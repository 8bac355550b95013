import { CLOSE, reconnectAfterClose } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { reactionTo } from './ending.js'
import { HoldfastError } from './errors.js'

describe('the reaction to an ending', () => {
  it.each(Object.values(CLOSE))('is that of the protocol after $code $reason', ({ code, reason }) => {
    expect(reactionTo({ code, reason }, 0).reconnect).toBe(reconnectAfterClose(code, reason))
  })

  it.each([
    [1006, ''],
    [1008, 'Something newer'],
    [1000, ''],
    [4000, 'x'],
  ])('is that of the protocol after %i %j, which is not in the table', (code, reason) => {
    expect(reactionTo({ code, reason }, 0).reconnect).toBe(reconnectAfterClose(code, reason))
  })

  it('is what goodbye says, counted from when it came', () => {
    const goodbye = { type: 'goodbye', code: 1008, message: 'Rate limit exceeded', reconnect: 'backoff' } as const
    const ending = {
      code: 1008,
      reason: 'Connection limit exceeded',
      goodbye: { ...goodbye, after: 5000 },
      goodbyeAt: 1000,
    }
    expect(reactionTo(ending, 3000)).toEqual({ reconnect: 'backoff', afterMs: 3000 })
    expect(reactionTo(ending, 9000)).toEqual({ reconnect: 'backoff', afterMs: 0 })
    expect(reactionTo(ending, 0)).toEqual({ reconnect: 'backoff', afterMs: 5000 })
  })

  it('is to stay away after an error that cannot pass', () => {
    const error = new HoldfastError('token_failed', 'signed out')
    expect(reactionTo({ code: 1006, reason: '', error }, 0).reconnect).toBe('never')
  })
})
