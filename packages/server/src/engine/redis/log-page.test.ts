import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBody } from './announcement.js'
import { decodePage } from './log-page.js'
import type { Reply } from './shard.js'

const body = (offset: number): string =>
  encodeBody({ id: `m${offset}`, event: 'e', data: String(offset), from: { user: 'u' }, at: '' })

/** The reply of the script for a log that begins at 1: an entry for each offset, ours or not, from `from` on or below `before`. */
function replyOf(log: readonly boolean[], keep: 'oldest' | 'newest', { from = 1, limit = 1_000 } = {}): Reply[] {
  const offsets = log.map((_, at) => at + 1).filter((offset) => offset >= from)
  const some = keep === 'oldest' ? offsets.slice(0, limit) : offsets.toReversed().slice(0, limit)
  const entries = some.flatMap((offset): Reply[] => [String(offset), log[offset - 1] ? body(offset) : ''])
  return ['epoch', log.length, log.length === 0 ? '' : `m${log.length}`, 1, 0, '', '', ...entries]
}

const offsetsOf = (
  reply: Reply[],
  keep: 'oldest' | 'newest',
): [first: number, offsets: unknown[], foreign: readonly number[]] => {
  const { page, foreign } = decodePage(reply, keep)
  return [page.first, page.messages.map(({ offset }) => offset), foreign]
}

const T = true
const F = false

describe('a page of a log', () => {
  it.each<[boolean[], 'oldest' | 'newest', number, number[], number[]]>([
    [[], 'oldest', 1, [], []],
    [[T, T, T], 'oldest', 1, [1, 2, 3], []],
    [[T, T, T], 'newest', 1, [1, 2, 3], []],
    [[T, F, T], 'oldest', 1, [1], [2]],
    [[T, F, T], 'newest', 3, [3], [2]],
    [[F, F, T], 'oldest', 3, [3], [1, 2]],
    [[F, T, F], 'oldest', 2, [2], [1, 3]],
    [[T, T, F], 'newest', 4, [], [3]],
    [[F, F, F], 'oldest', 4, [], [1, 2, 3]],
  ])(
    'T-095 of %j, read for the %s, begins at %i and holds %j: what others wrote is at %j',
    (log, keep, ...expected) => {
      expect(offsetsOf(replyOf(log, keep), keep)).toEqual(expected)
    },
  )

  it('T-095 never has a hole, and read on from page to page comes by every message that stands between others', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (log, limit) => {
        const seen: number[] = []
        for (let from = 1; from <= log.length;) {
          const { page, foreign } = decodePage(replyOf(log, 'oldest', { from, limit }), 'oldest')
          const offsets = page.messages.map(({ offset }) => offset ?? 0)
          for (const [at, offset] of offsets.entries()) expect(offset).toBe((offsets[0] ?? 0) + at)
          if (offsets.length === 0) expect(foreign.length).toBeGreaterThan(0)
          seen.push(...offsets)
          from = (offsets.at(-1) ?? page.first - 1) + 1
        }
        expect(seen).toEqual(log.flatMap((isOurs, at) => (isOurs ? [at + 1] : [])))
      }),
    )
  })

  it('T-095 read for the newest is what follows the last that is not ours, up to the top', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (log) => {
        const last = log.lastIndexOf(false)
        const [first, offsets] = offsetsOf(replyOf(log, 'newest'), 'newest')
        expect(first).toBe(last + 2)
        expect(offsets).toEqual(log.map((_, at) => at + 1).slice(last + 1))
      }),
    )
  })
})
