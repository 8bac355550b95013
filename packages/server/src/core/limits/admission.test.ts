import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { Admission, type AdmissionLimits, type Visitor } from './admission.js'
import { Retries } from '../retries.js'

const LIMITS: AdmissionLimits = {
  connectionsMax: 100,
  connectionsPerUserMax: 2,
  connectionsPerTenantMax: undefined,
  connectionsPerAddressMax: undefined,
}

let clock: SimulatedClock
let engine: MemoryEngine
/** Which calls of the engine are refused, before it carries them out or after. */
let refused: 'none' | 'before' | 'after'

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  refused = 'none'
})

function admissionOf(node: string, limits: Partial<AdmissionLimits> = {}): Admission {
  const away = (): Promise<never> => Promise.reject(new Error('away'))
  const faulty = faultyEngine(engine, () => (refused === 'before' ? away() : Promise.resolve()))
  const { counters } = faulty
  const add: typeof counters.add = async (...parts) => {
    const sum = await counters.add(...parts)
    return refused === 'after' ? away() : sum
  }
  const retries = new Retries(clock, () => undefined)
  return new Admission({ ...faulty, counters: { add } }, node, { ...LIMITS, ...limits }, retries)
}

const visitor = (user: string, tenant = 'acme', address = '192.0.2.1'): Visitor => ({
  identity: { tenant, user },
  address,
})
const ADA = visitor('ada')

/** How many more places `user` gets from a node that has no bound of its own. */
async function placesLeft(who: Visitor = ADA, limits: Partial<AdmissionLimits> = {}): Promise<number> {
  const probe = admissionOf('probe', limits)
  let taken = 0
  while (taken < 100 && (await probe.takePlace(who))) taken += 1
  for (let count = 0; count < taken; count += 1) probe.leavePlace(who)
  await settle()
  return taken
}

describe('a node', () => {
  it('has room for so many connections', () => {
    const admission = admissionOf('n1', { connectionsMax: 2 })
    admission.arrived()
    expect(admission.hasRoom).toBe(true)
    admission.arrived()
    expect(admission.hasRoom).toBe(false)
    admission.departed()
    expect(admission.hasRoom).toBe(true)
  })

  it('is closed for good when it drains', () => {
    const admission = admissionOf('n1')
    expect(admission.isOpen).toBe(true)
    admission.stop()
    expect(admission.isOpen).toBe(false)
  })
})

describe('on all nodes together', () => {
  it('an address has so many places, and a Unix socket as many as are asked for', async () => {
    const limits = { connectionsPerAddressMax: 1 }
    const admission = admissionOf('n1', limits)
    const places = async (address: string): Promise<boolean[]> => [
      await admission.takePlace(visitor('ada', 'acme', address)),
      await admission.takePlace(visitor('bob', 'acme', address)),
    ]
    expect(await places('192.0.2.1')).toEqual([true, false])
    expect(await places('unix')).toEqual([true, true])
  })

  it('each user has so many places', async () => {
    const [one, other] = [admissionOf('n1'), admissionOf('n2')]
    expect(await one.takePlace(ADA)).toBe(true)
    expect(await other.takePlace(ADA)).toBe(true)
    expect(await one.takePlace(ADA)).toBe(false)
    expect(await one.takePlace(visitor('ada', 'other'))).toBe(true)
    other.leavePlace(ADA)
    await settle()
    expect(await one.takePlace(ADA)).toBe(true)
  })

  it('a tenant has so many where that is bounded, and who is refused takes none', async () => {
    const limits = { connectionsPerTenantMax: 2, connectionsPerUserMax: 9 }
    const [one, other] = [admissionOf('n1', limits), admissionOf('n2', limits)]
    expect(await one.takePlace(visitor('ada'))).toBe(true)
    expect(await other.takePlace(visitor('bob'))).toBe(true)
    expect(await one.takePlace(visitor('cleo'))).toBe(false)
    expect(await one.takePlace(visitor('cleo', 'other'))).toBe(true)
    other.leavePlace(visitor('bob'))
    await settle()
    expect(await one.takePlace(visitor('cleo'))).toBe(true)
    await settle()
    expect(await placesLeft(visitor('cleo'), { connectionsPerUserMax: 9 })).toBe(8)
  })

  it('an address has so many where that is bounded', async () => {
    const limits = { connectionsPerAddressMax: 1 }
    const [one, other] = [admissionOf('n1', limits), admissionOf('n2', limits)]
    expect(await one.takePlace(visitor('ada'))).toBe(true)
    expect(await other.takePlace(visitor('bob'))).toBe(false)
    expect(await other.takePlace(visitor('bob', 'acme', '192.0.2.2'))).toBe(true)
  })

  it('one who moves from another node is not refused, and counts', async () => {
    const [one, other] = [admissionOf('n1'), admissionOf('n2')]
    await one.takePlace(ADA)
    await one.takePlace(ADA)
    expect(await other.takePlace(ADA, {})).toBe(true)
    expect(await other.takePlace(ADA)).toBe(false)
    one.leavePlace(ADA)
    await settle()
    expect(await one.takePlace(ADA)).toBe(false)
  })

  it('one who moves from another address is refused where that one is full', async () => {
    const limits = { connectionsPerAddressMax: 1 }
    const [one, other] = [admissionOf('n1', limits), admissionOf('n2', limits)]
    await one.takePlace(visitor('ada', 'acme', '192.0.2.1'))
    await one.takePlace(visitor('bob', 'acme', '192.0.2.2'))
    const ada = visitor('ada', 'acme', '192.0.2.2')
    expect(await other.takePlace(ada, { network: '192.0.2.1' })).toBe(false)
    expect(await other.takePlace(ada, { network: '192.0.2.2' })).toBe(true)
    expect(await other.takePlace(visitor('cleo', 'acme', '2001:db8::1'), { network: '192.0.2.1' })).toBe(true)
  })

  it('what a node holds goes with its lease, and is entered again', async () => {
    const admission = admissionOf('n1')
    await engine.nodes.renew('n1', '', 1_000)
    await admission.takePlace(ADA)
    clock.advance(1_000)
    await engine.nodes.reap()
    expect(await placesLeft()).toBe(2)
    await engine.nodes.renew('n1', '', 1_000)
    await admission.restore()
    expect(await placesLeft()).toBe(1)
    await admission.restore()
    expect(await placesLeft()).toBe(1)
  })
})

describe.each(['before', 'after'] as const)('while the engine refuses (%s it has done what was asked)', (when) => {
  it('nobody is refused for it, up to the bound on this node', async () => {
    const admission = admissionOf('n1')
    refused = when
    expect([await admission.takePlace(ADA), await admission.takePlace(ADA)]).toEqual([true, true])
    expect(await admission.takePlace(ADA)).toBe(false)
  })

  it('what happened is counted when it is back', async () => {
    const admission = admissionOf('n1')
    await admission.takePlace(visitor('bob'))
    refused = when
    await admission.takePlace(ADA)
    admission.leavePlace(visitor('bob'))
    await clock.pass(5_000, 500)
    refused = 'none'
    await clock.pass(30_000, 500)
    expect(await placesLeft()).toBe(1)
    expect(await placesLeft(visitor('bob'))).toBe(2)
  })

  it('who is refused by one counter leaves nothing in the others', async () => {
    const admission = admissionOf('n1', { connectionsPerTenantMax: 1 })
    const elsewhere = admissionOf('n2', { connectionsPerTenantMax: 1 })
    await elsewhere.takePlace(visitor('bob'))
    refused = when
    await admission.takePlace(ADA)
    admission.leavePlace(ADA)
    refused = 'none'
    await clock.pass(30_000, 500)
    expect(await admission.takePlace(ADA)).toBe(false)
    await settle()
    expect(await placesLeft()).toBe(2)
    expect(engine.counters.size).toBe(2)
  })
})

it('a share that is set while a question is under way is right in the end', async () => {
  const slow = admissionOf('n1')
  const elsewhere = admissionOf('n2')
  await elsewhere.takePlace(ADA)
  await elsewhere.takePlace(ADA)
  const asked = slow.takePlace(ADA)
  await slow.restore()
  expect(await asked).toBe(false)
  await clock.pass(5_000, 500)
  elsewhere.leavePlace(ADA)
  await settle()
  expect(await placesLeft()).toBe(1)
})
