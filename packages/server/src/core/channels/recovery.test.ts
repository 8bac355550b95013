import { describe, expect, it } from 'vitest'
import type { LogPage, StreamMessage } from '../../engine/engine.js'
import { freshEpochRange, judge, recoveryRange } from './recovery.js'

const LIMITS = { messagesMax: 3, bytesMax: 1_000 }

function message(offset: number): StreamMessage {
  return { id: `m${offset}`, offset, event: 'e', data: '1', from: { user: 'u' }, at: '' }
}

/** A log of `top` messages of which those from `first` on are stored, read from `from`. */
function page(top: number, { first = 1, from = 1, epoch = 'e1', expired = false } = {}): LogPage {
  const offsets = Array.from(
    { length: Math.max(0, top - Math.max(first, from) + 1) },
    (_, index) => Math.max(first, from) + index,
  )
  const id = top === 0 ? '' : `m${top}`
  return { epoch, top: { offset: top, id }, first, expired, messages: offsets.map(message), state: undefined }
}

const at = (offset: number, id: string | undefined = `m${offset}`, epoch = 'e1') => ({
  epoch,
  offset,
  ...(id !== undefined && { id }),
})
const offsetsOf = (messages: readonly StreamMessage[]): unknown[] => messages.map(({ offset }) => offset)

describe('what is read to judge a reader', () => {
  it('is nothing for one that begins now', () => {
    expect(recoveryRange(undefined, LIMITS)).toEqual({ limit: 0, bytesMax: 1_000, keep: 'newest' })
  })

  it('is as many as it asks for, up to the limit, for one that begins with the newest', () => {
    expect(recoveryRange('newest:2', LIMITS)).toEqual({ limit: 2, bytesMax: 1_000, keep: 'newest' })
    expect(recoveryRange('newest:500', LIMITS)).toEqual({ limit: 3, bytesMax: 1_000, keep: 'newest' })
  })

  it('starts at its own message, inclusive, for one that comes back', () => {
    expect(recoveryRange(at(7), LIMITS)).toEqual({ from: 7, limit: 4, bytesMax: 1_000, keep: 'newest' })
  })

  it('is the newest of all where its epoch has ended', () => {
    expect(freshEpochRange(LIMITS)).toEqual({ limit: 3, bytesMax: 1_000, keep: 'newest' })
  })
})

describe('the verdict', () => {
  it('is new, at the top, for one that begins now', () => {
    const verdict = judge(undefined, { ...page(5), messages: [] })
    expect(verdict).toEqual({ recovered: 'new', gap: undefined, messages: [], position: at(5) })
  })

  it('is new, with the newest, for one that asked for them', () => {
    const verdict = judge('newest:2', page(5, { from: 4 }))
    expect(verdict).toMatchObject({ recovered: 'new', gap: undefined, position: at(5) })
    expect(offsetsOf(verdict.messages)).toEqual([4, 5])
  })

  it.each([
    ['has everything', 5, page(5, { from: 5 }), []],
    ['missed some', 3, page(5, { from: 3 }), [4, 5]],
    ['was there before the first message', 0, page(2), [1, 2]],
    ['was there before the first message and still is', 0, page(0), []],
    ['has the last message that was trimmed', 3, page(5, { first: 4, from: 3 }), [4, 5]],
    ['has the last message of a log that expired', 5, page(5, { first: 6, from: 5, expired: true }), []],
  ])('is full for a reader that %s', (_title, offset, log, expected) => {
    const verdict = judge(at(offset, offset === 0 ? '' : `m${offset}`), log)
    expect(verdict).toMatchObject({
      recovered: 'full',
      gap: undefined,
      position: { epoch: 'e1', offset: log.top.offset, id: log.top.id },
    })
    expect(offsetsOf(verdict.messages)).toEqual(expected)
  })

  it.each([
    ['trimmed', at(2), page(9, { first: 6, from: 2 }), { from: 3, to: 5 }, [6, 7, 8, 9]],
    ['expired', at(2), page(9, { first: 10, from: 2, expired: true }), { from: 3, to: 9 }, []],
    ['expired', at(2), page(9, { first: 9, from: 2, expired: true }), { from: 3, to: 8 }, [9]],
    ['trimmed', at(2), page(9, { first: 10, from: 2 }), { from: 3, to: 9 }, []],
    ['too_far', at(2), page(9, { from: 7 }), { from: 3, to: 6 }, [7, 8, 9]],
    ['too_far', at(2), { ...page(9, { first: 4, from: 9 }), expired: true }, { from: 3, to: 8 }, [9]],
    ['epoch_changed', at(7, 'm7', 'e0'), page(3), { from: 8, to: null }, [1, 2, 3]],
    ['epoch_changed', at(0, '', 'e0'), page(0), { from: 1, to: null }, []],
    ['ahead', at(7), page(5, { from: 7 }), { from: 6, to: 7 }, []],
    ['diverged', at(3, 'other'), page(5, { from: 3 }), { from: 3, to: 3 }, [4, 5]],
    ['diverged', at(5, 'other'), page(5, { from: 5 }), { from: 5, to: 5 }, []],
    ['diverged', at(5, 'other'), page(5, { first: 6, from: 5 }), { from: 5, to: 5 }, []],
  ] as const)('is a gap, %s', (reason, since, log, range, expected) => {
    const verdict = judge(since, log)
    expect(verdict).toMatchObject({ recovered: 'gap', gap: { ...range, reason } })
    expect(offsetsOf(verdict.messages)).toEqual(expected)
    expect(verdict.position).toEqual({ epoch: 'e1', offset: log.top.offset, id: log.top.id })
  })

  it('compares epoch and offset only, where the position has no id', () => {
    expect(judge({ epoch: 'e1', offset: 3 }, page(5, { from: 3 })).recovered).toBe('full')
    expect(judge({ epoch: 'e1', offset: 3, id: '' }, page(5, { from: 3 })).recovered).toBe('full')
  })
})
