import { describe, expect, it } from 'vitest'
import { durationMs } from './duration.js'

describe('durationMs', () => {
  it.each<[number | string, number]>([
    [0, 0],
    [250, 250],
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['999999999ms', 999_999_999],
    ['36525d', 3_155_760_000_000],
  ])('reads %j', (duration, ms) => expect(durationMs(duration)).toBe(ms))

  it.each([
    -1,
    1.5,
    Number.NaN,
    Infinity,
    2 ** 53,
    '',
    '5',
    's',
    '-5s',
    '1.5h',
    '5 s',
    '5S',
    '5w',
    '1h30m',
    '5s\n',
    '9999999999s',
    '36526d',
    '999999999d',
    3_155_760_000_001,
  ])('does not read %j', (duration) => expect(durationMs(duration)).toBeUndefined())

  it('does not read what is neither number nor text', () => {
    for (const value of [undefined, null, {}, [], true]) expect(durationMs(value as never)).toBeUndefined()
  })
})
