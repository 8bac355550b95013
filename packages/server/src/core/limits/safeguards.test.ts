import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { resolveLimits } from '../../options/limit-options.js'
import { systemRandom } from '../../random.js'
import { SimulatedClock } from '../../simulated-clock.js'
import type { AuditFields } from '../../telemetry/audit.js'
import { interruptedEngine } from '../../testing/interrupted-engine.js'
import { Admission } from './admission.js'
import { HoldfastError } from '../errors.js'
import { OutboxBudget } from '../connection/outbox-budget.js'
import { Retries } from '../retries.js'
import { type Offender, Safeguards } from './safeguards.js'

const ADDRESS = '192.0.2.1'

let clock: SimulatedClock
let engine: MemoryEngine
let recorded: [string, AuditFields][]

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  recorded = []
})

/** A node of two that share the engine; `isAlone`: of one. */
function node(limits: object, { isAlone = false, percent = 10 } = {}): Safeguards & { cut(): void; heal(): void } {
  const resolved = resolveLimits({ limits })
  const interrupted = interruptedEngine(engine)
  const admission = new Admission(interrupted.engine, 'n1', resolved, new Retries(clock, () => undefined))
  const safeguards = new Safeguards({
    clock,
    random: systemRandom,
    engine: interrupted.engine,
    admission,
    budget: new OutboxBudget(1_000_000),
    audit: { record: (event, fields) => void recorded.push([event, fields]) },
    memory: () => ({ used: percent, max: 100 }),
    limits: resolved,
    isAlone,
    nodes: () => 2,
    connections: () => [],
  })
  return Object.assign(safeguards, { cut: interrupted.cut, heal: interrupted.heal })
}

function offender(user: string): Offender {
  return { id: 'c1', address: ADDRESS, identity: { tenant: 'acme', user } }
}

/** How often in a row it is allowed, at most `max` times. */
async function allowed(max: number, take: () => number | Promise<number>): Promise<number> {
  for (let count = 0; count < max; count += 1) if ((await take()) > 0) return count
  return max
}

function code(refused: () => unknown): unknown {
  try {
    refused()
    return undefined
  } catch (error) {
    return error instanceof HoldfastError ? error.code : error
  }
}

describe('the handshakes of an address', () => {
  it('are counted over all nodes', async () => {
    const [one, other] = [node({ handshakesPerSecondMax: 10 }), node({ handshakesPerSecondMax: 10 })]
    const [here, there] = [
      await allowed(30, () => one.handshake(ADDRESS)),
      await allowed(30, () => other.handshake(ADDRESS)),
    ]
    expect(here + there).toBeGreaterThanOrEqual(20)
    expect(here + there).toBeLessThanOrEqual(21)
    expect(await one.handshake('192.0.2.2')).toBe(0)
    expect(recorded[0]).toEqual(['rate.limited', { rule: 'handshakes', address: ADDRESS, action: 'hello' }])
    expect(one.stats().refused).toEqual({ handshakes: 1 })
  })

  it('ask no engine that nobody shares', async () => {
    const one = node({ handshakesPerSecondMax: 1 }, { isAlone: true })
    expect(await allowed(30, () => one.handshake(ADDRESS))).toBe(30)
    expect(engine.sizes().rates).toBe(0)
  })

  it('are bounded by the share of the node while the engine is away', async () => {
    const one = node({ handshakesPerSecondMax: 10 })
    await one.handshake('192.0.2.9')
    one.cut()
    const here = await allowed(30, () => one.handshake(ADDRESS))
    expect(here).toBeGreaterThanOrEqual(10)
    expect(here).toBeLessThanOrEqual(20)
    one.heal()
  })
})

describe('bad credentials', () => {
  it('are bounded on each node and on all, as many as in a minute', async () => {
    const [one, other] = [
      node({ failedAuthenticationsPerMinuteMax: 6 }),
      node({ failedAuthenticationsPerMinuteMax: 6 }),
    ]
    expect(await allowed(10, () => one.failedAuthentication('c1', ADDRESS))).toBe(6)
    expect(await other.failedAuthentication('c2', ADDRESS)).toBeGreaterThan(0)
    expect(await other.failedAuthentication('c3', '192.0.2.2')).toBe(0)
    expect(recorded.map(([event, { rule, connection }]) => [event, rule, connection])).toEqual([
      ['auth.bruteforce', 'failedAuthentications', 'c1'],
      ['auth.bruteforce', 'failedAuthentications', 'c2'],
    ])
    await clock.pass(10_000)
    expect(await one.failedAuthentication('c1', ADDRESS)).toBe(0)
  })
})

describe('recoveries', () => {
  it('are as many at once as the connections of a user have channels, and then as many as come in', async () => {
    const one = node({ recoveriesPerSecondMax: 1, channelsMax: 3, connectionsPerUserMax: 2 })
    for (let count = 0; count < 6; count += 1) expect(code(() => one.recovery(offender('ada')))).toBeUndefined()
    expect(code(() => one.recovery(offender('ada')))).toBe('rate_limited')
    expect(code(() => one.recovery(offender('bob')))).toBeUndefined()
    await clock.pass(1_000)
    expect(code(() => one.recovery(offender('ada')))).toBeUndefined()
    const who = { connection: 'c1', address: ADDRESS, tenant: 'acme', user: 'ada' }
    expect(recorded).toEqual([['rate.limited', { rule: 'recoveries', ...who }]])
  })
})

describe('what a user publishes', () => {
  it('has no bound of its own unless it is given one', () => {
    const one = node({})
    for (let count = 0; count < 10_000; count += 1) expect(one.publish(offender('ada'))).toBeUndefined()
  })

  it('is counted over all nodes', async () => {
    const [one, other] = [node({ publishesPerUserPerSecondMax: 5 }), node({ publishesPerUserPerSecondMax: 5 })]
    let published = 0
    for (let turn = 0; turn < 20; turn += 1) {
      const counted = async (): Promise<void> => (turn % 2 ? one : other).publish(offender('ada'))
      await counted().then(
        () => (published += 1),
        (error: unknown) =>
          expect(error).toMatchObject({ code: 'rate_limited', retryAfter: expect.any(Number) as unknown }),
      )
    }
    expect(published).toBeGreaterThanOrEqual(9)
    expect(published).toBeLessThanOrEqual(11)
    await one.publish(offender('bob'))
  })
})

describe('reads', () => {
  it('are refused while memory is short', async () => {
    const one = node({}, { percent: 90 })
    expect(code(() => one.read(offender('ada')))).toBeUndefined()
    one.start()
    await clock.pass(1_000)
    expect(code(() => one.read(offender('ada')))).toBe('rate_limited')
    expect(one.stats()).toMatchObject({ refused: { overload: 1 }, overload: { level: 1, memoryPercent: 90 } })
    one.stop()
  })
})
