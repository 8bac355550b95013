import { describe, expect, it } from 'vitest'
import type { Store } from '../store.js'
import { addSchedule, at, cancelled, claim, completed, failed, resultOf, runOf, scheduleOf } from './samples.js'

const PAGE = { page: 1, pageSize: 100 }

/** What every store does with schedules. */
export function describeSchedules(store: () => Store): void {
  describe('schedules', () => {
    const ids = async (query: object = {}, user: string = 'ada'): Promise<string[]> =>
      (await store().schedules.list(user, { ...PAGE, ...query })).items.map(({ id }) => id)

    it('come back as they were given', async () => {
      const schedule = await addSchedule(
        store(),
        { id: 's1', userId: 'ada' },
        { description: 'a "quoted" Ünïcode 中文 🧪' },
      )
      expect(await store().schedules.get('ada', 's1')).toEqual(schedule)
      const again = await addSchedule(store(), { id: 's2', userId: 'ada' }, { replans: 's1', mode: 'classic' })
      expect(await store().schedules.get('ada', 's2')).toEqual(again)
    })

    it('have a result of many lots that comes back to the last digit', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      await claim(store(), 'runner')
      const fill = { kind: 'FILL', line: 1, lotType: 'VialE', note: '1 vials' } as const
      const activities = Array.from({ length: 2_000 }, (_, n) => {
        return { ...fill, startHours: n / 3, endHours: (n + 1) / 3, lotId: `L${n}` }
      })
      const result = { ...resultOf(700), plan: { activities, makespanHours: 2_000 / 3 } }
      await store().runs.finish('run-s1', 'runner', { status: 'completed', result, at: at(50) })
      expect((await store().schedules.get('ada', 's1'))?.result).toEqual(result)
    })

    it('are refused whole when they are there already', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      await expect(addSchedule(store(), { id: 's1', userId: 'bob' }, { name: 'mine' })).rejects.toThrow()
      const other = scheduleOf({ id: 's2', userId: 'bob' })
      await expect(store().schedules.create(other, { ...runOf(other), id: 'run-s1' })).rejects.toThrow()
      expect(await ids({}, 'bob')).toEqual([])
      expect(await store().schedules.get('ada', 's1')).toMatchObject({ name: 'Week of s1' })
    })

    it('are refused to users that do not exist', async () => {
      await expect(addSchedule(store(), { id: 's1', userId: 'nobody' })).rejects.toThrow()
    })

    it('are listed newest first, in pages, with the number of all', async () => {
      for (const [n, id] of ['a', 'b', 'c', 'd', 'e'].entries()) {
        await addSchedule(store(), { id, userId: 'ada', seconds: n < 2 ? 5 : n })
      }
      expect(await ids()).toEqual(['b', 'a', 'e', 'd', 'c'])
      expect(await store().schedules.list('ada', { page: 2, pageSize: 2 })).toMatchObject({
        items: [{ id: 'e' }, { id: 'd' }],
        total: 5,
      })
      expect(await store().schedules.list('ada', { page: 4, pageSize: 2 })).toEqual({ items: [], total: 5 })
    })

    it('are listed without lots and activities', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      await claim(store(), 'runner')
      await store().runs.finish('run-s1', 'runner', completed(40.5))
      const { items } = await store().schedules.list('ada', PAGE)
      const { input: _input, ...listed } = scheduleOf({ id: 's1', userId: 'ada' })
      expect(items).toEqual([
        {
          ...listed,
          status: 'completed',
          lots: 2,
          makespanHours: 40.5,
          utilisationPercent: (16.5 / 40.5) * 100,
          startedAt: at(10),
          endedAt: at(100),
        },
      ])
    })

    it('are found by status, by strategy and by a part of the name in any case', async () => {
      await addSchedule(store(), { id: 'a', userId: 'ada', seconds: 1 }, { name: 'Köln 100% A_1', strategy: 'exact' })
      await addSchedule(store(), { id: 'b', userId: 'ada', seconds: 2 }, { name: 'KÖLN 100 x\\1' })
      await addSchedule(store(), { id: 'c', userId: 'ada', seconds: 3 }, { name: 'other' })
      await claim(store(), 'runner', 1)
      expect(await ids({ search: 'köln' })).toEqual(['b', 'a'])
      expect(await ids({ search: '100%' })).toEqual(['a'])
      expect(await ids({ search: 'a_1' })).toEqual(['a'])
      expect(await ids({ search: 'x\\' })).toEqual(['b'])
      expect(await ids({ search: '%' })).toEqual(['a'])
      expect(await ids({ status: 'running' })).toEqual(['a'])
      expect(await ids({ strategy: 'exact' })).toEqual(['a'])
      expect(await ids({ strategy: 'smart-pack', search: 'KÖLN', status: 'pending' })).toEqual(['b'])
      expect((await store().schedules.list('ada', { ...PAGE, search: 'köln' })).total).toBe(2)
    })

    it('are counted by status and by strategy', async () => {
      expect(await store().schedules.counts('ada')).toEqual({ status: {}, strategy: {} })
      await addSchedule(store(), { id: 'a', userId: 'ada', seconds: 1 }, { strategy: 'exact' })
      await addSchedule(store(), { id: 'b', userId: 'ada', seconds: 2 })
      await addSchedule(store(), { id: 'c', userId: 'ada', seconds: 3 })
      await addSchedule(store(), { id: 'd', userId: 'bob', seconds: 4 })
      await claim(store(), 'runner', 2)
      await store().runs.finish('run-a', 'runner', failed('no_plan'))
      expect(await store().schedules.counts('ada')).toEqual({
        status: { failed: 1, running: 1, pending: 1 },
        strategy: { exact: 1, 'smart-pack': 2 },
      })
    })

    it('tell when they were handed in, begun and ended', async () => {
      await addSchedule(store(), { id: 'a', userId: 'ada', seconds: 1 }, { strategy: 'exact' })
      await addSchedule(store(), { id: 'b', userId: 'ada', seconds: 20 })
      await addSchedule(store(), { id: 'c', userId: 'bob', seconds: 2 })
      await claim(store(), 'runner', 1)
      await store().runs.finish('run-a', 'runner', completed(40))
      const times = await store().schedules.times('ada')
      expect(times).toHaveLength(2)
      expect(times).toContainEqual({
        ...{ strategy: 'exact', status: 'completed' },
        ...{ createdAt: at(1), startedAt: at(10), endedAt: at(100) },
      })
      expect(times).toContainEqual({ strategy: 'smart-pack', status: 'pending', createdAt: at(20) })
    })

    it('are gone with their run when deleted, also while it runs', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      await addSchedule(store(), { id: 's2', userId: 'ada' }, { replans: 's1' })
      await claim(store(), 'runner')
      expect(await store().schedules.delete('ada', 's1')).toBe(true)
      expect(await store().schedules.delete('ada', 's1')).toBe(false)
      expect(await store().schedules.get('ada', 's1')).toBeUndefined()
      expect(await store().runs.renew('run-s1', 'runner', at(99))).toBe(false)
      expect(await store().runs.finish('run-s1', 'runner', completed(40))).toBe(false)
      // What planned it anew stays, and points nowhere.
      expect(await store().schedules.get('ada', 's2')).not.toHaveProperty('replans')
    })

    it('do not exist for others', async () => {
      const schedule = await addSchedule(store(), { id: 's1', userId: 'ada' })
      expect(await store().schedules.get('bob', 's1')).toBeUndefined()
      expect(await store().schedules.status('bob', 's1')).toBeUndefined()
      expect(await store().schedules.status('ada', 's1')).toBe('pending')
      expect(await store().schedules.status('ada', 's2')).toBeUndefined()
      expect(await store().schedules.delete('bob', 's1')).toBe(false)
      expect(await store().schedules.list('bob', PAGE)).toEqual({ items: [], total: 0 })
      expect(await store().schedules.list('bob', { ...PAGE, search: 'Week' })).toEqual({ items: [], total: 0 })
      expect(await store().schedules.counts('bob')).toEqual({ status: {}, strategy: {} })
      expect(await store().schedules.get('ada', 's1')).toEqual(schedule)
    })

    it.each([
      ['completed', completed(40), { result: resultOf(40) }],
      ['failed', failed('run_abandoned'), { error: { code: 'run_abandoned', message: 'it was run_abandoned' } }],
      ['cancelled', cancelled(), {}],
    ] as const)('are %s when their run is', async (status, end, more) => {
      const schedule = await addSchedule(store(), { id: 's1', userId: 'ada' })
      await claim(store(), 'runner')
      expect(await store().schedules.get('ada', 's1')).toEqual({ ...schedule, status: 'running', startedAt: at(10) })
      expect(await store().runs.finish('run-s1', 'runner', end)).toBe(true)
      const times = { startedAt: at(10), endedAt: at(100) }
      expect(await store().schedules.get('ada', 's1')).toEqual({ ...schedule, status, ...times, ...more })
    })
  })
}
