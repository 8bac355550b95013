import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { CircuitBreaker, CircuitOpenError, type CircuitState } from './circuit-breaker.js'

let clock: SimulatedClock
let states: CircuitState[]
let circuit: CircuitBreaker

const good = (): Promise<string> => Promise.resolve('done')
const bad = (): Promise<string> => Promise.reject(new Error('down'))

/** Work that ends when the test says so. */
function pending(): { work: () => Promise<string>; succeed(): void; fail(): void } {
  let succeed = (): void => undefined
  let fail = (): void => undefined
  const promise = new Promise<string>((resolve, reject) => {
    succeed = () => resolve('late')
    fail = () => reject(new Error('late'))
  })
  return { work: () => promise, succeed, fail }
}

async function failTimes(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await expect(circuit.run(bad)).rejects.toThrow('down')
}

beforeEach(() => {
  clock = new SimulatedClock()
  states = []
  circuit = new CircuitBreaker({ clock, failuresMax: 3, openMs: 1_000, onChange: (state) => states.push(state) })
})

describe('a circuit', () => {
  it('opens at failures in a row, and then refuses without beginning the work', async () => {
    await failTimes(3)
    let begun = 0
    const attempt = circuit.run(() => Promise.resolve((begun += 1)))
    await expect(attempt).rejects.toMatchObject({ name: 'CircuitOpenError', retryAfterMs: 1_000 })
    expect(begun).toBe(0)
    expect(states).toEqual(['open'])
  })

  it('stays closed while successes stand between the failures', async () => {
    for (let round = 0; round < 5; round += 1) {
      await failTimes(2)
      await circuit.run(good)
    }
    expect(circuit.state).toBe('closed')
  })

  it('lets one attempt through after its time, and closes when that succeeds', async () => {
    await failTimes(3)
    clock.advance(999)
    await expect(circuit.run(good)).rejects.toThrow(CircuitOpenError)
    clock.advance(1)
    const { work, succeed } = pending()
    const attempt = circuit.run(work)
    await expect(circuit.run(good)).rejects.toMatchObject({ retryAfterMs: 0 })
    succeed()
    await expect(attempt).resolves.toBe('late')
    expect(states).toEqual(['open', 'half-open', 'closed'])
    await failTimes(2)
    expect(circuit.state).toBe('closed')
  })

  it('opens again at once when that attempt fails', async () => {
    await failTimes(3)
    clock.advance(1_000)
    await failTimes(1)
    expect(states).toEqual(['open', 'half-open', 'open'])
    await expect(circuit.run(good)).rejects.toMatchObject({ retryAfterMs: 1_000 })
  })

  it('takes nothing from work that was begun before it opened', async () => {
    const early = pending()
    const late = pending()
    const attempts = [circuit.run(early.work), circuit.run(late.work)]
    await failTimes(3)
    early.succeed()
    await attempts[0]
    expect(circuit.state).toBe('open')
    clock.advance(500)
    late.fail()
    await expect(attempts[1]).rejects.toThrow('late')
    clock.advance(500)
    await expect(circuit.run(good)).resolves.toBe('done')
  })

  it('makes an attempt when the clock was set back', async () => {
    const set = { now: 1_000_000 }
    circuit = new CircuitBreaker({ clock: { now: () => set.now }, failuresMax: 1, openMs: 1_000 })
    await failTimes(1)
    set.now = 0
    await expect(circuit.run(good)).resolves.toBe('done')
  })
})
