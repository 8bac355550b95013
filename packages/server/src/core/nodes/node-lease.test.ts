import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { systemRandom } from '../../random.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { NodeLease } from './node-lease.js'

const OPTIONS = { renewMs: 3_000, leaseMs: 10_000 }
const ENTRY = { session: 's', connection: 'c', user: 'ada', info: undefined }
const ROOM = { tenant: 'acme', channel: 'room:1' }

let clock: SimulatedClock
let engine: MemoryEngine
let restored: string[]
let errors: number
let refuses: (node: string, method: string) => boolean

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  restored = []
  errors = 0
  refuses = () => false
})

function leaseOf(node: string, restore: () => Promise<void> = () => Promise.resolve()): NodeLease {
  return new NodeLease({
    engine: faultyEngine(engine, async (method) => {
      if (refuses(node, method)) throw new Error('away')
    }),
    node,
    about: { version: '1', startedAt: 'now' },
    clock,
    random: systemRandom,
    options: OPTIONS,
    restore: () => {
      restored.push(node)
      return restore()
    },
    onError: () => (errors += 1),
  })
}

const present = async (): Promise<number> => (await engine.members.list(ROOM, 10)).counts.members

describe('a node that lives', () => {
  it('is listed with what it tells of itself, where it listens included', async () => {
    const lease = leaseOf('n1')
    await lease.start()
    expect(lease.isHeld).toBe(true)
    lease.listensAt('127.0.0.1:80')
    await clock.pass(60_000, 500)
    const about = { version: '1', startedAt: 'now', address: '127.0.0.1:80' }
    expect(await engine.nodes.list()).toEqual([{ node: 'n1', about: JSON.stringify(about) }])
  })

  it('keeps what it holds, and enters nothing again', async () => {
    const [one, other] = [leaseOf('n1'), leaseOf('n2')]
    await Promise.all([one.start(), other.start()])
    expect(restored.splice(0)).toEqual(['n1', 'n2'])
    await engine.members.enter(ROOM, { ...ENTRY, node: 'n1' })
    await clock.pass(120_000, 500)
    expect(await present()).toBe(1)
    expect(restored).toEqual([])
  })

  it('gives its lease back when it ends, and the others let go of what is left', async () => {
    const [one, other] = [leaseOf('n1'), leaseOf('n2')]
    await Promise.all([one.start(), other.start()])
    await engine.members.enter(ROOM, { ...ENTRY, node: 'n1' })
    await one.leave()
    await clock.pass(1_200, 100)
    expect(await present()).toBe(0)
    await clock.pass(20_000, 500)
    expect((await engine.nodes.list()).map(({ node }) => node)).toEqual(['n2'])
  })
})

describe('a node that died', () => {
  it('is let go of by another within the lease and a sweep, not before', async () => {
    const [one, other] = [leaseOf('n1'), leaseOf('n2')]
    await Promise.all([one.start(), other.start()])
    await engine.members.enter(ROOM, { ...ENTRY, node: 'n1' })
    refuses = (node) => node === 'n1'
    await clock.pass(9_900, 100)
    expect(await present()).toBe(1)
    await clock.pass(1_300, 100)
    expect(await present()).toBe(0)
  })
})

describe('a node that slept', () => {
  it('enters again what the others let go of', async () => {
    const enter = async (): Promise<void> => void (await engine.members.enter(ROOM, { ...ENTRY, node: 'n1' }))
    const [one, other] = [leaseOf('n1', enter), leaseOf('n2')]
    await Promise.all([one.start(), other.start()])
    refuses = (node) => node === 'n1'
    await clock.pass(20_000, 500)
    expect(await present()).toBe(0)
    expect(one.isHeld).toBe(false)
    refuses = () => false
    await clock.pass(3_000, 500)
    expect(await present()).toBe(1)
    expect(one.isHeld).toBe(true)
  })

  it('enters again after a renewal that was not answered: nobody knows what the answer was', async () => {
    await leaseOf('n1').start()
    restored = []
    refuses = (_, method) => method === 'nodes.renew'
    await clock.pass(3_000, 500)
    refuses = () => false
    await clock.pass(3_000, 500)
    expect(restored).toEqual(['n1'])
    expect(errors).toBe(1)
    await clock.pass(30_000, 500)
    expect(restored).toEqual(['n1'])
  })

  it('enters again what it lost while it was entering', async () => {
    let goOn = (): void => undefined
    const lease = leaseOf('n1', () => new Promise((resolve) => (goOn = resolve)))
    const started = lease.start()
    await clock.pass(100)
    await engine.nodes.leave('n1')
    await clock.pass(3_000, 500)
    expect(restored).toEqual(['n1'])
    goOn()
    await started
    await clock.pass(3_000, 500)
    expect(restored).toEqual(['n1', 'n1'])
    goOn()
    await clock.pass(30_000, 500)
    expect(restored).toHaveLength(2)
  })

  it('tries again to enter what was refused', async () => {
    let refusals = 3
    const lease = leaseOf('n1', async () => {
      if ((refusals -= 1) >= 0) throw new Error('away')
    })
    await lease.start()
    await clock.pass(30_000, 500)
    expect(restored).toHaveLength(4)
  })
})
