import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settle, SimulatedClock } from '../../simulated-clock.js'
import { silentLogger } from '../../telemetry/log.js'
import type { LogPage, PublishOutcome, PublishRequest, Stream } from '../engine.js'
import { DiskEngine } from './disk-engine.js'
import { SimulatedStorage } from './simulated-storage.js'

const KEPT = { size: 8, ttlMs: 3_600_000 }
const ALL = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const

type Step =
  | { readonly do: 'publish'; readonly room: number; readonly key: number | undefined; readonly size: number }
  | { readonly do: 'rotate'; readonly room: number }
  | { readonly do: 'put' | 'take'; readonly record: number }
  | { readonly do: 'wait' }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      room: fc.nat(3),
      key: fc.option(fc.nat(20), { nil: undefined }),
      size: fc.nat(200),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rotate' as const), room: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'take' as const), record: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'wait' as const }) },
)

/** A life of the engine: what is done, and when and how it ends. */
const anyLife = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 80 }),
  /** Operations of the disk until the end, counted from when the engine serves, or, when it is cut short, from its start. */
  operations: fc.integer({ min: 1, max: 300 }),
  isCutShort: fc.boolean(),
  end: fc.constantFrom('kill' as const, 'power failure' as const, 'close' as const),
  chances: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 10, maxLength: 30 }),
})

type Life = typeof anyLife extends fc.Arbitrary<infer T> ? T : never

interface KnownLog {
  readonly epoch: string
  readonly messages: Map<number, string>
  top: number
}

/** Everything that was acknowledged or seen, and therefore has to be found again. */
class Witness {
  readonly #logs = new Map<number, KnownLog>()
  readonly #records = new Map<number, string | undefined>()
  readonly #keys = new Map<string, string>()
  /** What is being done and was not answered: it may have happened or not. */
  readonly #pending = new Map<string, number>()
  #written = 0

  /** Does one step. After the end of the engine no answer comes. */
  async take(engine: DiskEngine, step: Step): Promise<void> {
    if (step.do === 'publish') await this.#publish(engine, step)
    else if (step.do === 'rotate') await this.#rotate(engine, step.room)
    else if (step.do !== 'wait') await this.#change(engine, step)
  }

  /** Compares what is there now with what was acknowledged; what is seen has been seen from then on. */
  async look(engine: DiskEngine): Promise<void> {
    for (let room = 0; room < 4; room += 1) this.#lookAt(room, await engine.read(streamOf(room), KEPT, ALL))
    for (let record = 0; record < 4; record += 1) {
      const value = (await engine.records.get(String(record)))?.value
      if (!this.#pending.has(`record ${record}`)) expect(value).toBe(this.#records.get(record))
      this.#records.set(record, value)
    }
    this.#pending.clear()
  }

  #lookAt(room: number, page: LogPage): void {
    const known = this.#logs.get(room)
    const mayHaveRotated = this.#pending.has(`room ${room}`)
    if (known !== undefined && !mayHaveRotated) expect(page.epoch).toBe(known.epoch)
    const log = known?.epoch === page.epoch ? known : { epoch: page.epoch, messages: new Map<number, string>(), top: 0 }
    expect(page.top.offset).toBeGreaterThanOrEqual(log.top)
    expect(page.messages.map(({ offset }) => offset)).toEqual(
      Array.from({ length: Math.min(page.top.offset, KEPT.size) }, (_, at) => page.first + at),
    )
    for (const { offset = 0, id, data } of page.messages) this.#see(log, offset, `${id} ${data}`)
    this.#logs.set(room, log)
  }

  async #publish(engine: DiskEngine, { room, key, size }: Extract<Step, { do: 'publish' }>): Promise<void> {
    // The same key comes with the same data, so that a repetition is one.
    const data = key === undefined ? JSON.stringify(`${(this.#written += 1)}`.padEnd(size, 'x')) : `"key ${key}"`
    const outcome = await engine.publish(request(room, data, key))
    if (outcome.kind !== 'published') throw new Error(outcome.kind)
    if (key !== undefined) this.#checkKey(`${room} ${key}`, outcome)
    if (outcome.duplicate) return
    const known = this.#logs.get(room)
    const log =
      known?.epoch === outcome.epoch ? known : { epoch: outcome.epoch, messages: new Map<number, string>(), top: 0 }
    this.#see(log, outcome.offset, `${outcome.id} ${data}`)
    this.#logs.set(room, log)
  }

  #checkKey(key: string, { id, duplicate }: Extract<PublishOutcome, { kind: 'published' }>): void {
    const earlier = this.#keys.get(key)
    if (earlier !== undefined) expect([id, duplicate]).toEqual([earlier, true])
    this.#keys.set(key, id)
  }

  async #rotate(engine: DiskEngine, room: number): Promise<void> {
    const { epoch } = await engine.read(streamOf(room), KEPT, ALL)
    const done = this.#begin(`room ${room}`)
    const next = await engine.rotate(streamOf(room), epoch)
    done()
    if (this.#logs.get(room)?.epoch !== next) this.#logs.set(room, { epoch: next, messages: new Map(), top: 0 })
  }

  async #change(engine: DiskEngine, step: Extract<Step, { do: 'put' | 'take' }>): Promise<void> {
    const done = this.#begin(`record ${step.record}`)
    const value = step.do === 'put' ? String((this.#written += 1)) : undefined
    if (value === undefined) await engine.records.take(String(step.record))
    else await engine.records.put(String(step.record), value, { ttlMs: 3_600_000 })
    this.#records.set(step.record, value)
    done()
  }

  #see(log: KnownLog, offset: number, message: string): void {
    expect(log.messages.get(offset) ?? message).toBe(message)
    log.messages.set(offset, message)
    log.top = Math.max(log.top, offset)
  }

  #begin(what: string): () => void {
    this.#pending.set(what, (this.#pending.get(what) ?? 0) + 1)
    return () => {
      const left = (this.#pending.get(what) ?? 0) - 1
      if (left <= 0) this.#pending.delete(what)
      else this.#pending.set(what, left)
    }
  }
}

function streamOf(room: number): Stream {
  return { tenant: 't', channel: `room:${room}` }
}

function request(room: number, data: string, key: number | undefined): PublishRequest {
  const idempotency = key === undefined ? {} : { idempotency: { scope: 'u', key: String(key) } }
  return { stream: streamOf(room), event: 'e', data, from: { user: 'u' }, at: '', retention: KEPT, ...idempotency }
}

/** Lives one life on a disk; answers the disk that is found after its end. */
async function live(life: Life, storage: SimulatedStorage, witness: Witness): Promise<SimulatedStorage> {
  let operations = 0
  const errors: string[] = []
  const log = { ...silentLogger, error: (fields: Record<string, unknown>) => void errors.push(JSON.stringify(fields)) }
  const options = { dir: '', segmentBytesMax: 700, compactBytesMin: 2_000 }
  const engine = new DiskEngine(options, { clock: new SimulatedClock(), storage, log })
  const failures: unknown[] = []
  // The disk stops answering at some operation, and with it everything.
  const before = (): undefined | Promise<undefined> =>
    (operations += 1) < life.operations || life.end === 'close' ? undefined : new Promise(() => undefined)
  if (life.isCutShort) storage.before = before
  const started = engine.start().then(() => witness.look(engine))
  if (!life.isCutShort) await started
  started.catch((error: unknown) => failures.push(error))
  storage.before = before
  for (const step of life.isCutShort ? [] : life.steps) {
    if (step.do === 'wait') await settle()
    else witness.take(engine, step).catch((error: unknown) => failures.push(error))
  }
  for (let turn = 0; turn < 5; turn += 1) await nextTurn()
  expect([failures, errors]).toEqual([[], []])
  if (life.end === 'close') await started.then(() => engine.close())
  let chance = 0
  const fraction = (): number => life.chances[(chance += 1) % life.chances.length] ?? 0
  return life.end === 'power failure' ? storage.afterPowerFailure(fraction) : storage.afterKill()
}

describe('what was acknowledged', () => {
  it('is there again under its epoch and offset, whenever and however the engine ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLife, { minLength: 1, maxLength: 6 }), async (lives) => {
        let storage = new SimulatedStorage()
        const witness = new Witness()
        for (const life of lives) storage = await live(life, storage, witness)
        await live({ steps: [], operations: Infinity, isCutShort: false, end: 'close', chances: [] }, storage, witness)
      }),
      { numRuns: Number(process.env['HOLDFAST_CRASH_RUNS'] ?? 300) },
    )
  })
})
