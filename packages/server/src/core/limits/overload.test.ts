import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { systemRandom } from '../../random.js'
import type { AuditFields } from '../../telemetry/audit.js'
import type { Farewell } from '../connection/encode.js'
import { Overload } from './overload.js'

let clock: SimulatedClock
let percent: number
let recorded: AuditFields[]
let connections: Member[]
let overload: Overload

class Member {
  isIdle = true
  farewell: Farewell | undefined

  close(reason: { readonly reason: string }, farewell: Farewell): void {
    expect(reason.reason).toBe('Server busy')
    this.farewell = farewell
    connections = connections.filter((other) => other !== this)
  }
}

beforeEach(() => {
  clock = new SimulatedClock()
  percent = 10
  recorded = []
  connections = []
  overload = new Overload({
    clock,
    random: systemRandom,
    memory: () => ({ used: percent * 10, max: 1_000 }),
    limits: { readsPercent: 85, admitPercent: 92, shedPercent: 97 },
    audit: { record: (event, fields) => void (event === 'overload.changed' && recorded.push(fields)) },
    connections: () => connections,
  })
  overload.start()
})

async function at(share: number): Promise<number> {
  percent = share
  await clock.pass(1_000)
  return overload.level
}

describe('a node whose memory gets short', () => {
  it('does without more, level by level, at the percent that its limits say', async () => {
    expect(await at(84.9)).toBe(0)
    expect([overload.readsWait, overload.admits]).toEqual([undefined, true])
    expect(await at(85)).toBe(1)
    expect(overload.readsWait).toBeGreaterThanOrEqual(5_000)
    expect(overload.admits).toBe(true)
    expect(await at(91.9)).toBe(1)
    expect(await at(92)).toBe(2)
    expect(overload.admits).toBe(false)
    expect(await at(96.9)).toBe(2)
    expect(await at(97)).toBe(3)
    expect(overload.percent).toBe(97)
  })

  it('goes back to a level when it is clearly below it, and not before', async () => {
    expect(await at(99)).toBe(3)
    expect(await at(94)).toBe(3)
    expect(await at(93.9)).toBe(2)
    expect(await at(89)).toBe(2)
    expect(await at(88.9)).toBe(1)
    expect(await at(82)).toBe(1)
    expect(await at(81.9)).toBe(0)
    expect(recorded.map(({ rule, action, reason }) => [rule, action, reason])).toEqual([
      ['level 3', 'rises', 'memory at 99 %'],
      ['level 2', 'falls', 'memory at 93.9 %'],
      ['level 1', 'falls', 'memory at 88.9 %'],
      ['level 0', 'falls', 'memory at 81.9 %'],
    ])
  })

  it('sends the newest idle connections away, some each second, with a time to come back', async () => {
    const all = (connections = Array.from({ length: 1_000 }, () => new Member()))
    for (let index = 990; index < 1_000; index += 1) all[index]!.isIdle = false
    await at(97)
    expect(connections).toHaveLength(980)
    expect(all.slice(970, 990).every(({ farewell }) => farewell?.reconnect === 'backoff')).toBe(true)
    expect(all[989]!.farewell!.after).toBeGreaterThanOrEqual(5_000)
    expect(all.slice(990).every(({ farewell }) => farewell === undefined)).toBe(true)
    await at(97)
    expect(connections).toHaveLength(960)
    await at(50)
    expect(connections).toHaveLength(960)
  })

  it('sends a few away where there are few, and nobody who is at work', async () => {
    connections = Array.from({ length: 12 }, () => new Member())
    for (const member of connections.slice(0, 2)) member.isIdle = false
    await at(99)
    expect(connections).toHaveLength(2)
    await at(99)
    expect(connections).toHaveLength(2)
  })

  it('looks no more when it has stopped', async () => {
    overload.stop()
    expect(await at(99)).toBe(0)
  })
})
