import { beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../store.js'
import { describeComparisons } from './comparisons.js'
import { describeRoom } from './room.js'
import { describeRuns } from './runs.js'
import { addComparison, addSchedule, at, claim, completed, templateOf, userOf } from './samples.js'
import { describeSchedules } from './schedules.js'
import { describeTemplates } from './templates.js'

/** What every store must do. `open` answers an empty one, and `again` one more on the same data. */
export function describeStore(
  name: string,
  open: () => Promise<{ readonly store: Store; again(): Promise<Store>; end(): Promise<void> }>,
): void {
  describe(`the ${name} store`, () => {
    let store: Store
    let again: () => Promise<Store>
    const current = (): Store => store

    beforeEach(async () => {
      const opened = await open()
      store = opened.store
      again = () => opened.again()
      await store.migrate()
      await store.users.create(userOf('ada'))
      await store.users.create(userOf('bob'))
      return async () => {
        await store.close()
        await opened.end()
      }
    })

    describe('as a whole', () => {
      it('answers a ping', async () => {
        await expect(store.ping()).resolves.toBeUndefined()
      })

      it('is brought up to date by several at once, and again, and keeps what is in it', async () => {
        const others = await Promise.all(Array.from({ length: 4 }, () => again()))
        await Promise.all([store, ...others].map((each) => each.migrate()))
        expect(await others[0]?.users.byId('ada')).toEqual(userOf('ada'))
        await Promise.all(others.map((other) => other.close()))
      })

      it('shows each process what another has written', async () => {
        const other = await again()
        await addSchedule(store, { id: 's1', userId: 'ada' })
        expect(await other.schedules.get('ada', 's1')).toMatchObject({ name: 'Week of s1' })
        await other.close()
      })

      it('refuses a text with the character NUL instead of cutting it', async () => {
        await expect(addSchedule(store, { id: 's1', userId: 'ada' }, { name: 'a\0b' })).rejects.toThrow()
        await expect(store.schedules.get('ada', 's1')).resolves.toBeUndefined()
      })

      it('finds nothing where somebody looks for the character NUL', async () => {
        const page = { page: 1, pageSize: 10 }
        await addSchedule(store, { id: 's1', userId: 'ada' }, { name: 'a' })
        expect(await store.schedules.get('ada', 's1\0')).toBeUndefined()
        expect(await store.schedules.delete('ada', 's1\0')).toBe(false)
        expect(await store.schedules.list('ada', { ...page, search: 'a\0' })).toEqual({ items: [], total: 0 })
        expect(await store.comparisons.get('ada', '\0')).toBeUndefined()
        expect(await store.templates.get('ada', '\0')).toBeUndefined()
        expect(await store.templates.update('ada', '\0', { name: 'b' }, at(1))).toBe(false)
        expect(await store.templates.setDefault('ada', '\0')).toBe(false)
        expect(await store.users.byEmail('ada@example.com\0')).toBeUndefined()
      })
    })

    describe('users', () => {
      it('are found by id and by address, in any case', async () => {
        expect(await store.users.byId('ada')).toEqual(userOf('ada'))
        expect(await store.users.byEmail('ADA@Example.com')).toEqual(userOf('ada'))
        expect(await store.users.byEmail('eve@example.com')).toBeUndefined()
        expect(await store.users.byId('eve')).toBeUndefined()
      })

      it('have an address each, also when two ask for it at the same time', async () => {
        const asked = ['x', 'y', 'z'].map((id) => store.users.create({ ...userOf(id), email: 'Eve@example.com' }))
        expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1)
        expect(await store.users.create({ ...userOf('w'), email: 'EVE@example.com' })).toBe(false)
        expect((await store.users.byEmail('eve@example.com'))?.email).toBe('eve@example.com')
      })

      it('change their password once from what it was, also when two change it at the same time', async () => {
        const change = (to: string): Promise<boolean> => store.users.changePassword('ada', { from: 'scrypt$1', to })
        expect((await Promise.all([change('scrypt$2'), change('scrypt$3')])).filter(Boolean)).toHaveLength(1)
        const { passwordHash: kept = '' } = (await store.users.byId('ada')) ?? {}
        expect(['scrypt$2', 'scrypt$3']).toContain(kept)
        expect(await store.users.byId('ada')).toEqual({ ...userOf('ada'), passwordHash: kept })
        expect(await change('scrypt$4')).toBe(false)
        expect(await store.users.byId('bob')).toEqual(userOf('bob'))
        expect(await store.users.changePassword('eve', { from: 'scrypt$1', to: 'scrypt$2' })).toBe(false)
      })

      it('know the latest second in which a token of theirs was signed, and note none for who has another password by then', async () => {
        const note = (id: string, second: number, passwordHash = 'scrypt$1'): Promise<boolean> =>
          store.users.noteToken(id, { passwordHash, second })
        expect(await store.users.tokensUntil('ada')).toBe(0)
        expect(await Promise.all([4e9, 4e9 + 7, 4e9 + 3].map((second) => note('ada', second)))).toEqual([
          true,
          true,
          true,
        ])
        expect(await store.users.tokensUntil('ada')).toBe(4e9 + 7)
        await store.users.create({ ...userOf('eve'), isActive: false })
        expect([await note('ada', 5e9, 'scrypt$2'), await note('eve', 5e9), await note('zoe', 5e9)]).toEqual([
          ...[false, false, false],
        ])
        const until = ['ada', 'bob', 'eve', 'zoe'].map((id) => store.users.tokensUntil(id))
        expect(await Promise.all(until)).toEqual([4e9 + 7, 0, 0, 0])
        expect(await store.users.byId('ada')).toEqual(userOf('ada'))
        expect(await store.users.delete('ada')).toBe(4e9 + 7)
      })

      it('are kept as locked who are', async () => {
        await store.users.create({ ...userOf('eve'), isActive: false })
        expect(await store.users.byId('eve')).toEqual({ ...userOf('eve'), isActive: false })
      })

      it('go with everything of theirs, and with nothing of others', async () => {
        for (const userId of ['ada', 'bob']) {
          await addSchedule(store, { id: `s-${userId}`, userId })
          await addComparison(store, { id: `c-${userId}`, userId })
          await store.templates.create(templateOf({ id: `t-${userId}`, userId }, { isPublic: true }))
        }
        await claim(store, 'runner', 2)
        await store.runs.finish('run-s-ada', 'runner', completed(40))
        expect(await store.users.delete('ada')).toBe(0)
        expect(await store.users.delete('ada')).toBeUndefined()
        expect(await store.schedules.list('ada', { page: 1, pageSize: 10 })).toEqual({ items: [], total: 0 })
        expect(await store.comparisons.get('ada', 'c-ada')).toBeUndefined()
        expect((await store.templates.list('bob', { page: 1, pageSize: 10 })).items.map(({ id }) => id)).toEqual([
          't-bob',
        ])
        expect(new Set((await claim(store, 'late', 20, 1_000)).map(({ userId }) => userId))).toEqual(new Set(['bob']))
      })

      it('keep times in UTC, whatever zone they come in', async () => {
        await store.users.create({ ...userOf('zoe'), createdAt: '2026-01-01T02:00:00+02:00' })
        expect((await store.users.byId('zoe'))?.createdAt).toBe(at(0))
      })
    })

    describeSchedules(current)
    describeComparisons(current)
    describeTemplates(current)
    describeRuns(current, () => again())
    describeRoom(current, () => again())
  })
}
