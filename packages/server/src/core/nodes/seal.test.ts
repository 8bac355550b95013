import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../random.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { Seal } from './seal.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

let clock: SimulatedClock
let one: Seal
let other: Seal

beforeEach(() => {
  clock = new SimulatedClock()
  one = new Seal(SECRET, 'one', clock, systemRandom)
  other = new Seal(SECRET, 'other', clock, systemRandom)
})

describe('a sealed text', () => {
  it('is opened by the node that it is for', () => {
    const content = { a: [1, 'ü', null] }
    expect(other.open(one.close('other', content))).toEqual({
      letter: expect.objectContaining({ from: 'one', to: 'other', content }) as unknown,
    })
  })

  it('to all is opened by each, its sender included, once', () => {
    const text = one.close(undefined, 1)
    for (const node of [one, other]) {
      expect(node.open(text)).toMatchObject({ letter: { from: 'one', content: 1 } })
      expect(node.open(text)).toEqual({ refusal: 'replayed' })
    }
  })

  it('is not opened by another node', () => {
    expect(one.open(one.close('other', 1))).toEqual({ refusal: 'misdirected' })
  })

  it('T-096, T-101 is not opened under another secret', () => {
    const stranger = new Seal(`${SECRET}x`, 'one', clock, systemRandom)
    expect(other.open(stranger.close('other', 1))).toEqual({ refusal: 'forged' })
  })

  it('T-096 holds for 30 seconds, also for a node whose clock is late', () => {
    const [early, late] = [one.close('other', 1), one.close('other', 2)]
    clock.advance(30_000)
    expect(other.open(early)).toMatchObject({ letter: { content: 1 } })
    clock.advance(1)
    expect(other.open(late)).toEqual({ refusal: 'stale', ageMs: 30_001 })
    const ahead = new Seal(SECRET, 'ahead', new SimulatedClock(clock.now() + 30_001), systemRandom)
    expect(other.open(ahead.close('other', 1))).toEqual({ refusal: 'stale', ageMs: -30_001 })
  })

  it('T-096 is remembered as long as it holds', () => {
    const ahead = new Seal(SECRET, 'ahead', new SimulatedClock(clock.now() + 30_000), systemRandom)
    const text = ahead.close('other', 1)
    expect(other.open(text)).toMatchObject({ letter: { content: 1 } })
    for (let second = 1; second < 60; second += 1) {
      clock.advance(1_000)
      other.open(one.close('other', second))
      expect(other.open(text)).toEqual({ refusal: 'replayed' })
    }
  })
})

describe('what is no sealed text', () => {
  it('T-096 is refused, whatever was done to one', () => {
    const text = one.close('other', { data: 'x'.repeat(50) })
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 3 }), (at, put) => {
        const changed = text.slice(0, at) + put + text.slice(at + put.length)
        fc.pre(changed !== text)
        expect(other.open(changed)).toEqual({ refusal: 'forged' })
      }),
      { numRuns: 2_000 },
    )
    expect(other.open(text)).toHaveProperty('letter')
  })

  it('T-096 is refused where a seal is only spelled differently', () => {
    const texts = Array.from({ length: 100 }, (_, index) => one.close('other', index))
    const spellings = (text: string): string[] => {
      const seal = text.slice(0, 43)
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      // The last letter carries two bits that mean nothing (RFC 4648, 3.5), and a lenient reader takes both alphabets.
      const last = letters[letters.indexOf(seal.at(-1) ?? '') ^ 1] ?? ''
      return [seal.slice(0, 42) + last, seal.replaceAll('-', '+').replaceAll('_', '/')]
    }
    for (const text of texts)
      for (const seal of spellings(text).filter((spelling) => !text.startsWith(spelling)))
        expect(other.open(seal + text.slice(43))).toEqual({ refusal: 'forged' })
  })

  it('T-096 is refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        expect(other.open(text)).toEqual({ refusal: 'forged' })
      }),
      { numRuns: 2_000 },
    )
    expect(other.open('x'.repeat(3_000_000))).toEqual({ refusal: 'too_long' })
  })
})
