import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, PublishOutcome, PublishRequest, Signal, Stream } from '../engine.js'
import { describeIndexes } from './indexes.js'
import { describeSharedState } from './shared-state.js'
import { describeShares } from './shares.js'
import { ALL, IDEMPOTENCY_MS, KEPT, anyStep, followModel } from './model.js'
import { Recorder } from './recorder.js'

/** An engine under test, and its time. */
export interface EngineHarness {
  readonly engine: Engine
  /** Lets time pass for the engine. */
  pass(ms: number): Promise<void>
  /** Resolves when everything that was announced has arrived. Default: it arrives at once. */
  delivered?(): Promise<void>
}

type Published = Extract<PublishOutcome, { kind: 'published' }>

const ROOM: Stream = { tenant: 'acme', channel: 'room:1' }

/** The contract of the engine port. Every engine passes all of it; what only one of them does stands in its own tests. */
export function describeEngine(name: string, create: () => Promise<EngineHarness>): void {
  describe(`the ${name} engine`, () => {
    let engine: Engine
    let pass: EngineHarness['pass']
    let delivered: () => Promise<void>

    beforeEach(async () => {
      const harness = await create()
      engine = harness.engine
      pass = (ms) => harness.pass(ms)
      delivered = () => harness.delivered?.() ?? Promise.resolve()
      await engine.start()
      return () => engine.close()
    })

    const request = (data: unknown, more: Partial<PublishRequest> = {}): PublishRequest => ({
      stream: ROOM,
      event: 'chat',
      data: JSON.stringify(data),
      from: { user: 'ada' },
      at: '2026-01-01T00:00:00.000Z',
      retention: KEPT,
      ...more,
    })
    const publish = async (data: unknown, more: Partial<PublishRequest> = {}): Promise<Published> => {
      const outcome = await engine.publish(request(data, more))
      if (outcome.kind !== 'published') throw new Error(`refused: ${outcome.kind}`)
      return outcome
    }
    const offsets = async (stream: Stream = ROOM): Promise<number[]> =>
      (await engine.read(stream, KEPT, ALL)).messages.map((message) => message.offset ?? 0)

    describe('publish', () => {
      it('gives dense offsets from 1 in one epoch, and every message an id of its own', async () => {
        const outcomes = await Promise.all(Array.from({ length: 50 }, (_, n) => publish(n)))
        expect(new Set(outcomes.map(({ offset }) => offset))).toEqual(
          new Set(Array.from({ length: 50 }, (_, n) => n + 1)),
        )
        expect(new Set(outcomes.map(({ epoch }) => epoch)).size).toBe(1)
        expect(new Set(outcomes.map(({ id }) => id)).size).toBe(50)
      })

      it('stores a message as it was given, under the offset and id that it answers', async () => {
        const { offset, id, epoch } = await publish({ text: 'hello' }, { final: true })
        const page = await engine.read(ROOM, KEPT, ALL)
        expect(page).toMatchObject({ epoch, top: { offset, id }, first: 1 })
        expect(page.messages).toEqual([
          {
            id,
            offset,
            event: 'chat',
            data: '{"text":"hello"}',
            from: { user: 'ada' },
            at: '2026-01-01T00:00:00.000Z',
            final: true,
          },
        ])
      })

      it('keeps the id that the request names', async () => {
        expect(await publish('x', { id: 'a-b_c1' })).toMatchObject({ id: 'a-b_c1' })
        expect((await engine.read(ROOM, KEPT, ALL)).messages).toMatchObject([{ id: 'a-b_c1' }])
      })

      it('keeps streams apart, whatever characters tenants and channels are made of', async () => {
        const streams = [
          { tenant: 'a', channel: 'b:c' },
          { tenant: 'a:b', channel: 'c:d' },
          { tenant: 'a:', channel: 'b:c' },
          { tenant: '1:a', channel: 'b:c' },
          { tenant: 'a1', channel: 'b:c' },
        ]
        for (const [index, stream] of streams.entries())
          for (let n = 0; n <= index; n += 1) await publish(index, { stream })
        for (const [index, stream] of streams.entries()) expect(await offsets(stream)).toHaveLength(index + 1)
      })

      it('announces without storing where nothing is kept', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        expect(await publish('gone', { retention: undefined })).toMatchObject({
          epoch: '',
          offset: 0,
          duplicate: false,
        })
        await delivered()
        expect(heard.messages.map(({ message }) => [message.offset, message.data])).toEqual([[undefined, '"gone"']])
        expect(await offsets()).toEqual([])
      })
    })

    describe('weighing', () => {
      const weigh = async (data: string, more: Partial<PublishRequest> = {}): Promise<number | undefined> =>
        (await publish(data, { weigh: true, ...more })).kept

      it('answers how much data the log keeps, and nothing where nobody asked', async () => {
        expect(await weigh('x'.repeat(98))).toBe(100)
        expect(await weigh('x'.repeat(8))).toBe(110)
        expect(await publish('y')).not.toHaveProperty('kept')
        expect(await weigh('y')).toBe(116)
      })

      it('leaves out what went: by number, by age, with its epoch', async () => {
        for (let n = 0; n < 25; n += 1) await weigh('x'.repeat(n))
        expect(await weigh('')).toBe(2 + Array.from({ length: 9 }, (_, n) => 18 + n).reduce((sum, n) => sum + n))
        await pass(KEPT.ttlMs + 1_000)
        const { epoch, kept } = await publish('z', { weigh: true })
        expect(kept).toBe(3)
        await engine.rotate(ROOM, epoch)
        expect(await weigh('zz')).toBe(4)
      })

      it('estimates a log that was never weighed', async () => {
        for (let n = 0; n < 5; n += 1) await publish('x'.repeat(8))
        expect(await weigh('x'.repeat(8))).toBe(60)
        expect(await weigh('x', { retention: { ...KEPT, size: 2 } })).toBe(13)
      })

      it('answers nothing for a repetition, and where nothing is kept', async () => {
        const keyed = { idempotency: { scope: 'ada', key: 'k' } }
        expect(await weigh('x', keyed)).toBe(3)
        expect(await weigh('x', keyed)).toBeUndefined()
        expect(await weigh('x', { retention: undefined })).toBeUndefined()
      })
    })

    describe('idempotency', () => {
      const keyed = { idempotency: { scope: 'ada', key: 'k1' } }

      it('answers the same key with the same content as before, and stores it once', async () => {
        const first = await publish('x', keyed)
        expect(await publish('x', keyed)).toEqual({ ...first, duplicate: true })
        expect(await offsets()).toEqual([1])
      })

      it('stores one of two that race', async () => {
        const [one, other] = await Promise.all([publish('x', keyed), publish('x', keyed)])
        expect([one?.offset, other?.offset]).toEqual([1, 1])
        expect([one?.duplicate, other?.duplicate].filter(Boolean)).toEqual([true])
      })

      it('refuses the same key with other content and publishes nothing', async () => {
        await publish('x', keyed)
        expect(await engine.publish(request('y', keyed))).toEqual({ kind: 'idempotency_conflict' })
        expect(await engine.publish(request('x', { ...keyed, event: 'other' }))).toEqual({
          kind: 'idempotency_conflict',
        })
        expect(await offsets()).toEqual([1])
      })

      it('knows a key per tenant, channel and scope', async () => {
        await publish('x', keyed)
        const others = [
          { stream: { tenant: 'acme', channel: 'room:2' } },
          { stream: { tenant: 'other', channel: 'room:1' } },
          { idempotency: { scope: 'bob', key: 'k1' } },
          { idempotency: { scope: 'a', key: 'dak1' } },
        ]
        for (const other of others)
          expect(await publish('y', { ...keyed, ...other })).toMatchObject({ duplicate: false })
      })

      it('holds where nothing is kept', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        await publish('x', { ...keyed, retention: undefined })
        expect(await publish('x', { ...keyed, retention: undefined })).toMatchObject({ duplicate: true })
        await delivered()
        expect(heard.messages).toHaveLength(1)
      })

      it('forgets a key after five minutes', async () => {
        const kept = { size: 10, ttlMs: IDEMPOTENCY_MS * 4 }
        await publish('x', { ...keyed, retention: kept })
        await pass(IDEMPOTENCY_MS - 1_000)
        expect(await publish('x', { ...keyed, retention: kept })).toMatchObject({ duplicate: true })
        await pass(2_000)
        expect(await publish('x', { ...keyed, retention: kept })).toMatchObject({ duplicate: false, offset: 2 })
      })
    })

    describe('listen', () => {
      it('hears every message in order, with the epoch and offset that the publisher is answered', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        const outcomes: Published[] = []
        for (let n = 0; n < 20; n += 1) outcomes.push(await publish(n))
        await delivered()
        expect(heard.messages.map(({ epoch, message }) => [epoch, message.offset, message.id, message.data])).toEqual(
          outcomes.map(({ epoch, offset, id }, n) => [epoch, offset, id, String(n)]),
        )
      })

      it('tells a listener everything, though others of the same stream come and go', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        const comeAndGo = async (): Promise<void> => {
          for (let n = 0; n < 10; n += 1) await (await engine.listen(ROOM, new Recorder()))()
        }
        const talk = async (): Promise<void> => {
          for (let n = 0; n < 30; n += 1) await publish(n)
        }
        await Promise.all([comeAndGo(), comeAndGo(), talk()])
        await delivered()
        expect(heard.messages.map(({ message }) => message.offset)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
      })

      it('hears at once again after it left and came back', async () => {
        for (let n = 0; n < 20; n += 1) {
          const heard = new Recorder()
          const unlisten = await engine.listen(ROOM, heard)
          await publish(n)
          await delivered()
          expect(heard.messages).toHaveLength(1)
          void unlisten()
        }
      })

      it('hears nothing of another stream, and nothing after its undo', async () => {
        const heard = new Recorder()
        const unlisten = await engine.listen(ROOM, heard)
        await publish('other', { stream: { tenant: 'other', channel: 'room:1' } })
        await unlisten()
        await publish('late')
        await delivered()
        expect(heard.messages).toEqual([])
      })

      it('lets each listener leave by itself', async () => {
        const [one, other] = [new Recorder(), new Recorder()]
        const unlisten = await engine.listen(ROOM, one)
        await engine.listen(ROOM, other)
        await unlisten()
        await publish('x')
        await delivered()
        expect([one.messages.length, other.messages.length]).toEqual([0, 1])
      })

      it('hears signals, which are not stored', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        const signal: Signal = {
          event: 'typing',
          data: '{"active":true}',
          from: { user: 'ada' },
          at: '2026-01-01T00:00:00.000Z',
        }
        await engine.announce(ROOM, signal)
        await delivered()
        expect([heard.signals, heard.changes, heard.messages]).toEqual([[signal], [], []])
        expect(await offsets()).toEqual([])
      })
    })

    describe('read', () => {
      it('issues a position where nothing was ever published, and the first publish belongs to its epoch', async () => {
        const page = await engine.read(ROOM, KEPT, ALL)
        expect(page).toMatchObject({ top: { offset: 0, id: '' }, first: 1, messages: [], state: undefined })
        expect(page.epoch).not.toBe('')
        expect((await publish('x')).epoch).toBe(page.epoch)
      })

      it.each([
        ['from an offset, inclusive', { from: 4, limit: 100, keep: 'oldest' }, [4, 5, 6, 7, 8]],
        ['below an offset, exclusive', { before: 4, limit: 100, keep: 'newest' }, [1, 2, 3]],
        ['the oldest of a range', { from: 3, limit: 2, keep: 'oldest' }, [3, 4]],
        ['the newest of a range', { from: 3, limit: 2, keep: 'newest' }, [7, 8]],
        ['the newest below an offset', { before: 6, limit: 2, keep: 'newest' }, [4, 5]],
        ['none', { limit: 0, keep: 'newest' }, []],
        ['none above the top', { from: 9, limit: 10, keep: 'oldest' }, []],
        ['none far above the top', { from: Number.MAX_SAFE_INTEGER, limit: 10, keep: 'oldest' }, []],
      ] as const)('reads %s', async (_title, range, expected) => {
        for (let n = 1; n <= 8; n += 1) await publish(n)
        const page = await engine.read(ROOM, KEPT, { ...range, bytesMax: Infinity })
        expect(page.messages.map(({ offset }) => offset)).toEqual(expected)
        expect(page.top.offset).toBe(8)
      })

      it('keeps within its bytes, but answers at least one message', async () => {
        for (let n = 1; n <= 8; n += 1) await publish('x'.repeat(98))
        const read = async (bytesMax: number, keep: 'oldest' | 'newest'): Promise<number[]> =>
          (await engine.read(ROOM, KEPT, { limit: 100, bytesMax, keep })).messages.map(({ offset }) => offset ?? 0)
        expect(await read(250, 'oldest')).toEqual([1, 2])
        expect(await read(250, 'newest')).toEqual([7, 8])
        expect(await read(1, 'newest')).toEqual([8])
      })
    })

    describe('retention', () => {
      it('keeps the newest of its size, and says where the log begins', async () => {
        for (let n = 1; n <= 300; n += 1) await publish(n)
        const page = await engine.read(ROOM, KEPT, ALL)
        expect(page).toMatchObject({ first: 291, expired: false, top: { offset: 300 } })
        expect(page.messages.map(({ data }) => data)).toEqual(Array.from({ length: 10 }, (_, n) => String(291 + n)))
      })

      it('lets go of what is settled with the next message, and of nothing that is not', async () => {
        const { epoch } = await publish(1)
        for (let n = 2; n <= 8; n += 1) await publish(n)
        await publish(9, { settled: { epoch: 'another', offset: 8 } })
        expect(await offsets()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
        await publish(10, { settled: { epoch, offset: 6 } })
        expect(await engine.read(ROOM, KEPT, ALL)).toMatchObject({ epoch, first: 7, expired: false })
        expect(await offsets()).toEqual([7, 8, 9, 10])
        await publish(11, { settled: { epoch, offset: 2 } })
        expect(await offsets()).toEqual([7, 8, 9, 10, 11])
        const all = await publish(12, { settled: { epoch, offset: 500 } })
        expect(await engine.read(ROOM, KEPT, ALL)).toMatchObject({ first: 12, top: { offset: 12, id: all.id } })
        await publish(13)
        expect(await offsets()).toEqual([12, 13])
      })

      it('lets the whole log expire after its time without a publish; epoch and top outlive it', async () => {
        const { epoch, id } = await publish('x')
        await pass(KEPT.ttlMs - 1_000)
        expect(await offsets()).toEqual([1])
        await publish('y')
        await pass(KEPT.ttlMs - 1_000)
        expect(await offsets()).toEqual([1, 2])
        await pass(2_000)
        const page = await engine.read(ROOM, KEPT, ALL)
        expect(page).toMatchObject({ epoch, first: 3, expired: true, messages: [] })
        expect(page.top.offset).toBe(2)
        expect(page.top.id).not.toBe(id)
        expect(await publish('z')).toMatchObject({ epoch, offset: 3 })
        expect(await engine.read(ROOM, KEPT, ALL)).toMatchObject({ first: 3, expired: true })
      })

      it('keeps the epoch of a log that somebody asks for, however old it is', async () => {
        const { epoch } = await publish('x')
        for (let n = 0; n < 10; n += 1) {
          await pass(KEPT.ttlMs)
          expect(await engine.tops([{ stream: ROOM, retention: KEPT }])).toMatchObject([{ epoch, top: { offset: 1 } }])
        }
        expect(await publish('y')).toMatchObject({ epoch, offset: 2 })
      })

      it('forgets a stream at last: what follows has another epoch', async () => {
        const { epoch } = await publish('x')
        await pass(KEPT.ttlMs * 10)
        const again = await publish('y')
        expect(again.offset).toBe(1)
        expect(again.epoch).not.toBe(epoch)
      })
    })

    describe('tops', () => {
      it('tells where each log stands, in the order asked', async () => {
        const other: Stream = { tenant: 'acme', channel: 'room:2' }
        const first = await publish('x')
        const second = await publish('y', { stream: other })
        const asked = [other, ROOM, other].map((stream) => ({ stream, retention: KEPT }))
        const [one, two, again] = await engine.tops(asked)
        expect(one).toEqual({ epoch: second.epoch, top: { offset: 1, id: second.id } })
        expect(two).toEqual({ epoch: first.epoch, top: { offset: 1, id: first.id } })
        expect(again).toEqual(one)
        expect(await engine.tops([])).toEqual([])
      })

      it('begins a log where there is none', async () => {
        const [top] = await engine.tops([{ stream: ROOM, retention: KEPT }])
        expect(top).toMatchObject({ top: { offset: 0, id: '' } })
        expect(await publish('x')).toMatchObject({ epoch: top?.epoch, offset: 1 })
      })
    })

    describe('state beside the log', () => {
      const state = (value: string, ifVersion: number): Partial<PublishRequest> => ({
        state: { value, ifVersion, ttlMs: 60_000 },
      })

      it('is replaced in one step with a publish, and read in one step with the log', async () => {
        await publish('x', state('one', 0))
        await publish('y', state('two', 1))
        expect(await engine.state(ROOM)).toEqual({ value: 'two', version: 2 })
        expect(await engine.read(ROOM, KEPT, ALL)).toMatchObject({
          state: { value: 'two', version: 2 },
          top: { offset: 2 },
        })
      })

      it('publishes nothing for a writer that was late', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        const outcomes = await Promise.all([
          engine.publish(request('x', state('one', 0))),
          engine.publish(request('y', state('two', 0))),
        ])
        expect(outcomes.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['published', 'state_conflict']))
        await delivered()
        expect(heard.messages).toHaveLength(1)
        expect(await offsets()).toEqual([1])
        expect(await engine.publish(request('z', state('three', 7)))).toEqual({ kind: 'state_conflict' })
      })

      it('expires by its own time', async () => {
        await publish('x', { state: { value: 'one', ifVersion: 0, ttlMs: 10_000 } })
        await pass(9_000)
        expect(await engine.state(ROOM)).toEqual({ value: 'one', version: 1 })
        await pass(2_000)
        expect(await engine.state(ROOM)).toBeUndefined()
        expect(await publish('y', state('two', 0))).toMatchObject({ offset: 2 })
      })

      it('is absent where nobody wrote one, and asking creates nothing', async () => {
        expect(await engine.state({ tenant: 'acme', channel: 'room:none' })).toBeUndefined()
      })
    })

    describe('rotate', () => {
      it('ends an epoch: the log is empty, offsets begin anew, listeners are told', async () => {
        const heard = new Recorder()
        await engine.listen(ROOM, heard)
        const { epoch } = await publish('x')
        const next = await engine.rotate(ROOM, epoch)
        expect(next).not.toBe(epoch)
        await delivered()
        expect(heard.rotations).toEqual([next])
        expect(await engine.read(ROOM, KEPT, ALL)).toMatchObject({ epoch: next, top: { offset: 0 }, messages: [] })
        expect(await publish('y')).toMatchObject({ epoch: next, offset: 1 })
      })

      it('does nothing for whoever speaks of an epoch that has ended', async () => {
        const { epoch } = await publish('x')
        const next = await engine.rotate(ROOM, epoch)
        await publish('y')
        expect(await engine.rotate(ROOM, epoch)).toBe(next)
        expect(await offsets()).toEqual([1])
      })
    })

    describeSharedState(() => ({ engine, pass, delivered }))
    describeShares(() => ({ engine, pass, delivered }))
    describeIndexes(() => ({ engine, pass, delivered }))

    it('behaves as a plain array of messages would, whatever is done to it', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), fc.nat(), async (steps, run) => {
          const stream: Stream = { tenant: 'model', channel: `room:${run}-${Math.abs(hash(steps))}` }
          await followModel(engine, stream, steps, pass)
        }),
        { numRuns: 60 },
      )
    })
  })
}

function hash(value: unknown): number {
  return [...JSON.stringify(value)].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) | 0, 7)
}
