import { describe, expect, it } from 'vitest'
import type { Store } from '../store.js'
import { at, templateOf } from './samples.js'

const PAGE = { page: 1, pageSize: 100 }

/** What every store does with templates. */
export function describeTemplates(store: () => Store): void {
  describe('templates', () => {
    const add = (
      id: string,
      userId: string,
      more: Parameters<typeof templateOf>[1] = {},
      seconds: number = 0,
    ): Promise<void> => store().templates.create(templateOf({ id, userId, seconds }, more))
    const ids = async (userId: string, query: object = {}): Promise<string[]> =>
      (await store().templates.list(userId, { ...PAGE, ...query })).items.map(({ id }) => id)

    it('come back as they were given', async () => {
      await add('t1', 'ada', { description: 'for the night', settings: { lines: 3, calendar: undefined } })
      const expected = templateOf({ id: 't1', userId: 'ada' }, { description: 'for the night', settings: { lines: 3 } })
      expect(await store().templates.get('ada', 't1')).toEqual(expected)
    })

    it('are read by others when they are public, and only then', async () => {
      await add('private', 'ada')
      await add('public', 'ada', { isPublic: true, isDefault: true })
      expect(await store().templates.get('bob', 'private')).toBeUndefined()
      expect(await store().templates.get('bob', 'public')).toMatchObject({ name: 'Line public', userId: 'ada' })
      // Whose default it is, is for the owner to know.
      expect(await store().templates.get('bob', 'public')).toMatchObject({ isDefault: false })
      expect(await store().templates.get('ada', 'public')).toMatchObject({ isDefault: true })
    })

    it('are written by their owner alone', async () => {
      await add('t1', 'ada', { isPublic: true })
      expect(await store().templates.update('bob', 't1', { name: 'mine' }, at(9))).toBe(false)
      expect(await store().templates.delete('bob', 't1')).toBe(false)
      expect(await store().templates.setDefault('bob', 't1')).toBe(false)
      expect(await store().templates.default('bob')).toBeUndefined()
      expect(await store().templates.get('ada', 't1')).toEqual(
        templateOf({ id: 't1', userId: 'ada' }, { isPublic: true }),
      )
    })

    it('change in what is named, and in nothing else', async () => {
      await add('t1', 'ada')
      expect(await store().templates.update('ada', 't1', { settings: { lines: 4 }, isPublic: true }, at(9))).toBe(true)
      expect(await store().templates.update('ada', 't1', { name: 'New', description: 'said' }, at(10))).toBe(true)
      const more = { settings: { lines: 4 }, isPublic: true, name: 'New', description: 'said', updatedAt: at(10) }
      expect(await store().templates.get('ada', 't1')).toEqual(templateOf({ id: 't1', userId: 'ada' }, more))
      expect(await store().templates.update('ada', 'none', { name: 'x' }, at(9))).toBe(false)
    })

    it('are listed own ones first, then public ones of others, newest first', async () => {
      await add('a1', 'ada', {}, 1)
      await add('a2', 'ada', { isPublic: true }, 2)
      await add('b1', 'bob', { isPublic: true }, 3)
      await add('b2', 'bob', {}, 4)
      await add('b3', 'bob', { isPublic: true }, 5)
      expect(await ids('ada')).toEqual(['a2', 'a1', 'b3', 'b1'])
      expect(await ids('ada', { publicOnly: true })).toEqual(['a2', 'b3', 'b1'])
      expect(await ids('eve')).toEqual(['b3', 'b1', 'a2'])
      expect(await store().templates.list('ada', { page: 2, pageSize: 3 })).toMatchObject({
        items: [{ id: 'b1' }],
        total: 4,
      })
    })

    it('have one default for each user at most', async () => {
      await add('a1', 'ada')
      await add('a2', 'ada')
      await add('b1', 'bob', { isDefault: true })
      expect(await store().templates.default('ada')).toBeUndefined()
      expect(await store().templates.setDefault('ada', 'a1')).toBe(true)
      expect(await store().templates.setDefault('ada', 'a2')).toBe(true)
      expect(await store().templates.default('ada')).toMatchObject({ id: 'a2', isDefault: true })
      expect(await store().templates.get('ada', 'a1')).toMatchObject({ isDefault: false })
      await add('a3', 'ada', { isDefault: true })
      expect(await store().templates.default('ada')).toMatchObject({ id: 'a3' })
      expect(await store().templates.setDefault('ada', 'none')).toBe(false)
      expect(await store().templates.default('ada')).toMatchObject({ id: 'a3' })
      expect(await store().templates.setDefault('ada', undefined)).toBe(true)
      expect(await store().templates.default('ada')).toBeUndefined()
      expect(await store().templates.default('bob')).toMatchObject({ id: 'b1' })
    })

    it('have one default, also when several are chosen at the same time', async () => {
      const names = ['a1', 'a2', 'a3', 'a4']
      for (const name of names) await add(name, 'ada')
      await Promise.all(names.map((name) => store().templates.setDefault('ada', name)))
      const { items } = await store().templates.list('ada', PAGE)
      expect(items.filter(({ isDefault }) => isDefault)).toHaveLength(1)
    })

    it('are gone when deleted', async () => {
      await add('t1', 'ada', { isDefault: true })
      expect(await store().templates.delete('ada', 't1')).toBe(true)
      expect(await store().templates.delete('ada', 't1')).toBe(false)
      expect(await store().templates.default('ada')).toBeUndefined()
    })
  })
}
