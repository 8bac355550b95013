import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { SimulatedClock } from '../simulated-clock.js'
import { Lanes } from './lanes.js'
import { DIRTY_MAX, DIRTY_TENANTS, dirtyOf, heldBy, listenersOf } from './places.js'
import { Subjects } from './subjects.js'

let clock: SimulatedClock
let engine: MemoryEngine
let heard: Set<string>
let subjects: Subjects
let errors: unknown[]

const room = (tenant: string, channel = 'room:1'): { readonly tenant: string; readonly channel: string } => ({
  tenant,
  channel,
})

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  heard = new Set()
  errors = []
  subjects = new Subjects({
    engine,
    life: { id: 'life' },
    lanes: new Lanes({ clock, isBlocked: () => false, onError: (error) => void errors.push(error) }),
    wake: { say: () => undefined },
    interest: { wants: (_, tenant) => tenant !== 'unwanted' },
    isHeardHere: ({ tenant, channel }) => heard.has(`${tenant} ${channel}`),
    onDropped: () => undefined,
  })
})

const marks = async (tenant: string): Promise<number> => (await engine.registers.totals(dirtyOf(tenant))).entries

const entries = async (name: string): Promise<number> => (await engine.registers.totals(name)).entries

describe('a channel', () => {
  it('is entered while somebody listens, and marked when that begins and ends', async () => {
    heard.add('acme room:1')
    subjects.channelChanged(room('acme'))
    await clock.pass(100, 10)
    expect([await entries(listenersOf(room('acme'))), await entries(heldBy('life')), await marks('acme')]).toEqual([
      1, 1, 1,
    ])
    heard.clear()
    subjects.channelChanged(room('acme'))
    await clock.pass(100, 10)
    expect([await entries(listenersOf(room('acme'))), await entries(heldBy('life')), await marks('acme')]).toEqual([
      0, 0, 2,
    ])
    expect(subjects.size).toBe(0)
    expect(await entries(DIRTY_TENANTS)).toBe(1)
  })

  it('that was left before its turn came leaves nothing', async () => {
    subjects.channelChanged(room('acme'))
    await clock.pass(100, 10)
    expect(await marks('acme')).toBe(0)
  })

  it('of a tenant of whom nobody wants events is not entered', async () => {
    heard.add('unwanted room:1')
    subjects.channelChanged(room('unwanted'))
    await clock.pass(100, 10)
    expect(engine.sizes().registers).toBe(0)
  })
})

describe('marks', () => {
  it('of a tenant are bounded: what is over it waits, and delays no other tenant', async () => {
    for (let at = 0; at < DIRTY_MAX; at += 1)
      await engine.registers.put(dirtyOf('acme'), { key: `${at}`, ttlMs: 60_000 })
    heard.add('acme room:1').add('other room:1')
    subjects.channelChanged(room('acme'))
    subjects.channelChanged(room('other'))
    await clock.pass(1_000, 50)
    expect(await marks('acme')).toBe(DIRTY_MAX)
    expect(await marks('other')).toBe(1)
    expect(errors.length).toBeGreaterThan(0)
    for (let at = 0; at < 10; at += 1) await engine.registers.remove(dirtyOf('acme'), `${at}`)
    await clock.pass(20_000, 500)
    expect(await marks('acme')).toBe(DIRTY_MAX - 9)
  })
})

describe('a member', () => {
  const entry = (
    session: string,
  ): { session: string; connection: string; node: string; user: string; info: undefined } => ({
    session,
    connection: `c-${session}`,
    node: 'n1',
    user: 'ada',
    info: undefined,
  })

  it('is entered with the first session and taken out with the last, and marked at both', async () => {
    const counts: number[][] = []
    for (const step of ['enter one', 'enter two', 'leave one', 'leave two']) {
      const [what, session = ''] = step.split(' ')
      if (what === 'enter') {
        subjects.entering(room('acme'), entry(session))
        subjects.entered(room('acme'), entry(session), await engine.members.enter(room('acme'), entry(session)))
      } else subjects.left(room('acme'), entry(session), await engine.members.leave(room('acme'), entry(session)))
      await clock.pass(100, 10)
      counts.push([await entries(heldBy('life')), await marks('acme')])
    }
    expect(counts).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [0, 2],
    ])
    expect(subjects.size).toBe(0)
  })
})
