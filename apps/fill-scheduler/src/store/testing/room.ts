import { describe, expect, it } from 'vitest'
import type { NoRoomError, Store } from '../store.js'
import { addComparison, addSchedule, cancelled, runOf, scheduleOf, templateOf } from './samples.js'

/** What every store does where a user has as much as is allowed. */
export function describeRoom(store: () => Store, again: () => Promise<Store>): void {
  describe('room', () => {
    const room = { openMax: 3, plansMax: 5 }
    const add = (id: string, through: Store = store(), userId: string = 'ada'): Promise<void> => {
      const schedule = scheduleOf({ id, userId })
      return through.schedules.create(schedule, runOf(schedule), room)
    }
    const refusal = (adding: Promise<unknown>): Promise<string> =>
      adding.then(
        () => 'none',
        (error: unknown) => `${(error as NoRoomError).limit} ${(error as NoRoomError).max}`,
      )

    it('is for so many open schedules and comparisons together, whoever makes them at the same time', async () => {
      const other = await again()
      await addComparison(store(), { id: 'c1', userId: 'ada' })
      const adding = ['a', 'b', 'c', 'd', 'e'].map((id, n) => refusal(add(id, n % 2 === 0 ? store() : other)))
      const answers = await Promise.all(adding)
      expect(answers.filter((answer) => answer === 'none')).toHaveLength(2)
      expect(answers.filter((answer) => answer === 'open_runs 3')).toHaveLength(3)
      expect((await store().schedules.list('ada', { page: 1, pageSize: 10 })).total).toBe(2)
      // Nothing of another counts, and what has ended makes room.
      expect(await refusal(add('x', store(), 'bob'))).toBe('none')
      for (const run of await store().runs.open({ comparisonId: 'c1' }))
        await store().runs.finish(run.id, undefined, cancelled())
      expect(await refusal(add('f', other))).toBe('none')
      await other.close()
    })

    it('is for so many in all, of which none goes unasked', async () => {
      await addComparison(store(), { id: 'c1', userId: 'ada' })
      for (const id of ['a', 'b', 'c', 'd']) await addSchedule(store(), { id, userId: 'ada' })
      for (const id of ['a', 'b', 'c', 'd']) await store().runs.finish(`run-${id}`, undefined, cancelled())
      expect(await refusal(add('e'))).toBe('plans 5')
      expect((await store().schedules.list('ada', { page: 1, pageSize: 10 })).total).toBe(4)
      await store().schedules.delete('ada', 'a')
      expect(await refusal(add('e'))).toBe('none')
    })

    it('is for nobody whose account is closed', async () => {
      await store().users.delete('ada')
      await expect(add('e')).rejects.toMatchObject({ name: 'NoUserError' })
      await expect(store().templates.create(templateOf({ id: 't', userId: 'ada' }), 2)).rejects.toMatchObject({
        name: 'NoUserError',
      })
    })

    it('is for so many templates', async () => {
      const keep = (id: string, userId: string = 'ada'): Promise<string> =>
        refusal(store().templates.create(templateOf({ id, userId }), 2))
      const answers = await Promise.all(['a', 'b', 'c'].map((id) => keep(id)))
      expect(answers.filter((answer) => answer === 'none')).toHaveLength(2)
      expect(answers).toContain('templates 2')
      expect(await keep('d', 'bob')).toBe('none')
    })
  })
}
