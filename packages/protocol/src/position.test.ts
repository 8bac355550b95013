import { describe, expect, it } from 'vitest'
import { GAP_REASONS, newestCount, position, since } from '@holdfast/protocol'

const holds = (value: unknown): boolean => position.check(value, '') === undefined

describe('a position', () => {
  it('is an epoch, an offset and the id of the message there', () => {
    expect(holds({ epoch: 'e1', offset: 5, id: 'abc' })).toBe(true)
    expect(holds({ epoch: 'e1', offset: 0, id: '' })).toBe(true)
    expect(holds({ epoch: 'e1', offset: 0 })).toBe(true)
    expect(holds({ epoch: 'e1', offset: Number.MAX_SAFE_INTEGER })).toBe(true)
  })

  it.each(['-1', '1.5', '1e400', '9007199254740993', '"5"', 'null', 'true', '[1]', '{}', '1e309', '-1e400'])(
    'refuses the offset %s',
    (offset) => expect(holds(JSON.parse(`{"epoch":"e1","offset":${offset}}`))).toBe(false),
  )

  it.each([undefined, null, 5, '', 'e'.repeat(10_240), 'e\u0000', 'e 1', 'é', 'e\n', {}])(
    'refuses the epoch %j',
    (epoch) => expect(holds({ epoch, offset: 1 })).toBe(false),
  )

  it.each([null, 5, 'a'.repeat(33), 'a b', {}])('refuses the id %j', (id) =>
    expect(holds({ epoch: 'e', offset: 1, id })).toBe(false),
  )
})

describe('since', () => {
  it.each(['newest:0', 'newest:1', 'newest:9999'])('takes %s', (value) =>
    expect(since.check(value, '')).toBeUndefined(),
  )

  it.each([
    'newest:',
    'newest:-1',
    'newest:01',
    'newest:10000',
    'newest:1.5',
    'newest:1\n',
    'Newest:1',
    'oldest:1',
    '',
  ])('refuses %j', (value) => expect(since.check(value, 'since')?.path).toBe('since'))

  it('takes a position', () => expect(since.check({ epoch: 'e', offset: 1 }, '')).toBeUndefined())
})

describe('newestCount', () => {
  it('is the number asked for, and nothing for a position', () => {
    expect(newestCount('newest:25')).toBe(25)
    expect(newestCount('newest:0')).toBe(0)
    expect(newestCount({ epoch: 'e', offset: 1 })).toBeUndefined()
  })
})

describe('the reasons for a gap', () => {
  it('are distinct', () => expect(new Set(GAP_REASONS).size).toBe(GAP_REASONS.length))
})
