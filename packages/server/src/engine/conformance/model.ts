import fc from 'fast-check'
import { expect } from 'vitest'
import type { Engine, Stream } from '../engine.js'
import { Recorder } from './recorder.js'

/** The retention under which engines are tested. */
export const KEPT = { size: 10, ttlMs: 60_000 }

/** A read of everything. */
export const ALL = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const

/** How long an engine remembers an idempotency key. */
export const IDEMPOTENCY_MS: number = 5 * 60_000

/** What is done to a stream. */
export type Step =
  | { readonly do: 'publish'; readonly data: number; readonly key: number | undefined }
  | { readonly do: 'read'; readonly from: number; readonly limit: number; readonly keep: 'oldest' | 'newest' }
  | { readonly do: 'rotate' }
  | { readonly do: 'pass'; readonly ms: number }

/** Any step, publishes most often. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      data: fc.nat(2),
      key: fc.option(fc.nat(3), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      from: fc.nat(30),
      limit: fc.nat(12),
      keep: fc.constantFrom('oldest' as const, 'newest' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'rotate' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1_000, KEPT.ttlMs + 1_000) }),
  },
)

/** The model: what was published in this epoch, how much of it is kept, and the keys in use. Simpler than any engine, and slower. */
export async function followModel(
  engine: Engine,
  stream: Stream,
  steps: readonly Step[],
  pass: (ms: number) => Promise<void>,
): Promise<void> {
  let published: number[] = []
  let kept = 0
  let idleMs = 0
  let keys = new Map<number, { data: number; offset: number }>()
  let { epoch } = await engine.read(stream, KEPT, ALL)
  const unlisten = await engine.listen(stream, new Recorder())
  for (const step of steps) {
    if (step.do === 'pass') {
      await pass(step.ms)
      // Whoever listens asks from time to time: that keeps the epoch of an expired log alive.
      await engine.tops([{ stream, retention: KEPT }])
      idleMs += step.ms
      if (idleMs >= KEPT.ttlMs) kept = 0
      if (idleMs >= IDEMPOTENCY_MS) keys = new Map()
    } else if (step.do === 'rotate') {
      epoch = await engine.rotate(stream, epoch)
      published = []
      kept = 0
    } else if (step.do === 'read') {
      const start = Math.max(step.from, published.length - kept + 1, 1)
      const all = published.map((data, index) => ({ data, offset: index + 1 })).filter(({ offset }) => offset >= start)
      const expected =
        step.keep === 'oldest' ? all.slice(0, step.limit) : all.slice(Math.max(0, all.length - step.limit))
      const page = await engine.read(stream, KEPT, {
        from: step.from,
        limit: step.limit,
        keep: step.keep,
        bytesMax: Infinity,
      })
      expect(page).toMatchObject({ epoch, first: published.length - kept + 1 })
      expect(page.top.offset).toBe(published.length)
      expect(page.messages.map(({ data, offset }) => ({ data: Number(data), offset }))).toEqual(expected)
    } else {
      const used = step.key === undefined ? undefined : keys.get(step.key)
      const outcome = await engine.publish({
        stream,
        event: 'e',
        data: String(step.data),
        from: { user: 'u' },
        at: '2026-01-01T00:00:00.000Z',
        retention: KEPT,
        ...(step.key !== undefined && { idempotency: { scope: 'u', key: String(step.key) } }),
      })
      if (used !== undefined && used.data !== step.data) {
        expect(outcome.kind).toBe('idempotency_conflict')
      } else if (used !== undefined) {
        expect(outcome).toMatchObject({ kind: 'published', duplicate: true, offset: used.offset })
      } else {
        published.push(step.data)
        kept = Math.min(kept + 1, KEPT.size)
        idleMs = 0
        if (step.key !== undefined) keys.set(step.key, { data: step.data, offset: published.length })
        expect(outcome).toMatchObject({ kind: 'published', duplicate: false, offset: published.length, epoch })
      }
    }
  }
  await unlisten()
}
