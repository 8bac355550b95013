import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { Patience } from './muster-patience.js'

const SILENT_MS = 3_000
const NOBODY: ReadonlyMap<string, number> = new Map()

/** Milliseconds of looking, every 25 ms, after which one who waits for `late` waits no more. */
function endOf(coming: (ms: number) => ReadonlyMap<string, number>): number {
  const clock = new SimulatedClock()
  const patience = new Patience(clock, SILENT_MS)
  for (let ms = 25; ; ms += 25) {
    clock.advance(25)
    if (patience.isOver(['late'], coming(ms))) return ms
  }
}

describe('the patience of a muster', () => {
  it('ends when nothing was heard for as long as it is to last', () => {
    expect(endOf(() => NOBODY)).toBe(SILENT_MS)
  })

  it('begins anew with each sign of one who is missing', () => {
    expect(endOf((ms) => new Map([['late', ms < 2_000 ? 0 : 1]]))).toBe(2_000 + SILENT_MS)
    expect(endOf((ms) => new Map([['late', Math.min(Math.floor(ms / 500), 6)]]))).toBe(3_000 + SILENT_MS)
  })

  it('is no longer for the signs of somebody else', () => {
    expect(endOf((ms) => new Map([['another', ms]]))).toBe(SILENT_MS)
  })

  it('ends when it has lasted four times as long, whatever is heard', () => {
    expect(endOf((ms) => new Map([['late', ms]]))).toBe(SILENT_MS * 4)
  })

  it('is not lost while the process stands still, or its server does, or when the clock is set', () => {
    let now = 0
    const patience = new Patience({ now: () => now }, SILENT_MS)
    for (const jump of [60_000, 3_600_000, -7_200_000, 60_000]) {
      now += jump
      expect(patience.isOver(['late'], NOBODY)).toBe(false)
    }
    for (let looks = 0; looks < 26; looks += 1) {
      now += 100
      expect(patience.isOver(['late'], NOBODY)).toBe(false)
    }
    now += 100
    expect(patience.isOver(['late'], NOBODY)).toBe(true)
  })
})
