import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, IndexEntry, IndexRange } from '../engine.js'
import type { SharedState } from './shared-state.js'

/** Keys whose order and identity are easily got wrong, in the order of their code units. */
const KEYS = [
  '',
  '\n',
  ' ',
  '-1',
  '0',
  '10',
  '2',
  'A',
  'Z',
  'a',
  'a\u0000',
  'aa',
  'b',
  '~',
  'é',
  '\u{1f600}',
  '\u{1f601}',
  '\ufb01',
  '\uff5e',
]

/** Scores, two of which differ by little. */
const SCORES = [-1e300, -1.5, 0, 5e-324, 0.1, 0.1 + Number.EPSILON, 1, 1_690_000_000_000, 2 ** 53, 1e300]

const LONG = 10_000_000

type Step =
  | { readonly do: 'put'; readonly key: string; readonly score: number; readonly ttlMs: number }
  | { readonly do: 'remove'; readonly key: string }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'range'; readonly range: IndexRange }

const anyKey = fc.constantFrom(...KEYS)
const anyScore = fc.constantFrom(...SCORES)
const anyRange: fc.Arbitrary<IndexRange> = fc.record(
  {
    from: anyScore,
    to: anyScore,
    after: fc.record({ key: anyKey, score: anyScore }),
    order: fc.constantFrom('ascending' as const, 'descending' as const),
    limit: fc.nat(30),
  },
  { requiredKeys: ['limit'] },
)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: anyKey,
      score: anyScore,
      ttlMs: fc.constantFrom(100_000, 200_000, LONG),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), key: anyKey }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('range' as const), range: anyRange }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(60_000, 150_000) }) },
)

function byScoreAndKey(one: IndexEntry, other: IndexEntry): number {
  return one.score - other.score || (one.key < other.key ? -1 : Number(one.key > other.key))
}

/** The model: all entries in a list that is sorted, cut and turned anew each time. */
function expected(entries: readonly IndexEntry[], range: IndexRange): readonly IndexEntry[] {
  const { from = -Infinity, to = Infinity, after, order, limit } = range
  const direction = order === 'descending' ? -1 : 1
  const found = entries
    .filter(({ score }) => score >= from && score <= to)
    .filter((entry) => after === undefined || byScoreAndKey(entry, after) * direction > 0)
  return found.sort((one, other) => byScoreAndKey(one, other) * direction).slice(0, limit)
}

async function follow(engine: Engine, name: string, steps: readonly Step[], pass: SharedState['pass']): Promise<void> {
  let [now, entries]: [number, (IndexEntry & { until: number })[]] = [0, []]
  const there = (): readonly IndexEntry[] => entries.map(({ key, score }) => ({ key, score }))
  for (const step of steps) {
    if (step.do === 'pass') {
      await pass(step.ms)
      now += step.ms
      entries = entries.filter(({ until }) => until > now)
    } else if (step.do === 'put') {
      await engine.indexes.put(name, step)
      entries = [...entries.filter(({ key }) => key !== step.key), { ...step, until: now + step.ttlMs }]
    } else if (step.do === 'remove') {
      const isThere = entries.some(({ key }) => key === step.key)
      expect(await engine.indexes.remove(name, step.key)).toBe(isThere)
      entries = entries.filter(({ key }) => key !== step.key)
    } else {
      expect(await engine.indexes.range(name, step.range)).toEqual(expected(there(), step.range))
    }
  }
  expect(await engine.indexes.range(name, { limit: 100 })).toEqual(expected(there(), { limit: 100 }))
}

/** The contract of indexes. */
export function describeIndexes(current: () => SharedState): void {
  let engine: Engine
  let pass: SharedState['pass']

  beforeEach(() => {
    ;({ engine, pass } = current())
  })

  describe('indexes', () => {
    const put = (key: string, score: number, ttlMs = 60_000): Promise<void> =>
      engine.indexes.put('i', { key, score, ttlMs })
    const keys = async (range: Partial<IndexRange> = {}): Promise<readonly string[]> =>
      (await engine.indexes.range('i', { limit: 100, ...range })).map(({ key }) => key)

    it('list entries by their scores, in either direction', async () => {
      await Promise.all([put('late', 30), put('early', 10), put('middle', 20.5)])
      expect(await engine.indexes.range('i', { limit: 10 })).toEqual([
        { key: 'early', score: 10 },
        { key: 'middle', score: 20.5 },
        { key: 'late', score: 30 },
      ])
      expect(await keys({ order: 'descending' })).toEqual(['late', 'middle', 'early'])
      expect(await keys({ order: 'descending', limit: 2 })).toEqual(['late', 'middle'])
      expect(await keys({ limit: 0 })).toEqual([])
    })

    it('list entries of one score by the code units of their keys', async () => {
      for (const key of [...KEYS].reverse()) await put(key, 7)
      expect(await keys()).toEqual(KEYS)
      expect(await keys({ order: 'descending' })).toEqual([...KEYS].reverse())
    })

    it('take both ends of a range for a part of it', async () => {
      for (const score of [1, 2, 3, 4]) await put(`k${score}`, score)
      expect(await keys({ from: 2, to: 3 })).toEqual(['k2', 'k3'])
      expect(await keys({ from: 2, to: 3, order: 'descending' })).toEqual(['k3', 'k2'])
      expect(await keys({ from: 3, to: 2 })).toEqual([])
      expect(await keys({ from: -Infinity, to: Infinity })).toHaveLength(4)
    })

    it('give back every score as it was', async () => {
      for (const [at, score] of SCORES.entries()) await put(`k${at}`, score)
      expect((await engine.indexes.range('i', { limit: 100 })).map(({ score }) => score)).toEqual(SCORES)
      await put('zero', -0)
      expect(await engine.indexes.range('i', { from: 0, to: 0, limit: 10 })).toEqual([
        { key: 'k2', score: 0 },
        { key: 'zero', score: 0 },
      ])
    })

    it('move a key that is entered again', async () => {
      await put('a', 1)
      await put('b', 2)
      await put('a', 3)
      expect(await keys()).toEqual(['b', 'a'])
    })

    it('go on behind an entry, one page after the other, in either direction', async () => {
      for (let n = 0; n < 50; n += 1) await put(`k${String(n % 7)}-${n}`, n % 3)
      for (const order of ['ascending', 'descending'] as const) {
        const paged: IndexEntry[] = []
        for (;;) {
          const after = paged.at(-1)
          const page = await engine.indexes.range('i', { order, limit: 7, ...(after && { after }) })
          paged.push(...page)
          if (page.length < 7) break
        }
        expect(paged).toEqual(await engine.indexes.range('i', { order, limit: 100 }))
      }
    })

    it('go on behind an entry that has moved or gone', async () => {
      for (const key of ['a', 'b', 'c', 'd']) await put(key, 1)
      await engine.indexes.remove('i', 'b')
      expect(await keys({ after: { key: 'b', score: 1 } })).toEqual(['c', 'd'])
      expect(await keys({ after: { key: 'b', score: 1 }, order: 'descending' })).toEqual(['a'])
      await put('c', 5)
      expect(await keys({ after: { key: 'c', score: 1 } })).toEqual(['d', 'c'])
      expect(await keys({ after: { key: 'x', score: 0 } })).toEqual(['a', 'd', 'c'])
      expect(await keys({ after: { key: 'x', score: 0 }, from: 2 })).toEqual(['c'])
      expect(await keys({ after: { key: 'x', score: 9 }, to: 2, order: 'descending' })).toEqual(['d', 'a'])
    })

    it('tell one of several who remove a key', async () => {
      await put('a', 1)
      const removed = await Promise.all([1, 2, 3].map(() => engine.indexes.remove('i', 'a')))
      expect(removed.filter(Boolean)).toHaveLength(1)
      expect(await engine.indexes.remove('i', 'never')).toBe(false)
    })

    it('forget each entry by its own time, counted from when it was entered last', async () => {
      await put('short', 1, 10_000)
      await put('long', 2, 60_000)
      await put('renewed', 3, 10_000)
      await pass(6_000)
      await put('renewed', 3, 10_000)
      await pass(6_000)
      expect(await keys()).toEqual(['long', 'renewed'])
      expect(await engine.indexes.remove('i', 'short')).toBe(false)
      await pass(60_000)
      expect(await keys()).toEqual([])
    })

    it('shorten the life of an entry that is entered for less', async () => {
      await put('a', 1, 60_000)
      await put('a', 1, 10_000)
      await pass(11_000)
      expect(await keys()).toEqual([])
    })

    it('give what is wanted though much before it has ended', async () => {
      for (let n = 0; n < 700; n += 1) await put(`k${n}`, n, n % 100 === 99 ? 60_000 : 10_000)
      await pass(11_000)
      expect(await keys({ limit: 3 })).toEqual(['k99', 'k199', 'k299'])
      expect(await keys({ limit: 3, order: 'descending' })).toEqual(['k699', 'k599', 'k499'])
    })

    it('know each name for itself', async () => {
      const names = ['a', 'a:', ':a', '1:a', '{a}', 'a\n', '=a', '~61', '']
      for (const name of names) await engine.indexes.put(name, { key: name, score: 1, ttlMs: 60_000 })
      for (const name of names)
        expect(await engine.indexes.range(name, { limit: 9 })).toEqual([{ key: name, score: 1 }])
    })

    it('refuse a score by which nothing can be sorted', async () => {
      for (const score of [NaN, Infinity, -Infinity])
        await expect(put('a', score)).rejects.toThrow('must be a finite number')
      expect(await keys()).toEqual([])
    })

    it('outlive the node that wrote them', async () => {
      await engine.nodes.renew('n1', '', 10_000)
      await put('a', 1)
      await pass(11_000)
      await engine.nodes.reap()
      expect(await keys()).toEqual(['a'])
    })

    it('hold what a plain list would, whatever is done to them', async () => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), (steps) => {
          run += 1
          return follow(engine, `run ${run}`, steps, pass)
        }),
        { numRuns: 30 },
      )
    })
  })
}
