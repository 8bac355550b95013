import { beforeEach, describe, expect, it } from 'vitest'
import type { StreamMessage } from '../../engine/engine.js'
import { type Arrival, Continuity } from './continuity.js'

let at: Continuity

beforeEach(() => {
  at = new Continuity({ epoch: 'e1', top: { offset: 5, id: 'm5' } })
})

const judge = (epoch: string, offset: number | undefined, id = `m${offset}`): Arrival => {
  const message: StreamMessage = { id, offset, event: 'e', data: '1', from: { user: 'u' }, at: '' }
  return at.judge(epoch, message)
}

describe('the place of a channel in its log', () => {
  it('knows the next message, those before it, and those that do not join up', () => {
    expect([6, 5, 4, 1, 7].map((offset) => judge('e1', offset))).toEqual(['next', 'seen', 'seen', 'seen', 'astray'])
    expect(judge('e1', undefined)).toBe('astray')
    at.advance(6, 'm6')
    expect([6, 7].map((offset) => judge('e1', offset))).toEqual(['seen', 'next'])
  })

  it('takes another message in the place of the last one for damage, where it knows which that was', () => {
    expect(judge('e1', 5, 'other')).toBe('astray')
    at.moveTo({ epoch: 'e1', top: { offset: 7, id: '' } })
    expect(judge('e1', 7, 'other')).toBe('seen')
  })

  it('knows epochs that are over, the last eight of them, and no others', () => {
    expect(judge('e2', 1)).toBe('astray')
    for (let number = 2; number <= 10; number += 1) at.moveTo({ epoch: `e${number}`, top: { offset: 0, id: '' } })
    expect(at.position).toEqual({ epoch: 'e10', top: { offset: 0, id: '' } })
    expect([judge('e9', 1), judge('e2', 1), judge('e1', 1)]).toEqual(['seen', 'seen', 'astray'])
    expect(['e10', 'e9', 'e2', 'e1', 'e11'].map((epoch) => at.knows(epoch))).toEqual([true, true, true, false, false])
  })

  it('remembers an epoch once, however often it moves within it', () => {
    at.moveTo({ epoch: 'e2', top: { offset: 0, id: '' } })
    for (let offset = 1; offset < 20; offset += 1) at.moveTo({ epoch: 'e2', top: { offset, id: '' } })
    expect(at.knows('e1')).toBe(true)
  })
})
