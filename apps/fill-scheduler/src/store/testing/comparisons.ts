import { describe, expect, it } from 'vitest'
import type { RunEnd, Store } from '../store.js'
import { addComparison, at, cancelled, claim, completed, failed, resultOf } from './samples.js'

const PAGE = { page: 1, pageSize: 100 }

/** What every store does with comparisons. */
export function describeComparisons(store: () => Store): void {
  describe('comparisons', () => {
    const end = async (ends: Record<string, RunEnd>): Promise<void> => {
      for (const [strategy, how] of Object.entries(ends)) {
        expect(await store().runs.finish(`run-c1-${strategy}`, undefined, how)).toBe(true)
      }
    }
    const status = async (): Promise<string | undefined> => (await store().comparisons.get('ada', 'c1'))?.status

    it('come back as they were given, with a pending result for each run in their order', async () => {
      const comparison = await addComparison(store(), { id: 'c1', userId: 'ada' })
      expect(await store().comparisons.get('ada', 'c1')).toEqual({
        ...comparison,
        results: ['given', 'spt-pack', 'lpt-pack'].map((strategy) => ({ strategy, status: 'pending' })),
      })
    })

    it('run while one of their runs does, and until all have ended', async () => {
      await addComparison(store(), { id: 'c1', userId: 'ada' })
      await claim(store(), 'runner', 1)
      expect(await store().comparisons.get('ada', 'c1')).toMatchObject({
        status: 'running',
        results: [{ status: 'running' }, { status: 'pending' }, { status: 'pending' }],
      })
      await end({ given: completed(50, 20), 'spt-pack': completed(40, 21) })
      expect(await status()).toBe('running')
      expect(await store().comparisons.get('ada', 'c1')).not.toHaveProperty('endedAt')
      expect(await store().comparisons.status('ada', 'c1')).toBe('running')
      expect(await store().comparisons.status('ada', 'c1', 'given')).toBe('completed')
      expect(await store().comparisons.status('ada', 'c1', 'lpt-pack')).toBe('pending')
      for (const [user, id, strategy] of [
        ['bob', 'c1'],
        ['bob', 'c1', 'given'],
        ['ada', 'c2'],
        ['ada', 'c1', 'exact'],
      ] as const)
        expect(await store().comparisons.status(user, id, strategy)).toBeUndefined()
      await end({ 'lpt-pack': failed('no_plan', 22) })
      expect(await store().comparisons.get('ada', 'c1')).toMatchObject({
        status: 'completed',
        endedAt: at(22),
        results: [
          { strategy: 'given', status: 'completed', result: resultOf(50) },
          { strategy: 'spt-pack', status: 'completed', result: resultOf(40) },
          { strategy: 'lpt-pack', status: 'failed', error: { code: 'no_plan', message: 'it was no_plan' } },
        ],
      })
    })

    it.each([
      ['failed', { given: failed('x'), 'spt-pack': failed('x'), 'lpt-pack': failed('x') }],
      ['cancelled', { given: failed('x'), 'spt-pack': cancelled(), 'lpt-pack': failed('x') }],
      ['completed', { given: completed(40), 'spt-pack': cancelled(), 'lpt-pack': failed('x') }],
    ])('are %s by what their runs came to', async (expected, ends) => {
      await addComparison(store(), { id: 'c1', userId: 'ada' })
      await end(ends)
      expect(await status()).toBe(expected)
    })

    it('end once when their runs end at the same time', async () => {
      await addComparison(
        store(),
        { id: 'c1', userId: 'ada' },
        { strategies: ['spt-pack', 'lpt-pack', 'cfs-pack', 'exact'] },
      )
      await claim(store(), 'runner')
      const runs = ['given', 'spt-pack', 'lpt-pack', 'cfs-pack', 'exact']
      const ended = runs.map((strategy, n) => store().runs.finish(`run-c1-${strategy}`, 'runner', completed(40 + n, n)))
      expect(await Promise.all(ended)).toEqual(runs.map(() => true))
      expect(await status()).toBe('completed')
    })

    it('are listed newest first without results, with the best of what is there', async () => {
      await addComparison(store(), { id: 'c1', userId: 'ada', seconds: 1 }, { name: 'First' })
      await addComparison(store(), { id: 'c2', userId: 'ada', seconds: 2 }, { strategies: ['exact', 'cfs-pack'] })
      await end({ given: completed(50), 'spt-pack': completed(40), 'lpt-pack': completed(45) })
      const { items, total } = await store().comparisons.list('ada', PAGE)
      expect(total).toBe(2)
      expect(items).toEqual([
        expect.objectContaining({ id: 'c2', strategies: ['exact', 'cfs-pack'], lots: 2 }),
        {
          ...{ id: 'c1', userId: 'ada', name: 'First', status: 'completed', mode: 'improved', lots: 2 },
          ...{ strategies: ['spt-pack', 'lpt-pack'], bestStrategy: 'spt-pack', bestMakespanHours: 40 },
          ...{ createdAt: at(1), endedAt: at(100) },
        },
      ])
      expect(items[0]).not.toHaveProperty('bestStrategy')
    })

    it('are found by status, by a strategy among theirs and by a part of the name', async () => {
      await addComparison(store(), { id: 'c1', userId: 'ada', seconds: 1 }, { name: 'Straße' })
      await addComparison(store(), { id: 'c2', userId: 'ada', seconds: 2 }, { strategies: ['exact', 'cfs-pack'] })
      await claim(store(), 'runner', 1)
      const found = async (query: object): Promise<string[]> =>
        (await store().comparisons.list('ada', { ...PAGE, ...query })).items.map(({ id }) => id)
      expect(await found({ status: 'running' })).toEqual(['c1'])
      expect(await found({ strategy: 'exact' })).toEqual(['c2'])
      expect(await found({ search: 'straß' })).toEqual(['c1'])
      expect(await store().comparisons.list('ada', { page: 2, pageSize: 1 })).toMatchObject({
        items: [{ id: 'c1' }],
        total: 2,
      })
    })

    it('are gone with their runs when deleted', async () => {
      await addComparison(store(), { id: 'c1', userId: 'ada' })
      await claim(store(), 'runner', 1)
      expect(await store().comparisons.delete('ada', 'c1')).toBe(true)
      expect(await store().comparisons.delete('ada', 'c1')).toBe(false)
      expect(await store().runs.finish('run-c1-given', 'runner', completed(40))).toBe(false)
      expect(await claim(store(), 'runner')).toEqual([])
    })

    it('do not exist for others', async () => {
      await addComparison(store(), { id: 'c1', userId: 'ada' })
      expect(await store().comparisons.get('bob', 'c1')).toBeUndefined()
      expect(await store().comparisons.delete('bob', 'c1')).toBe(false)
      expect(await store().comparisons.list('bob', PAGE)).toEqual({ items: [], total: 0 })
      expect(await status()).toBe('pending')
    })
  })
}
