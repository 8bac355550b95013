import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { interruptedEngine } from '../../testing/interrupted-engine.js'
import { Duty } from './duty.js'

const EVERY_MS = 1_000

let clock: SimulatedClock
let engine: MemoryEngine
let duties: Duty[]

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  duties = []
})

afterEach(async () => {
  for (const duty of duties) await duty.stop()
})

/** A node that is ready for the duty, and writes down when it does it. */
function ready(holder: string, rounds: string[], during: () => Promise<void> = async () => undefined) {
  const { engine: linked, cut } = interruptedEngine(engine)
  const round = async (): Promise<void> => {
    if (!(await duty.hold())) return
    rounds.push(holder)
    await during()
  }
  const parts = { engine: linked, clock, lease: 'sweeping', holder, everyMs: EVERY_MS, onError: () => undefined }
  const duty = new Duty({ ...parts, round })
  duties.push(duty)
  duty.start()
  return { duty, cut }
}

describe('a duty', () => {
  it('is done by one node, round by round, and by another as soon as that leaves it', async () => {
    const rounds: string[] = []
    const [one, other] = [ready('one', rounds), ready('other', rounds)]
    await clock.pass(3_000, 500)
    expect([rounds, one.duty.isHeld, other.duty.isHeld]).toEqual([['one', 'one', 'one'], true, false])
    await one.duty.stop()
    await one.duty.release()
    await clock.pass(1_000, 500)
    expect([rounds.at(-1), one.duty.isHeld, other.duty.isHeld]).toEqual(['other', false, true])
  })

  it('goes to another node when the one that has it is heard of no more', async () => {
    const rounds: string[] = []
    const one = ready('one', rounds)
    await clock.pass(1_000, 500)
    ready('other', rounds)
    one.cut()
    await clock.pass(4_000, 500)
    expect(rounds).toEqual(['one'])
    await clock.pass(2_000, 500)
    expect(new Set(rounds)).toEqual(new Set(['one', 'other']))
  })

  it('is done one round at a time, and is over when the last of them is', async () => {
    const rounds: string[] = []
    let end = (): void => undefined
    const { duty } = ready('one', rounds, () => new Promise<void>((resolve) => (end = resolve)))
    await clock.pass(5_000, 500)
    expect(rounds).toEqual(['one'])
    let isOver = false
    const stopped = duty.stop().then(() => (isOver = true))
    await settle()
    expect(isOver).toBe(false)
    end()
    await stopped
    await clock.pass(5_000, 500)
    expect(rounds).toEqual(['one'])
  })

  it('does not come back to the node that leaves it, however late the answer that it has it', async () => {
    const { duty } = ready('one', [])
    const hold = engine.leases.hold.bind(engine.leases)
    engine.leases.hold = async (...parts) => {
      await settle()
      return hold(...parts)
    }
    const asked = duty.hold()
    await duty.stop()
    await duty.release()
    await asked
    expect(await hold('sweeping', 'other', 5_000)).toBe(true)
    expect(await duty.hold()).toBe(false)
  })
})
