import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { systemRandom } from '../../random.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { ControlDesk } from './control.js'
import { Retries } from '../retries.js'
import { Seal } from './seal.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'
const ADA = { tenant: 'acme', user: 'ada' }

let clock: SimulatedClock
let engine: MemoryEngine
let lines: Record<string, unknown>[]

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  lines = []
})

async function desk(node: string, secret: string = SECRET): Promise<ControlDesk> {
  const note = (fields: Record<string, unknown>): void => void lines.push(fields)
  const made = new ControlDesk({
    control: engine.control,
    secret,
    node,
    clock,
    random: systemRandom,
    retries: new Retries(clock, () => undefined),
    log: { debug: note, info: note, warn: note, error: note },
  })
  await made.start()
  return made
}

describe('a question', () => {
  it('is answered by the node that is asked', async () => {
    const [one, other, third] = [await desk('one'), await desk('other'), await desk('third')]
    const asked: string[] = []
    other.on('user.disconnect', ({ user }) => asked.push(`other ${user}`))
    third.on('user.disconnect', ({ user }) => asked.push(`third ${user}`))
    expect(await one.ask('other', 'user.disconnect', ADA)).toBe(1)
    expect(asked).toEqual(['other ada'])
  })

  it('to many is answered by each, and does not wait when all have', async () => {
    const [one, other, third] = [await desk('one'), await desk('other'), await desk('third')]
    other.on('user.disconnect', () => 2)
    third.on('user.disconnect', async () => 3)
    expect(await one.askAll(['other', 'third'], 'user.disconnect', ADA)).toEqual([2, 3])
    expect(await one.askAll([], 'user.disconnect', ADA)).toEqual([])
  })

  it('that nobody answers within a second has no answer; the others count', async () => {
    const [one, other] = [await desk('one'), await desk('other')]
    other.on('user.disconnect', () => 2)
    const answers = one.askAll(['other', 'gone'], 'user.disconnect', ADA)
    await clock.pass(999)
    expect(await Promise.race([answers, Promise.resolve('waits')])).toBe('waits')
    await clock.pass(1)
    expect(await answers).toEqual([2])
  })

  it('to a node that does not listen has no answer at once', async () => {
    const one = await desk('one')
    expect(await one.ask('gone', 'user.disconnect', ADA)).toBeUndefined()
  })

  it('to a node that fell silent has no answer at once, until it says something or a moment has passed', async () => {
    const one = await desk('one')
    // It hears, and says nothing.
    await engine.control.receive('other', () => undefined)
    const first = one.ask('other', 'user.disconnect', ADA)
    await clock.pass(1_000)
    expect(await first).toBeUndefined()
    expect(await one.ask('other', 'user.disconnect', ADA)).toBeUndefined()
    const other = await desk('other')
    other.on('user.disconnect', () => 5)
    await other.tell('operation.cancel', { tenant: 'acme', id: 'x' })
    await settle()
    expect(await one.ask('other', 'user.disconnect', ADA)).toBe(5)
    await other.stop()
    const again = one.ask('other', 'user.disconnect', ADA)
    await clock.pass(1_000)
    expect(await again).toBeUndefined()
    await clock.pass(5_000)
    const late = one.ask('other', 'user.disconnect', ADA)
    expect(await Promise.race([late, settle().then(() => 'waits')])).toBe('waits')
  })

  it('that its node chokes on, or does not know, has no answer', async () => {
    const [one, other] = [await desk('one'), await desk('other')]
    other.on('user.disconnect', () => Promise.reject(new Error('broken')))
    const answers = [
      one.ask('other', 'user.disconnect', ADA),
      one.ask('other', 'operation.cancel', { tenant: 'a', id: 'b' }),
    ]
    expect(await Promise.all(answers)).toEqual([undefined, null])
    expect(lines).toMatchObject([{ event: 'control.unanswered', kind: 'user.disconnect', reason: 'broken' }])
  })

  it('whose answer is too long for its way has none, and the next is answered', async () => {
    const [one, other] = [await desk('one'), await desk('other')]
    const send = engine.control.send.bind(engine.control)
    engine.control.send = (to, text) =>
      text.length > 10_000 ? Promise.reject(new RangeError('too long')) : send(to, text)
    let size = 10_000
    other.on('session.claim', () => ({ channels: [], state: JSON.stringify('x'.repeat(size)) }))
    const ask = { record: 'r', version: 1 }
    expect(await one.ask('other', 'session.claim', ask)).toBeNull()
    size = 10
    expect(await one.ask('other', 'session.claim', ask)).toMatchObject({ channels: [] })
  })

  it('has no answer when its desk stops', async () => {
    const one = await desk('one')
    const asked = one.ask('other', 'user.disconnect', ADA)
    await settle()
    await one.stop()
    expect(await asked).toBeUndefined()
  })

  it('is not answered by a node that was not asked', async () => {
    const [one, eve] = [await desk('one'), new Seal(SECRET, 'eve', clock, systemRandom)]
    const asked = one.ask('other', 'user.disconnect', ADA)
    await settle()
    await engine.control.send('one', eve.close('one', { answerTo: '1', answer: 99 }))
    await clock.pass(1_000)
    expect(await asked).toBeUndefined()
  })
})

describe('what cannot be believed', () => {
  it('T-096 does nothing, is counted, and is logged without its content', async () => {
    const other = await desk('other')
    let disconnected = 0
    other.on('user.disconnect', () => (disconnected += 1))
    const stranger = new Seal(`another ${SECRET}`, 'one', clock, systemRandom)
    await engine.control.send('other', stranger.close('other', { kind: 'user.disconnect', ask: ADA }))
    const text = new Seal(SECRET, 'one', clock, systemRandom).close('other', { kind: 'user.disconnect', ask: ADA })
    await engine.control.send('other', text)
    for (let time = 0; time < 5; time += 1) await engine.control.send('other', text)
    clock.advance(31_000)
    await engine.control.send('other', new Seal(SECRET, 'one', new SimulatedClock(), systemRandom).close('other', {}))
    await settle()
    expect(disconnected).toBe(1)
    expect(other.refused).toBe(7)
    expect(lines.map(({ event, reason }) => `${String(event)} ${String(reason)}`)).toEqual([
      'control.refused forged',
      'control.refused replayed',
      'control.refused stale',
    ])
    expect(JSON.stringify(lines)).not.toContain('ada')
  })

  it('T-096 never throws, whatever it is, also where it is sealed', async () => {
    const other = await desk('other')
    const calls: unknown[] = []
    other.on('user.disconnect', (ask) => calls.push(ask))
    other.on('session.claim', (ask) => (calls.push(ask), null))
    const seal = new Seal(SECRET, 'one', clock, systemRandom)
    const kinds = fc.constantFrom('user.disconnect', 'session.claim', 'operation.cancel', 'constructor', '__proto__')
    const body = fc.record(
      { kind: fc.oneof(kinds, fc.anything()), ask: fc.anything(), question: fc.anything(), answerTo: fc.anything() },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, fc.jsonValue()), async (content) => {
        let text: string
        try {
          text = seal.close('other', content)
        } catch {
          return
        }
        await engine.control.send('other', text)
        await engine.control.send('other', text.slice(0, -1))
      }),
      { numRuns: 1_000 },
    )
    await settle()
    for (const call of calls) expect(call).toEqual(expect.objectContaining({}))
    expect(await (await desk('one')).ask('other', 'user.disconnect', ADA)).toBeGreaterThan(0)
  })
})
