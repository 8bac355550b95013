import { describe, expect, it } from 'vitest'
import type { OutboundAnswer, OutboundRequest } from '../outbound/outbound.js'
import { systemClock } from '../clock.js'
import { SimulatedClock } from '../simulated-clock.js'
import { DecisionDoor } from './decision-door.js'

const REQUEST: OutboundRequest = { url: new URL('https://example.com/decide'), method: 'POST', body: '{}' }
const ALLOWED: OutboundAnswer = { status: 200, headers: {}, body: '{"allow":true}' }

/** Everything that has nothing left to wait for is done. */
const settled = (): Promise<void> => new Promise((resolve) => systemClock.defer(resolve))

/** A door to a server that answers when the test says so. */
function door(read: (body: string) => string = (body) => body): {
  clock: SimulatedClock
  ask: () => Promise<string>
  answer: (answer?: OutboundAnswer | Error) => Promise<void>
  readonly under: number
} {
  const clock = new SimulatedClock()
  const open: { resolve: (answer: OutboundAnswer) => void; reject: (error: Error) => void }[] = []
  const made = new DecisionDoor({
    clock,
    outbound: () => new Promise((resolve, reject) => open.push({ resolve, reject })),
  })
  return {
    clock,
    ask: () => made.ask(REQUEST, read),
    answer: async (answer = ALLOWED) => {
      const first = open.shift()
      if (answer instanceof Error) first?.reject(answer)
      else first?.resolve(answer)
      await settled()
    },
    get under() {
      return open.length
    },
  }
}

describe('a door to an address that decides', () => {
  it('lets 64 questions through at a time, and the others in their order', async () => {
    const made = door()
    const answered: number[] = []
    for (let n = 0; n < 70; n += 1) void made.ask().then(() => answered.push(n))
    await settled()
    expect(made.under).toBe(64)
    for (let n = 0; n < 70; n += 1) await made.answer()
    expect(answered).toEqual(Array.from({ length: 70 }, (_, n) => n))
    expect(made.under).toBe(0)
  })

  it('refuses who has waited three seconds for a turn, and who finds a thousand waiting', async () => {
    const made = door()
    const ends: Promise<string>[] = Array.from({ length: 1_065 }, () =>
      made.ask().catch((error: Error) => error.message),
    )
    await settled()
    expect(await ends[1_064]).toBe('too many questions wait')
    await made.clock.pass(3_000)
    expect(await ends[64]).toBe('its turn did not come')
    expect(await ends[1_063]).toBe('its turn did not come')
    expect(made.under).toBe(64)
    const late = made.ask()
    await settled()
    await made.answer()
    expect(made.under).toBe(64)
    for (let n = 0; n < 64; n += 1) await made.answer()
    expect(await late).toBe(ALLOWED.body)
  })

  it('leaves an address alone that failed five times, and asks one question again after five seconds', async () => {
    const made = door()
    for (let n = 0; n < 5; n += 1) {
      const failed = made.ask().catch((error: Error) => error.message)
      await settled()
      await made.answer(n % 2 === 0 ? new Error('away') : { ...ALLOWED, status: 503 })
      expect(await failed).toBe(n % 2 === 0 ? 'away' : 'the answer was 503')
    }
    await expect(made.ask()).rejects.toThrow('refused at once')
    expect(made.under).toBe(0)
    await made.clock.pass(5_000)
    const again = made.ask()
    await settled()
    await expect(made.ask()).rejects.toThrow('refused at once')
    await made.answer()
    expect(await again).toBe(ALLOWED.body)
    const usual = made.ask()
    await settled()
    await made.answer()
    expect(await usual).toBe(ALLOWED.body)
  })

  it('stays open to others when somebody asks what is answered with a refusal', async () => {
    const made = door()
    for (let n = 0; n < 20; n += 1) {
      const refused = made.ask().catch((error: Error) => error.message)
      await settled()
      await made.answer({ ...ALLOWED, status: n % 2 === 0 ? 403 : 400 })
      expect(await refused).toBe(n % 2 === 0 ? 'the answer was 403' : 'the answer was 400')
    }
    const other = made.ask()
    await settled()
    await made.answer()
    expect(await other).toBe(ALLOWED.body)
  })

  it('stays open when an answer cannot be read', async () => {
    const made = door((body) => JSON.parse(body) as string)
    for (let n = 0; n < 20; n += 1) {
      const refused = made.ask().catch((error: Error) => error.name)
      await settled()
      await made.answer({ ...ALLOWED, body: '<html>' })
      expect(await refused).toBe('SyntaxError')
    }
  })
})
