import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, RegisterEntry, Stream } from '../engine.js'
import type { SharedState } from './shared-state.js'

const ROOM: Stream = { tenant: 'acme', channel: 'room:1' }

/** Names that are easily mixed up. */
const NAMES = ['a', 'a:', ':a', '1:a', '{a}', 'a\n', '=a', '~61', '']

/** The contract of what bounds a use across nodes: rates and registers; and of finding one member. */
export function describeShares(current: () => SharedState): void {
  let engine: Engine
  let pass: SharedState['pass']

  beforeEach(() => {
    ;({ engine, pass } = current())
  })

  describe('rates', () => {
    const slow = { perSecond: 0.1, burst: 10 }

    it('give what a bucket holds, and then say how long the next takes', async () => {
      const { rates } = engine
      expect(await rates.take('r', 7, slow)).toBe(0)
      expect(await rates.take('r', 3, slow)).toBe(0)
      const waitMs = await rates.take('r', 2, slow)
      expect(waitMs).toBeGreaterThan(18_000)
      expect(waitMs).toBeLessThanOrEqual(20_000)
    })

    it('take nothing where there is not enough', async () => {
      const { rates } = engine
      await rates.take('r', 6, slow)
      for (let n = 0; n < 5; n += 1) expect(await rates.take('r', 5, slow)).toBeGreaterThan(0)
      expect(await rates.take('r', 4, slow)).toBe(0)
    })

    it('fill with time, and not beyond the bucket', async () => {
      const { rates } = engine
      expect(await rates.take('r', 10, slow)).toBe(0)
      await pass(30_000)
      expect(await rates.take('r', 3, slow)).toBe(0)
      expect(await rates.take('r', 1, slow)).toBeGreaterThan(0)
      await pass(1_000_000)
      expect(await rates.take('r', 10, slow)).toBe(0)
      expect(await rates.take('r', 1, slow)).toBeGreaterThan(0)
    })

    it('are ready when they said they would be', async () => {
      const { rates } = engine
      await rates.take('r', 10, slow)
      await pass(await rates.take('r', 4, slow))
      expect(await rates.take('r', 4, slow)).toBe(0)
    })

    it('never give what no bucket can hold', async () => {
      expect(await engine.rates.take('r', 11, slow)).toBe(Infinity)
      expect(await engine.rates.take('r', 10, slow)).toBe(0)
    })

    it('give each token to one of those who race', async () => {
      const waits = await Promise.all(Array.from({ length: 40 }, () => engine.rates.take('r', 1, slow)))
      expect(waits.filter((ms) => ms === 0)).toHaveLength(10)
    })

    it('give small parts as exactly as large ones', async () => {
      const third = { perSecond: 0.003, burst: 1 }
      for (let n = 0; n < 10; n += 1) expect(await engine.rates.take('r', 0.1, third)).toBe(0)
      expect(await engine.rates.take('r', 0.1, third)).toBeGreaterThan(0)
    })

    it('know each name for itself', async () => {
      for (const name of NAMES) expect(await engine.rates.take(name, 10, slow)).toBe(0)
      for (const name of NAMES) expect(await engine.rates.take(name, 1, slow)).toBeGreaterThan(0)
    })
  })

  describe('registers', () => {
    const sorted = (entries: readonly RegisterEntry[]): readonly RegisterEntry[] =>
      [...entries].sort((one, other) => (one.key < other.key ? -1 : 1))

    it('hold entries with their values, and count entries and amounts', async () => {
      const { registers } = engine
      expect(await registers.totals('r')).toEqual({ entries: 0, amount: 0 })
      expect(await registers.put('r', { key: 'a', ttlMs: 60_000 })).toEqual({ entries: 1, amount: 0, added: true })
      const more = { key: 'b', value: 'one two\nthree', amount: 7, ttlMs: 60_000 }
      expect(await registers.put('r', more)).toEqual({ entries: 2, amount: 7, added: true })
      expect(await registers.totals('r')).toEqual({ entries: 2, amount: 7 })
      expect(sorted(await registers.list('r', 10))).toEqual([
        { key: 'a', value: '', amount: 0 },
        { key: 'b', value: 'one two\nthree', amount: 7 },
      ])
    })

    it('replace an entry, its amount and its lifetime', async () => {
      const { registers } = engine
      await registers.put('r', { key: 'a', value: 'one', amount: 5, ttlMs: 10_000 })
      const put = await registers.put('r', { key: 'a', value: 'two', amount: 3, ttlMs: 60_000 })
      expect(put).toEqual({ entries: 1, amount: 3, added: false })
      await pass(20_000)
      expect(await registers.list('r', 10)).toEqual([{ key: 'a', value: 'two', amount: 3 }])
    })

    it('keep an entry of a higher rank and the same value: what comes after it came late', async () => {
      const { registers } = engine
      const put = (rank: number, amount: number, value = 'v 1'): ReturnType<typeof registers.put> =>
        registers.put('r', { key: 'a', value, amount, rank, ttlMs: 60_000 })
      expect(await put(5, 50)).toEqual({ entries: 1, amount: 50, added: true })
      expect(await put(4, 40)).toEqual({ entries: 1, amount: 50, added: false })
      expect(await put(5, 55)).toMatchObject({ amount: 55 })
      expect(await put(1, 10, 'v 2')).toMatchObject({ amount: 10 })
      expect(await put(12, 120, 'v 2')).toMatchObject({ amount: 120 })
      expect(await put(3, 30, 'v 2')).toMatchObject({ amount: 120 })
      expect(await registers.list('r', 10)).toEqual([{ key: 'a', value: 'v 2', amount: 120 }])
      await pass(61_000)
      expect(await put(1, 10, 'v 2')).toEqual({ entries: 1, amount: 10, added: true })
    })

    it('end each entry by its own time', async () => {
      const { registers } = engine
      await registers.put('r', { key: 'long', amount: 1, ttlMs: 60_000 })
      await registers.put('r', { key: 'short', amount: 10, ttlMs: 10_000 })
      await registers.put('r', { key: 'shorter', amount: 100, ttlMs: 5_000 })
      await pass(6_000)
      expect(await registers.totals('r')).toEqual({ entries: 2, amount: 11 })
      await pass(6_000)
      expect(await registers.list('r', 10)).toEqual([{ key: 'long', value: '', amount: 1 }])
      expect(await registers.put('r', { key: 'short', amount: 2, ttlMs: 10_000 })).toEqual({
        entries: 2,
        amount: 3,
        added: true,
      })
      await pass(60_000)
      expect(await registers.totals('r')).toEqual({ entries: 0, amount: 0 })
      expect(await registers.list('r', 10)).toEqual([])
    })

    it('refuse a new key where they are full, and still replace those that they hold', async () => {
      const { registers } = engine
      const put = (key: string, ttlMs = 60_000): ReturnType<typeof registers.put> =>
        registers.put('r', { key, ttlMs, entriesMax: 2 })
      await put('a')
      await put('b', 10_000)
      expect(await put('c')).toBeUndefined()
      expect(await put('a')).toMatchObject({ added: false, entries: 2 })
      await pass(11_000)
      expect(await put('c')).toMatchObject({ added: true, entries: 2 })
      await registers.remove('r', 'a')
      expect(await put('d')).toMatchObject({ added: true, entries: 2 })
    })

    it('are never fuller than their maximum, whoever races', async () => {
      const puts = await Promise.all(
        Array.from({ length: 20 }, (_, n) => engine.registers.put('r', { key: `k${n}`, ttlMs: 60_000, entriesMax: 5 })),
      )
      expect(puts.filter((put) => put !== undefined)).toHaveLength(5)
      expect(await engine.registers.totals('r')).toMatchObject({ entries: 5 })
    })

    it('are told of a removal once', async () => {
      const { registers } = engine
      await registers.put('r', { key: 'a', amount: 4, ttlMs: 60_000 })
      await registers.put('r', { key: 'b', amount: 3, ttlMs: 60_000 })
      const removals = await Promise.all([1, 2, 3].map(() => registers.remove('r', 'a')))
      expect(removals.filter(({ removed }) => removed)).toHaveLength(1)
      expect(removals.every(({ entries, amount }) => entries === 1 && amount === 3)).toBe(true)
      expect(await registers.remove('r', 'never')).toEqual({ entries: 1, amount: 3, removed: false })
    })

    it('do not tell of the removal of what had ended', async () => {
      await engine.registers.put('r', { key: 'a', amount: 4, ttlMs: 10_000 })
      await pass(11_000)
      expect(await engine.registers.remove('r', 'a')).toEqual({ entries: 0, amount: 0, removed: false })
    })

    it('list up to a number', async () => {
      for (let n = 0; n < 20; n += 1) await engine.registers.put('r', { key: `k${n}`, ttlMs: 60_000 })
      expect(await engine.registers.list('r', 7)).toHaveLength(7)
      expect(new Set((await engine.registers.list('r', 50)).map(({ key }) => key)).size).toBe(20)
    })

    it('count large amounts exactly', async () => {
      const amount = 2 ** 50
      await engine.registers.put('r', { key: 'a', amount, ttlMs: 60_000 })
      expect(await engine.registers.put('r', { key: 'b', amount: 3, ttlMs: 60_000 })).toMatchObject({
        amount: amount + 3,
      })
    })

    it('know each name and each key for itself', async () => {
      const { registers } = engine
      for (const name of NAMES)
        for (const key of NAMES) await registers.put(name, { key, value: `${name} ${key}`, amount: 1, ttlMs: 60_000 })
      for (const name of NAMES) {
        expect(await registers.totals(name)).toEqual({ entries: NAMES.length, amount: NAMES.length })
        const expected = NAMES.map((key) => ({ key, value: `${name} ${key}`, amount: 1 }))
        expect(sorted(await registers.list(name, 100))).toEqual(sorted(expected))
      }
    })

    it('outlive the node that wrote them', async () => {
      const { nodes, registers } = engine
      await nodes.renew('n1', '', 10_000)
      await registers.put('r', { key: 'a', ttlMs: 60_000 })
      await pass(11_000)
      await nodes.reap()
      expect(await registers.totals('r')).toMatchObject({ entries: 1 })
    })
  })

  describe('one member', () => {
    it('is found by its name, among many, with what it tells of itself', async () => {
      const { members } = engine
      const enter = (user: string, session: string, info?: string): Promise<unknown> =>
        members.enter(ROOM, { session, user, connection: `of ${session}`, node: 'n1', info })
      for (let n = 0; n < 50; n += 1) await enter(`u${n}`, `s${n}`)
      await enter('u7', 'other', '{"mood":"a\\nb"}')
      await enter('"', 'quoted')
      expect(await members.find(ROOM, 'u7')).toEqual({ user: 'u7', connections: 2, info: { mood: 'a\nb' } })
      expect(await members.find(ROOM, '"')).toEqual({ user: '"', connections: 1 })
      for (const nobody of ['u', 'u50', 'U7', '']) expect(await members.find(ROOM, nobody)).toBeUndefined()
      expect(await members.find({ ...ROOM, channel: 'room:2' }, 'u7')).toBeUndefined()
    })

    it('is not found any more once it has left', async () => {
      const entry = { session: 's', user: 'ada', connection: 'c', node: 'n1', info: undefined }
      await engine.members.enter(ROOM, entry)
      await engine.members.leave(ROOM, entry)
      expect(await engine.members.find(ROOM, 'ada')).toBeUndefined()
    })
  })
}
