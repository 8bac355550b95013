import { describe, expect, it } from 'vitest'
import type { Store } from '../store.js'
import { addComparison, addSchedule, at, cancelled, claim, completed, failed, runOf } from './samples.js'

/** What every store does with background work. */
export function describeRuns(store: () => Store, again: () => Promise<Store>): void {
  describe('runs', () => {
    it('are claimed oldest first, those of a comparison in their order, with everything that they need', async () => {
      const newer = await addSchedule(store(), { id: 's2', userId: 'bob', seconds: 3 })
      await addComparison(store(), { id: 'c1', userId: 'ada', seconds: 2 })
      const older = await addSchedule(store(), { id: 's1', userId: 'ada', seconds: 1 })
      const runs = await claim(store(), 'runner', 4)
      expect(runs.map(({ id }) => id)).toEqual(['run-s1', 'run-c1-given', 'run-c1-spt-pack', 'run-c1-lpt-pack'])
      expect(runs[0]).toEqual({ ...runOf(older), attempt: 1 })
      expect(runs[1]).toEqual({
        ...{ id: 'run-c1-given', userId: 'ada', comparisonId: 'c1', strategy: 'given', mode: 'improved' },
        ...{ attempt: 1, input: older.input },
      })
      expect(await claim(store(), 'runner', 4)).toEqual([{ ...runOf(newer), attempt: 1 }])
      expect(await claim(store(), 'runner', 4)).toEqual([])
    })

    it('are claimed of those who were not served first, and then of who was served longest ago', async () => {
      for (const [n, userId] of ['ada', 'ada', 'bob', 'bob'].entries())
        await addSchedule(store(), { id: `s${n}`, userId, seconds: n })
      const other = await again()
      const next = async (through: Store, now: number): Promise<string | undefined> =>
        (await claim(through, 'runner', 1, now))[0]?.id
      // Whoever takes them: the turns are those of all servers.
      expect(await next(store(), 10)).toBe('run-s0')
      expect(await next(other, 11)).toBe('run-s2')
      expect(await next(other, 12)).toBe('run-s1')
      expect(await next(store(), 13)).toBe('run-s3')
      expect(await next(other, 14)).toBeUndefined()
      await other.close()
    })

    it('of those who are gone are anybody’s at once, as a further attempt, and nobody else’s', async () => {
      for (const n of [1, 2, 3]) await addSchedule(store(), { id: `s${n}`, userId: 'ada', seconds: n })
      await claim(store(), 'gone', 1, 10)
      await claim(store(), 'here', 1, 10)
      await store().runs.inherit('here', at(11))
      expect((await claim(store(), 'here', 10, 12)).map(({ id, attempt }) => [id, attempt])).toEqual([
        ['run-s1', 2],
        ['run-s3', 1],
      ])
      expect(await store().runs.renew('run-s1', 'gone', at(90))).toBe(false)
      expect(await store().runs.renew('run-s2', 'here', at(90))).toBe(true)
      // Also what was given back by a clock that was ahead.
      await store().runs.release('run-s1', 'here', at(900))
      await store().runs.inherit('next', at(12))
      expect((await claim(store(), 'next', 1, 13)).map(({ id }) => id)).toEqual(['run-s1'])
    })

    it('that are given back are anybody’s at once, and that attempt is not counted', async () => {
      const schedule = await addSchedule(store(), { id: 's1', userId: 'ada' })
      await claim(store(), 'first', 1, 10)
      expect(await store().runs.release('run-s1', 'second', at(11))).toBe(false)
      expect(await store().runs.release('run-s1', 'first', at(11))).toBe(true)
      expect(await claim(store(), 'second', 1, 12)).toEqual([{ ...runOf(schedule), attempt: 1 }])
      expect(await store().runs.release('run-s1', 'first', at(13))).toBe(false)
      await store().runs.finish('run-s1', 'second', completed(40))
      expect(await store().runs.release('run-s1', 'second', at(14))).toBe(false)
    })

    it('are taken up again when their lease has lapsed, as a further attempt, and not before', async () => {
      const schedule = await addSchedule(store(), { id: 's1', userId: 'ada' })
      await claim(store(), 'first', 1, 10)
      expect(await claim(store(), 'second', 1, 70)).toEqual([])
      expect(await store().runs.renew('run-s1', 'first', at(90))).toBe(true)
      expect(await claim(store(), 'second', 1, 89)).toEqual([])
      expect(await claim(store(), 'second', 1, 91)).toEqual([{ ...runOf(schedule), attempt: 2 }])
      // It has been running since the first attempt.
      expect(await store().schedules.get('ada', 's1')).toMatchObject({ status: 'running', startedAt: at(10) })
    })

    it('that come back to who had them are no further attempt', async () => {
      const schedule = await addSchedule(store(), { id: 's1', userId: 'ada' })
      for (const now of [10, 100, 200])
        expect(await claim(store(), 'first', 1, now)).toEqual([{ ...runOf(schedule), attempt: 1 }])
      await store().runs.release('run-s1', 'first', at(201))
      expect(await claim(store(), 'first', 1, 202)).toEqual([{ ...runOf(schedule), attempt: 1 }])
      expect(await claim(store(), 'second', 1, 300)).toEqual([{ ...runOf(schedule), attempt: 2 }])
      expect(await claim(store(), 'first', 1, 400)).toEqual([{ ...runOf(schedule), attempt: 3 }])
    })

    it('obey who has them, and nobody who had them', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      expect(await store().runs.renew('run-s1', 'first', at(90))).toBe(false)
      await claim(store(), 'first', 1, 10)
      await claim(store(), 'second', 1, 100)
      expect(await store().runs.renew('run-s1', 'first', at(200))).toBe(false)
      expect(await store().runs.finish('run-s1', 'first', completed(40))).toBe(false)
      expect(await store().schedules.get('ada', 's1')).not.toHaveProperty('result')
      expect(await store().runs.finish('run-s1', 'second', completed(41))).toBe(true)
      expect((await store().schedules.get('ada', 's1'))?.result?.plan.makespanHours).toBe(41)
    })

    it('end once', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      await claim(store(), 'runner')
      expect(await store().runs.finish('run-s1', 'runner', completed(40))).toBe(true)
      expect(await store().runs.finish('run-s1', undefined, cancelled())).toBe(false)
      expect(await store().runs.finish('run-s1', 'runner', failed('late'))).toBe(false)
      expect(await store().runs.renew('run-s1', 'runner', at(999))).toBe(false)
      expect(await claim(store(), 'other', 10, 5_000)).toEqual([])
      expect(await store().schedules.get('ada', 's1')).toMatchObject({ status: 'completed', endedAt: at(100) })
    })

    it('end once, whoever races whom', async () => {
      const other = await again()
      for (let n = 0; n < 10; n += 1) {
        await addSchedule(store(), { id: `s${n}`, userId: 'ada' })
        await claim(store(), 'runner')
        const ends = await Promise.all([
          store().runs.finish(`run-s${n}`, 'runner', completed(40)),
          other.runs.finish(`run-s${n}`, undefined, cancelled()),
          store().runs.finish(`run-s${n}`, undefined, failed('x')),
        ])
        expect(ends.filter(Boolean)).toHaveLength(1)
      }
      await other.close()
    })

    it('are cancelled before anybody has claimed them', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      expect(await store().runs.finish('run-s1', undefined, cancelled(5))).toBe(true)
      expect(await claim(store(), 'runner')).toEqual([])
      const schedule = await store().schedules.get('ada', 's1')
      expect(schedule).toMatchObject({ status: 'cancelled', endedAt: at(5) })
      expect(schedule).not.toHaveProperty('startedAt')
    })

    it('that nobody knows end nothing', async () => {
      expect(await store().runs.finish('none', undefined, cancelled())).toBe(false)
      expect(await store().runs.renew('none', 'runner', at(1))).toBe(false)
    })

    it('are open until they have ended', async () => {
      await addSchedule(store(), { id: 's1', userId: 'ada' })
      await addComparison(store(), { id: 'c1', userId: 'ada', seconds: 1 })
      await claim(store(), 'runner', 2)
      const open = async (owner: Parameters<Store['runs']['open']>[0]): Promise<string[]> =>
        (await store().runs.open(owner)).map(({ id, attempt }) => `${id} ${attempt}`)
      expect(await open({ scheduleId: 's1' })).toEqual(['run-s1 1'])
      expect(await open({ comparisonId: 'c1' })).toEqual(['run-c1-given 1', 'run-c1-spt-pack 0', 'run-c1-lpt-pack 0'])
      await store().runs.finish('run-c1-given', 'runner', completed(40))
      expect(await open({ comparisonId: 'c1' })).toEqual(['run-c1-spt-pack 0', 'run-c1-lpt-pack 0'])
      expect(await open({ scheduleId: 'none' })).toEqual([])
    })

    it('are nobody’s twice when several claim at the same time', async () => {
      for (let n = 0; n < 40; n += 1) await addSchedule(store(), { id: `s${n}`, userId: 'ada', seconds: n })
      const other = await again()
      const claims = Array.from({ length: 16 }, (_, n) => claim(n % 2 === 0 ? store() : other, `runner-${n}`, 3))
      const claimed = (await Promise.all(claims)).flat()
      expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length)
      expect(claimed.every(({ attempt }) => attempt === 1)).toBe(true)
      const rest = await claim(store(), 'last', 100)
      expect(claimed.length + rest.length).toBe(40)
      await other.close()
    })
  })
}
