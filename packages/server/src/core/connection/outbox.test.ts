import type { GapRange } from '@holdfast/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { FakeSocket } from '../../testing/fake-socket.js'
import { Flusher } from './flusher.js'
import type { Frame, Importance } from './frame.js'
import { OutboxBudget } from './outbox-budget.js'
import { Outbox, type OutboxOwner } from './outbox.js'

const BYTES_MAX = 65_536
const KB = 1_024

let clock: SimulatedClock
let flusher: Flusher

beforeEach(() => {
  clock = new SimulatedClock()
  flusher = new Flusher(clock)
})

interface Reader {
  readonly socket: FakeSocket
  readonly outbox: Outbox
  /** How often the outbox gave the connection up. */
  slow: number
}

function reader(): Reader {
  const socket = new FakeSocket()
  const owner: OutboxOwner = {
    tooSlow: () => void (one.slow += 1),
    encodeGap: (channel, { from, to }: GapRange) => frame(`<gap ${channel} ${from}-${to}>`),
  }
  const one: Reader = {
    socket,
    outbox: new Outbox(flusher, new OutboxBudget(10_000_000), socket, owner, BYTES_MAX),
    slow: 0,
  }
  return one
}

function frame(text: string, importance: Importance = 'kept', members: Partial<Frame> = {}): Frame {
  return { bytes: Buffer.from(text), importance, ...members }
}

/** A message of one kilobyte at an offset of room:1. */
const message = (offset: number, importance: Importance, members: Partial<Frame> = {}): Frame =>
  frame(`[${offset}]`.padEnd(KB, '.'), importance, { channel: 'room:1', offset, ...members })

/** Gives each frame in a tick of its own. */
function give(outbox: Outbox, ...frames: Frame[]): void {
  for (const one of frames) {
    outbox.push(one)
    clock.endTick()
  }
}

/** What has left, without padding. */
const told = ({ socket }: Reader): string => socket.text.replaceAll('.', '')

/** Lets the socket take all it is given. */
function drain({ socket, outbox }: Reader): void {
  socket.release()
  for (let turns = 0; turns < 100; turns += 1) outbox.drained()
}

const offsets = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, at) => `[${from + at}]`).join('')

describe('an outbox whose socket keeps up', () => {
  it('writes the frames of a tick in one piece, at its end', () => {
    const one = reader()
    one.outbox.push(frame('a'))
    one.outbox.push(frame('b'))
    expect(one.socket.writes).toEqual([])
    clock.endTick()
    expect(one.socket.writes.map(String)).toEqual(['ab'])
  })

  it('gives two connections with the same frames the identical buffer', () => {
    const readers = Array.from({ length: 3 }, reader)
    for (const one of [frame('a'), frame('b')]) for (const { outbox } of readers) outbox.push(one)
    clock.endTick()
    const [first] = readers[0]?.socket.writes ?? []
    for (const { socket } of readers) expect(socket.writes[0]).toBe(first)
  })

  it('writes what it holds and the farewell in one piece when it ends, and nothing after', () => {
    const one = reader()
    one.outbox.push(frame('a', 'drop-oldest'))
    one.outbox.end(frame('bye'))
    one.outbox.push(frame('late'))
    one.outbox.end(frame('bye again'))
    clock.endTick()
    expect(one.socket.writes.map(String)).toEqual(['abye'])
  })

  it('writes nothing after close', () => {
    const one = reader()
    one.outbox.push(frame('a'))
    one.outbox.close()
    clock.endTick()
    expect(one.socket.writes).toEqual([])
  })
})

describe('an outbox whose socket stalls', () => {
  it('holds frames until the socket has drained, in order', () => {
    const one = reader()
    one.socket.stall()
    give(one.outbox, frame('a'), frame('b'), frame('c'))
    expect(one.socket.writes).toEqual([])
    expect(one.outbox.bytes).toBe(4)
    drain(one)
    expect(one.socket.text).toBe('abc')
    expect(one.outbox.bytes).toBe(0)
  })

  it('hands over a part at a time', () => {
    const one = reader()
    one.socket.stall()
    give(one.outbox, ...Array.from({ length: 63 }, (_, at) => message(at + 1, 'resume')))
    one.socket.leak()
    one.outbox.drained()
    expect(one.socket.pendingBytes()).toBe(63 * KB)
    give(one.outbox, message(64, 'resume'))
    expect(one.slow).toBe(0)
    drain(one)
    expect(told(one)).toBe(offsets(1, 64))
  })

  it('goes back to writing at once when the queue is empty', () => {
    const one = reader()
    one.socket.stall()
    give(one.outbox, frame('a'))
    drain(one)
    give(one.outbox, frame('b'))
    expect(one.socket.writes.map(String)).toEqual(['a', 'b'])
  })

  it.each<Importance>(['resume', 'close'])(
    'with the policy %s gives the connection up one byte over the bound',
    (policy) => {
      const one = reader()
      one.socket.stall(0)
      one.socket.stall(BYTES_MAX - 2 * KB)
      give(one.outbox, message(1, policy), message(2, policy))
      expect(one.slow).toBe(0)
      give(one.outbox, frame('.', policy))
      expect(one.slow).toBe(1)
    },
  )

  it('with the policy drop-oldest drops the oldest, and tells the gap before what follows', () => {
    const one = reader()
    one.socket.stall(1)
    give(one.outbox, ...Array.from({ length: 64 }, (_, at) => message(at + 1, 'drop-oldest')))
    expect(one.slow).toBe(0)
    expect(one.outbox.bytes).toBeLessThanOrEqual(BYTES_MAX * 0.75)
    drain(one)
    expect(told(one)).toBe(`<gap room:1 1-17>${offsets(18, 64)}`)
  })

  it('tells one gap for each channel, and forgets it when it was told', () => {
    const one = reader()
    one.socket.stall(1)
    const both = Array.from({ length: 32 }, (_, at) => [
      message(at + 1, 'drop-oldest'),
      message(at + 1, 'drop-oldest', { channel: 'room:2' }),
    ])
    give(one.outbox, ...both.flat())
    drain(one)
    expect(told(one).match(/<gap room:\d 1-\d+>/g)).toEqual(['<gap room:1 1-9>', '<gap room:2 1-8>'])
    one.socket.stall(1)
    give(one.outbox, message(33, 'drop-oldest'))
    drain(one)
    expect(told(one).match(/<gap/g)).toHaveLength(2)
  })

  it('drops signals without a word: they have no offset', () => {
    const one = reader()
    one.socket.stall(1)
    give(one.outbox, ...Array.from({ length: 70 }, () => frame('s'.padEnd(KB, '.'), 'drop-oldest')))
    drain(one)
    expect(told(one)).toMatch(/^s+$/)
  })

  it('with the policy latest keeps the newest of each key, and of other keys what fits', () => {
    const one = reader()
    one.socket.stall(1)
    const keyed = (offset: number, key: string): Frame => message(offset, 'latest', { conflationKey: key })
    give(one.outbox, keyed(1, 'phase'))
    give(one.outbox, ...Array.from({ length: 63 }, (_, at) => keyed(at + 2, 'progress')))
    drain(one)
    expect(told(one)).toBe('<gap room:1 2-63>[1][64]')
    expect(one.slow).toBe(0)
  })

  it.each<Importance>(['drop-oldest', 'latest'])('never drops a kept frame for the policy %s', (policy) => {
    const one = reader()
    one.socket.stall(1)
    give(one.outbox, frame('<answer>'))
    give(one.outbox, ...Array.from({ length: 200 }, (_, at) => message(at + 1, policy, { conflationKey: 'k' })))
    give(one.outbox, frame('<end>'))
    drain(one)
    expect(one.socket.text).toContain('<answer>')
    expect(told(one)).toMatch(/\[200\]<end>$/)
  })

  it('drops nothing that another policy protects, and gives up when that alone is too much', () => {
    const one = reader()
    one.socket.stall(1)
    give(one.outbox, ...Array.from({ length: 63 }, (_, at) => message(at + 1, 'resume', { channel: 'room:9' })))
    expect(one.slow).toBe(0)
    give(one.outbox, frame('s'.padEnd(2 * KB, '.'), 'drop-oldest'))
    expect(one.slow).toBe(0)
    give(one.outbox, message(64, 'resume', { channel: 'room:9' }))
    expect(one.slow).toBe(1)
  })

  it('does not end a connection for the answers that it asked for', () => {
    const one = reader()
    one.socket.stall(1)
    give(one.outbox, ...Array.from({ length: 100 }, () => frame('a'.padEnd(KB, '.'))))
    expect(one.slow).toBe(0)
    drain(one)
    expect(told(one)).toHaveLength(100)
  })

  it('says goodbye after what is never dropped, and leaves the rest out', () => {
    const one = reader()
    one.socket.stall(1)
    give(one.outbox, message(1, 'resume'), frame('<answer>'), message(2, 'drop-oldest'))
    one.outbox.end(frame('<bye>'))
    expect(one.socket.text).toBe('<answer><bye>')
  })
})

describe('room', () => {
  it('is there at once while little waits', () => {
    const one = reader()
    one.socket.stall(BYTES_MAX / 4)
    expect(one.outbox.room()).toBeUndefined()
  })

  it('comes when the reader has caught up', async () => {
    const one = reader()
    one.socket.stall(BYTES_MAX / 4 + 1)
    let rooms = 0
    const wait = async (): Promise<void> => {
      await one.outbox.room()
      rooms += 1
    }
    const waiting = [wait(), wait()]
    one.outbox.drained()
    await Promise.resolve()
    expect(rooms).toBe(0)
    drain(one)
    await Promise.all(waiting)
    expect(rooms).toBe(2)
  })

  it('comes when the outbox closes, so that nobody waits for ever', async () => {
    const one = reader()
    one.socket.stall(BYTES_MAX)
    const room = one.outbox.room()
    one.outbox.close()
    await expect(room).resolves.toBeUndefined()
  })
})

describe('the end of a slow reader', () => {
  it('comes after the answers of the tick that brought it', () => {
    const one = reader()
    one.socket.stall()
    give(one.outbox, frame('<first>'))
    for (let offset = 1; offset <= 70; offset += 1) one.outbox.push(message(offset, 'resume'))
    one.outbox.push(frame('<answer>'))
    clock.endTick()
    expect(one.slow).toBe(1)
    one.outbox.end(frame('<goodbye>'))
    expect(told(one)).toBe('<first><answer><goodbye>')
  })
})

describe('what waits for a reader', () => {
  const AGE_MS = 10_000
  const looks = (one: Reader, ...seconds: number[]): void => {
    for (const second of seconds) one.outbox.checkAge(second * 1_000, AGE_MS)
  }

  it('F-43 may take so long to leave, and no longer, though a little leaves all the time', () => {
    const one = reader()
    one.socket.stall()
    give(one.outbox, message(1, 'resume'), message(2, 'resume'))
    looks(one, 0, 5, 9)
    expect(one.slow).toBe(0)
    looks(one, 10)
    expect(one.slow).toBe(1)
  })

  it('does not age while what was first keeps leaving, however much comes behind it', () => {
    const one = reader()
    one.socket.stall()
    for (let second = 0; second < 60; second += 4) {
      give(one.outbox, message(second, 'resume'))
      looks(one, second)
      one.socket.leak()
      one.outbox.drained()
      give(one.outbox, message(second + 1, 'resume'))
      looks(one, second + 2)
    }
    expect(one.slow).toBe(0)
  })

  it('is no matter where nothing waits', () => {
    const one = reader()
    give(one.outbox, message(1, 'resume'))
    looks(one, 0, 100, 200)
    expect(one.slow).toBe(0)
  })
})
