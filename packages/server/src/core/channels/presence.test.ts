import { beforeEach, describe, expect, it } from 'vitest'
import type { MemberChange, PresenceEntry, Stream } from '../../engine/engine.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { PresenceTracker } from './presence.js'
import { Retries } from '../retries.js'
import { type PresenceChange, Roster } from './roster.js'

const ROOM: Stream = { tenant: 'acme', channel: 'room:1' }
const OPTIONS = { graceMs: 15_000, coalesceMs: 250, sampleMax: 3 }

let clock: SimulatedClock
let engine: MemoryEngine
let presence: PresenceTracker
let told: string[]

beforeEach(async () => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  told = []
  const retries = new Retries(clock, (error) => told.push(`error ${String(error)}`))
  presence = new PresenceTracker(engine, clock, OPTIONS, retries)
  const tell = ({ kind, member, counts }: PresenceChange): void => {
    told.push(`${kind} ${member.user} ${member.connections} of ${counts.members}/${counts.connections}`)
  }
  const roster = new Roster({
    clock,
    ...OPTIONS,
    list: () => engine.members.list(ROOM, OPTIONS.sampleMax),
    tell,
    onError: (error) => told.push(`error ${String(error)}`),
  })
  roster.begin(await presence.list(ROOM))
  const ignore = (): void => undefined
  const members = (change: MemberChange): void => roster.take(change)
  await engine.listen(ROOM, { message: ignore, signal: ignore, members, rotated: ignore, uncertain: ignore })
})

const entry = (user: string, session: string, connection = `${session}-c`, info?: string): PresenceEntry => ({
  user,
  session,
  connection,
  node: 'n1',
  info,
})

/** Lets changes be gathered and told. */
async function announce(): Promise<string[]> {
  await clock.pass(OPTIONS.coalesceMs)
  return told.splice(0)
}

describe('presence', () => {
  it('tells of the first connection of a user, of further ones, and of the last', async () => {
    await presence.enter(ROOM, entry('ada', 's1'))
    expect(await announce()).toEqual(['joined ada 1 of 1/1'])
    await presence.enter(ROOM, entry('ada', 's2'))
    expect(await announce()).toEqual(['updated ada 2 of 1/2'])
    presence.leave(ROOM, entry('ada', 's1'), true)
    expect(await announce()).toEqual(['updated ada 1 of 1/1'])
    presence.leave(ROOM, entry('ada', 's2'), true)
    expect(await announce()).toEqual(['left ada 0 of 0/0'])
  })

  it('answers who is there, the one who enters included', async () => {
    await presence.enter(ROOM, entry('ada', 's1', 'c1', '{"mood":"good"}'))
    const {
      list: { members, counts },
    } = await presence.enter(ROOM, entry('bob', 's2'))
    expect(members).toEqual([
      { user: 'ada', connections: 1, info: { mood: 'good' } },
      { user: 'bob', connections: 1 },
    ])
    expect(counts).toEqual({ members: 2, connections: 2 })
  })

  it('names a sample of many, and counts them all', async () => {
    for (const user of ['a', 'b', 'c', 'd', 'e']) await presence.enter(ROOM, entry(user, user))
    const { members, counts } = await presence.list(ROOM, 1_000)
    expect(members).toHaveLength(OPTIONS.sampleMax)
    expect(counts).toEqual({ members: 5, connections: 5 })
    expect((await presence.list(ROOM, 1)).members).toHaveLength(1)
  })

  it('tells of one who enters and changes within a moment once, as it ended', async () => {
    await presence.enter(ROOM, entry('ada', 's1', 'c1', '1'))
    await presence.enter(ROOM, entry('ada', 's2', 'c2', '2'))
    expect(await announce()).toEqual(['joined ada 2 of 1/2'])
  })

  it('says nothing of one who came and went within a moment', async () => {
    await presence.enter(ROOM, entry('ada', 's1'))
    presence.leave(ROOM, entry('ada', 's1'), true)
    expect(await announce()).toEqual([])
  })

  it('says nothing of one who enters again as it was', async () => {
    await presence.enter(ROOM, entry('ada', 's1'))
    await announce()
    await presence.enter(ROOM, entry('ada', 's1'))
    expect(await announce()).toEqual([])
  })

  it('tells of info that changed', async () => {
    await presence.enter(ROOM, entry('ada', 's1', 'c1', '{"mood":"good"}'))
    await announce()
    await presence.enter(ROOM, entry('ada', 's1', 'c1', '{"mood":"bad"}'))
    expect(await announce()).toEqual(['updated ada 1 of 1/1'])
  })
})

describe('a connection that broke', () => {
  beforeEach(async () => {
    await presence.enter(ROOM, entry('ada', 's1', 'c1'))
    await announce()
    presence.leave(ROOM, entry('ada', 's1', 'c1'), false)
  })

  it('counts as there until its grace has ended', async () => {
    await clock.pass(OPTIONS.graceMs - 1)
    expect((await presence.list(ROOM)).counts.members).toBe(1)
    await clock.pass(1)
    expect((await presence.list(ROOM)).counts.members).toBe(0)
    expect(await announce()).toEqual(['left ada 0 of 0/0'])
  })

  it('is not noticed when its session comes back within the grace', async () => {
    await clock.pass(OPTIONS.graceMs - 1)
    await presence.enter(ROOM, entry('ada', 's1', 'c2'))
    await clock.pass(OPTIONS.graceMs * 2)
    expect(told).toEqual([])
    expect((await presence.list(ROOM)).counts.members).toBe(1)
  })

  it('cannot take away what a newer connection of its session holds', async () => {
    const elsewhere = new PresenceTracker(engine, clock, OPTIONS, new Retries(clock, () => undefined))
    await elsewhere.enter(ROOM, entry('ada', 's1', 'c2'))
    await clock.pass(OPTIONS.graceMs * 2)
    expect(told).toEqual([])
    expect((await presence.list(ROOM)).counts).toEqual({ members: 1, connections: 1 })
  })

  it('leaves at once when it says so after all', async () => {
    presence.leave(ROOM, entry('ada', 's1', 'c1'), true)
    expect(await announce()).toEqual(['left ada 0 of 0/0'])
    await clock.pass(OPTIONS.graceMs)
    expect(told).toEqual([])
  })
})

describe('a tracker', () => {
  it('forgets its timers when it closes', async () => {
    await presence.enter(ROOM, entry('ada', 's1'))
    presence.leave(ROOM, entry('ada', 's1'), false)
    presence.close()
    await clock.pass(OPTIONS.graceMs * 2)
    expect((await presence.list(ROOM)).counts.members).toBe(1)
  })

  it('reports an engine that refuses, and goes on', async () => {
    engine.members.leave = () => Promise.reject(new Error('away'))
    presence.leave(ROOM, entry('ada', 's1'), true)
    await settle()
    expect(told).toEqual(['error Error: away'])
  })

  it('tries a leave that was refused until it is taken, unless the connection enters again', async () => {
    const { members } = engine
    const leave = members.leave.bind(members)
    const refuse = (): Promise<never> => Promise.reject(new Error('away'))
    await presence.enter(ROOM, entry('ada', 's1'))
    await presence.enter(ROOM, entry('bob', 's2'))
    members.leave = refuse
    presence.leave(ROOM, entry('ada', 's1'), true)
    presence.leave(ROOM, entry('bob', 's2'), true)
    await clock.pass(5_000, 500)
    await presence.enter(ROOM, entry('bob', 's2'))
    members.leave = leave
    await clock.pass(60_000, 500)
    expect((await presence.list(ROOM)).members).toEqual([{ user: 'bob', connections: 1 }])
  })

  it('enters again what the engine lost, but not what has left since', async () => {
    await engine.nodes.renew('n1', '', 1_000)
    await presence.enter(ROOM, entry('ada', 's1'))
    await presence.enter(ROOM, entry('bob', 's2'))
    clock.advance(1_000)
    await engine.nodes.reap()
    presence.leave(ROOM, entry('bob', 's2'), false)
    await presence.renew(ROOM, entry('ada', 's1'))
    await presence.renew(ROOM, entry('bob', 's2'))
    expect((await presence.list(ROOM)).members).toEqual([{ user: 'ada', connections: 1 }])
  })
})
