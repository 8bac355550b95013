import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { Flusher, type Chain, type Flushable } from './flusher.js'
import type { Frame } from './frame.js'

const frame = (text: string): Frame => ({ bytes: Buffer.from(text), importance: 'kept' })

/** A connection reduced to what a flusher sees of it. */
class Reader implements Flushable {
  readonly writes: Uint8Array[] = []
  readonly #flusher: Flusher
  #chain: Chain | undefined

  constructor(flusher: Flusher) {
    this.#flusher = flusher
  }

  give(one: Frame): void {
    this.#chain = (this.#chain ?? this.#flusher.enlist(this)).next(one)
  }

  flush(): void {
    if (this.#chain) this.writes.push(this.#chain.bytes())
    this.#chain = undefined
  }
}

const textOf = ({ writes }: Reader): string => Buffer.concat(writes).toString()

function setUp(count: number): { clock: SimulatedClock; readers: Reader[] } {
  const clock = new SimulatedClock()
  const flusher = new Flusher(clock)
  return { clock, readers: Array.from({ length: count }, () => new Reader(flusher)) }
}

describe('a flusher', () => {
  it('joins the frames of a tick once for all who got the same', () => {
    const { clock, readers } = setUp(3)
    for (const one of [frame('a'), frame('b'), frame('c')]) for (const reader of readers) reader.give(one)
    clock.endTick()
    const [first] = readers.map(({ writes }) => writes[0])
    expect(Buffer.from(first ?? []).toString()).toBe('abc')
    for (const { writes } of readers) expect(writes).toEqual([first])
    for (const { writes } of readers) expect(writes[0]).toBe(first)
  })

  it('hands a single frame on without copying it', () => {
    const { clock, readers } = setUp(2)
    const one = frame('a')
    for (const reader of readers) reader.give(one)
    clock.endTick()
    for (const { writes } of readers) expect(writes[0]).toBe(one.bytes)
  })

  it('keeps apart what differs', () => {
    const { clock, readers } = setUp(2)
    const [one, other] = readers as [Reader, Reader]
    const shared = frame('s')
    one.give(frame('1'))
    one.give(shared)
    other.give(shared)
    other.give(frame('2'))
    clock.endTick()
    expect([one, other].map(textOf)).toEqual(['1s', 's2'])
  })

  it('writes once a tick, and again in the next', () => {
    const { clock, readers } = setUp(1)
    const [reader] = readers as [Reader]
    reader.give(frame('a'))
    expect(reader.writes).toEqual([])
    clock.endTick()
    reader.give(frame('b'))
    clock.endTick()
    expect(reader.writes.map((bytes) => Buffer.from(bytes).toString())).toEqual(['a', 'b'])
  })

  it('lets the event loop have a turn after a thousand', () => {
    const flushed: number[] = []
    const tasks: (() => void)[] = []
    const clock = new SimulatedClock()
    clock.defer = (task) => void tasks.push(task)
    const flusher = new Flusher(clock)
    for (let at = 0; at < 2_500; at += 1) flusher.enlist({ flush: () => void flushed.push(at) })
    const turns: number[] = []
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      task()
      turns.push(flushed.length)
    }
    expect(turns).toEqual([1_000, 2_000, 2_500])
    expect(flushed).toEqual(Array.from({ length: 2_500 }, (_, at) => at))
  })
})
