import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { silentLogger } from '../../telemetry/log.js'
import type { LogPage, PublishOutcome, PublishRequest, Stream } from '../engine.js'
import { DiskEngine } from './disk-engine.js'
import { type BeforeOperation, SimulatedStorage } from './simulated-storage.js'

const KEPT = { size: 8, ttlMs: 3_600_000 }
const ALL = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const

type Step =
  | { readonly do: 'publish'; readonly room: number; readonly key: number | undefined; readonly size: number }
  | { readonly do: 'rotate'; readonly room: number }
  | { readonly do: 'put' | 'take'; readonly record: number }
  | { readonly do: 'enter' | 'remove'; readonly entry: number }
  | { readonly do: 'place' | 'displace'; readonly place: number }
  | { readonly do: 'wait'; readonly turns: number }
  | { readonly do: 'pass' }

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
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('enter' as const, 'remove' as const), entry: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('place' as const, 'displace' as const), place: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'pass' as const }) },
)

/** A life of the engine: what is done, and when and how it ends. */
const anyLife = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 50 }),
  /** Operations of the disk until the end, counted from when the engine serves, or, when it is cut short, from its start. */
  operations: fc.integer({ min: 1, max: 60 }),
  isCutShort: fc.boolean(),
  /** Operations that fail on the way, and how much of each is done all the same. */
  faults: fc.array(fc.record({ operation: fc.integer({ min: 1, max: 60 }), taken: fc.nat(400) }), { maxLength: 4 }),
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
  readonly #entries = new Map<number, string | undefined>()
  readonly #places = new Map<number, number | undefined>()
  readonly #keys = new Map<string, string>()
  /** What is being done and was not answered: it may have happened or not. */
  readonly #pending = new Map<string, number>()
  #written = 0

  /** Does one step. After the end of the engine no answer comes. */
  async take(engine: DiskEngine, step: Step): Promise<void> {
    if (step.do === 'publish') await this.#publish(engine, step)
    else if (step.do === 'rotate') await this.#rotate(engine, step.room)
    else if (step.do === 'put' || step.do === 'take') await this.#change(engine, step)
    else if (step.do === 'enter' || step.do === 'remove') await this.#enter(engine, step)
    else if (step.do === 'place' || step.do === 'displace') await this.#place(engine, step)
  }

  /** Compares what is there now with what was acknowledged; what is seen has been seen from then on. */
  async look(engine: DiskEngine): Promise<void> {
    for (let room = 0; room < 4; room += 1) this.#lookAt(room, await engine.read(streamOf(room), KEPT, ALL))
    for (let record = 0; record < 4; record += 1) {
      const value = (await engine.records.get(String(record)))?.value
      if (!this.#pending.has(`record ${record}`)) expect(value).toBe(this.#records.get(record))
      this.#records.set(record, value)
    }
    await this.#lookAtRegister(engine)
    await this.#lookAtIndex(engine)
    this.#pending.clear()
  }

  async #lookAtRegister(engine: DiskEngine): Promise<void> {
    const found = await engine.registers.list('r', 10)
    const amount = found.reduce((sum, entry) => sum + entry.amount, 0)
    expect(await engine.registers.totals('r')).toEqual({ entries: found.length, amount })
    for (let entry = 0; entry < 4; entry += 1) {
      const value = found.find(({ key }) => key === String(entry))?.value
      if (!this.#pending.has(`entry ${entry}`)) expect(value).toBe(this.#entries.get(entry))
      this.#entries.set(entry, value)
    }
  }

  async #lookAtIndex(engine: DiskEngine): Promise<void> {
    const found = await engine.indexes.range('i', { limit: 10 })
    expect(found).toEqual(found.toSorted((one, other) => one.score - other.score))
    for (let place = 0; place < 4; place += 1) {
      const score = found.find(({ key }) => key === String(place))?.score
      if (!this.#pending.has(`place ${place}`)) expect(score).toBe(this.#places.get(place))
      this.#places.set(place, score)
    }
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

  async #enter(engine: DiskEngine, step: Extract<Step, { do: 'enter' | 'remove' }>): Promise<void> {
    const done = this.#begin(`entry ${step.entry}`)
    const written = (this.#written += 1)
    const request = { key: String(step.entry), value: String(written), amount: written, ttlMs: 3_600_000 }
    if (step.do === 'enter') await engine.registers.put('r', request)
    else await engine.registers.remove('r', request.key)
    this.#entries.set(step.entry, step.do === 'enter' ? request.value : undefined)
    done()
  }

  async #place(engine: DiskEngine, step: Extract<Step, { do: 'place' | 'displace' }>): Promise<void> {
    const done = this.#begin(`place ${step.place}`)
    const score = (this.#written += 1) % 7 === 0 ? -this.#written : this.#written
    const key = String(step.place)
    if (step.do === 'place') await engine.indexes.put('i', { key, score, ttlMs: 3_600_000 })
    else await engine.indexes.remove('i', key)
    this.#places.set(step.place, step.do === 'place' ? score : undefined)
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
  const error = (fields: Record<string, unknown>): void =>
    void (fields['event'] === 'disk.lost' && errors.push(JSON.stringify(fields)))
  const log = { ...silentLogger, error }
  const clock = new SimulatedClock()
  const options = { dir: '', segmentBytesMax: 700, compactBytesMin: 2_000 }
  const engine = new DiskEngine(options, { clock, storage, log })
  const failures: unknown[] = []
  // Some operations fail; and at one the disk stops answering, and with it everything.
  const before = (): ReturnType<BeforeOperation> => {
    operations += 1
    if (operations >= life.operations && life.end !== 'close') return new Promise(() => undefined)
    const fault = life.faults.find(({ operation }) => operation === operations)
    return fault && { error: new Error('EIO'), taken: fault.taken }
  }
  if (life.isCutShort) storage.before = before
  const started = engine.start().then(() => witness.look(engine))
  if (!life.isCutShort) await started
  const keep = (reason: unknown): void => void (isRefusal(reason) || failures.push(reason))
  started.catch((reason: unknown) => (life.faults.length > 0 ? undefined : keep(reason)))
  storage.before = before
  for (const step of life.isCutShort ? [] : life.steps) {
    if (step.do === 'pass') await clock.pass(1_000, 100)
    for (let turn = step.do === 'wait' ? step.turns : 0; turn > 0; turn -= 1) await Promise.resolve()
    if (step.do !== 'pass' && step.do !== 'wait') witness.take(engine, step).catch(keep)
  }
  for (let turn = 0; turn < 5; turn += 1) await nextTurn()
  expect([failures, errors]).toEqual([[], []])
  if (life.end === 'close') await started.then(() => engine.close()).catch(keep)
  let chance = 0
  const fraction = (): number => life.chances[(chance += 1) % life.chances.length] ?? 0
  storage.before = () => undefined
  // The next process finds what this one wrote, but what was not synchronised may still go with the power.
  return life.end === 'power failure' ? storage.afterPowerFailure(fraction) : storage
}

function isRefusal(reason: unknown): boolean {
  return (reason as { code?: unknown }).code === 'engine_unavailable'
}

describe('what was acknowledged', () => {
  it('is there again under its epoch and offset, whenever and however the engine ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLife, { minLength: 1, maxLength: 8 }), async (lives) => {
        let storage = new SimulatedStorage()
        const witness = new Witness()
        for (const life of lives) storage = await live(life, storage, witness)
        await live(
          { steps: [], operations: Infinity, isCutShort: false, faults: [], end: 'close', chances: [] },
          storage,
          witness,
        )
      }),
      { numRuns: Number(process.env['HOLDFAST_CRASH_RUNS'] ?? 300) },
    )
  })
})
