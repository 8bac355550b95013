import type { Member } from '@holdfast/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { MemberChange, MemberList } from '../../engine/engine.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { Roster } from './roster.js'

const COALESCE_MS = 250
const SAMPLE_MAX = 1_000

let clock: SimulatedClock
let roster: Roster
let told: string[]
let reads: number
/** Who is there, as the engine knows it. */
let list: MemberList
let fails: boolean

beforeEach(() => {
  clock = new SimulatedClock()
  told = []
  reads = 0
  list = listOf({}, 0)
  fails = false
  roster = new Roster({
    clock,
    coalesceMs: COALESCE_MS,
    sampleMax: SAMPLE_MAX,
    list: async () => {
      reads += 1
      if (fails) throw new Error('away')
      return list
    },
    tell: ({ kind, member, counts }) => told.push(`${kind} ${member.user} ${member.connections} of ${counts.members}`),
    onError: (error) => told.push(String(error)),
  })
})

function listOf(connections: Record<string, number>, version: number, members?: number): MemberList {
  const named: Member[] = Object.entries(connections).map(([user, count]) => ({ user, connections: count }))
  const sum = named.reduce((total, member) => total + member.connections, 0)
  return { members: named, counts: { members: members ?? named.length, connections: sum }, version }
}

function change(user: string, connections: number, version: number, before = 0): MemberChange {
  return {
    member: { user, connections },
    counts: { members: 1, connections },
    before,
    changed: true,
    version,
  }
}

async function gathered(): Promise<string[]> {
  await clock.pass(COALESCE_MS)
  return told.splice(0)
}

describe('a roster that nobody watches', () => {
  it('takes nothing and reads nothing', async () => {
    roster.take(change('ada', 1, 1))
    roster.uncertain()
    expect(await gathered()).toEqual([])
    expect(reads).toBe(0)
  })

  it('forgets what it gathered when the last who watched has gone', async () => {
    roster.begin(listOf({}, 0))
    roster.take(change('ada', 1, 1))
    roster.end()
    expect(await gathered()).toEqual([])
    roster.begin(listOf({ bob: 1 }, 5))
    roster.take(change('ada', 1, 6))
    expect(await gathered()).toEqual(['joined ada 1 of 1'])
  })
})

describe('a change', () => {
  beforeEach(() => roster.begin(listOf({ ada: 1 }, 7)))

  it('that comes twice, or late, is told once', async () => {
    roster.take(change('bob', 1, 8))
    roster.take(change('bob', 1, 8))
    roster.take(change('cleo', 1, 6))
    expect(await gathered()).toEqual(['joined bob 1 of 1'])
    expect(reads).toBe(0)
  })

  it('is told with those of the same moment as one', async () => {
    roster.take(change('ada', 2, 8, 1))
    roster.take(change('ada', 1, 9, 2))
    roster.take(change('bob', 1, 10))
    roster.take(change('bob', 0, 11, 1))
    expect(await gathered()).toEqual([])
  })

  it('that was missed shows in the next: the list is read, and the differences are told', async () => {
    list = listOf({ bob: 2, cleo: 1 }, 11)
    roster.take(change('cleo', 1, 11))
    expect(await gathered()).toEqual(['joined bob 2 of 2', 'joined cleo 1 of 2', 'left ada 0 of 2'])
    expect(reads).toBe(1)
    roster.take(change('cleo', 1, 11))
    roster.take(change('dora', 1, 12))
    expect(await gathered()).toEqual(['joined dora 1 of 1'])
    expect(reads).toBe(1)
  })

  it('that is newer than the list that was read is missed no more', async () => {
    list = listOf({ ada: 1 }, 9)
    roster.take(change('bob', 1, 9))
    roster.take(change('cleo', 1, 10))
    expect(await gathered()).toEqual([])
    list = listOf({ ada: 1, bob: 1, cleo: 1 }, 11)
    roster.take(change('bob', 1, 11))
    expect(await gathered()).toEqual(['joined bob 1 of 3', 'joined cleo 1 of 3'])
  })
})

describe('uncertainty', () => {
  beforeEach(() => roster.begin(listOf({ ada: 1, bob: 1 }, 7)))

  it('is ended by the list: what is as it was is not told', async () => {
    list = listOf({ ada: 1, cleo: 1 }, 30)
    roster.uncertain()
    expect(await gathered()).toEqual(['joined cleo 1 of 2', 'left bob 0 of 2'])
    roster.uncertain()
    expect(await gathered()).toEqual([])
    expect(reads).toBe(2)
  })

  it('is ended by one list, however often it was said, and asked again while the engine is away', async () => {
    fails = true
    roster.uncertain()
    roster.uncertain()
    await clock.pass(5_000, 500)
    expect(told.splice(0).length).toBeGreaterThanOrEqual(5)
    fails = false
    list = listOf({ ada: 1 }, 8)
    await clock.pass(2_000, 250)
    expect(told).toEqual(['left bob 0 of 1'])
    const before = reads
    await clock.pass(10_000, 500)
    expect(reads).toBe(before)
  })

  it('of a list that names only some says who is new, and of nobody that they left', async () => {
    list = listOf({ bob: 1, zoe: 1 }, 9, 5_000)
    roster.uncertain()
    expect(await gathered()).toEqual(['joined zoe 1 of 5000'])
  })

  it('of a channel that began anew is ended, too: a lower version is no older change', async () => {
    list = listOf({ ada: 1 }, 2)
    roster.uncertain()
    expect(await gathered()).toEqual(['left bob 0 of 1'])
    roster.take(change('bob', 1, 3))
    expect(await gathered()).toEqual(['joined bob 1 of 1'])
  })
})

describe('more members than are named', () => {
  it('are told of as they come and go, and a sample of them is remembered', async () => {
    roster.begin(listOf({}, 0))
    for (let at = 1; at <= SAMPLE_MAX + 500; at += 1) roster.take(change(`u${at}`, 1, at))
    expect(await gathered()).toHaveLength(SAMPLE_MAX + 500)
    roster.take(change('u1', 0, SAMPLE_MAX + 501, 1))
    roster.take(change(`u${SAMPLE_MAX + 500}`, 0, SAMPLE_MAX + 502, 1))
    expect(await gathered()).toEqual(['left u1 0 of 1', `left u${SAMPLE_MAX + 500} 0 of 1`])
  })
})
