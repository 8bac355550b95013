import { beforeAll, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { silentLogger } from '../../telemetry/log.js'
import type { PublishRequest, Stream } from '../engine.js'
import { DiskEngine } from './disk-engine.js'
import { SimulatedStorage } from './simulated-storage.js'

const KEPT = { size: 1_000, ttlMs: 3_600_000 }
const ALL = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const
const ROOMS = 3
const MESSAGES = 60

const streamOf = (room: number): Stream => ({ tenant: 't', channel: `room:${room}` })

function request(n: number): PublishRequest {
  const data = JSON.stringify(`${n} ${'x'.repeat(n)}`)
  return {
    stream: streamOf(n % ROOMS),
    event: 'e',
    data,
    from: { user: 'u' },
    at: '2026-01-01T00:00:00.000Z',
    retention: KEPT,
  }
}

/** A directory with messages 0, 1, 2 and so on in it, each acknowledged before the next; and the epochs of the rooms. */
interface Sample {
  readonly storage: SimulatedStorage
  readonly epochs: readonly string[]
}

/** Messages from `unacknowledged` on were written and not acknowledged when the process was killed. */
async function sample(options: { compactBytesMin?: number; unacknowledged?: number }): Promise<Sample> {
  const { compactBytesMin = Infinity, unacknowledged = MESSAGES } = options
  const storage = new SimulatedStorage()
  const clock = new SimulatedClock()
  const engine = new DiskEngine({ dir: '', segmentBytesMax: 3_000, compactBytesMin }, { clock, storage })
  await engine.start()
  for (let n = 0; n < unacknowledged; n += 1) await engine.publish(request(n))
  const pages = await Promise.all([0, 1, 2].map((room) => engine.read(streamOf(room), KEPT, ALL)))
  storage.before = ({ kind }) => (kind === 'sync' ? new Promise(() => undefined) : undefined)
  for (let n = unacknowledged; n < MESSAGES; n += 1) void engine.publish(request(n))
  await clock.pass(1, 1)
  return { storage: storage.afterKill(), epochs: pages.map(({ epoch }) => epoch) }
}

interface Found {
  readonly refused: string | undefined
  /** The numbers of the messages that are there, per room, in order. */
  readonly rooms: readonly number[][]
  readonly epochs: readonly string[]
  readonly isLossLogged: boolean
}

/** Opens a damaged copy, looks at everything, and publishes once, to see that it goes on. */
async function open(storage: SimulatedStorage): Promise<Found> {
  let isLossLogged = false
  const log = {
    ...silentLogger,
    error: (fields: Record<string, unknown>) => void (isLossLogged ||= fields['event'] === 'disk.lost'),
  }
  const engine = new DiskEngine({ dir: '' }, { clock: new SimulatedClock(), storage, log })
  try {
    await engine.start()
  } catch (error) {
    return { refused: String(error), rooms: [], epochs: [], isLossLogged }
  }
  const pages = await Promise.all([0, 1, 2].map((room) => engine.read(streamOf(room), KEPT, ALL)))
  const outcome = await engine.publish({ ...request(0), data: '"next"' })
  expect(outcome).toMatchObject({ epoch: pages[0]?.epoch, offset: (pages[0]?.top.offset ?? 0) + 1 })
  await engine.close()
  const rooms = pages.map(({ messages }) => messages.map(({ data }) => Number.parseInt(data.slice(1))))
  return { refused: undefined, rooms, epochs: pages.map(({ epoch }) => epoch), isLossLogged }
}

/** What holds after any damage: it is refused in words, or what is there is a prefix, and where anything is missing every epoch is another. */
function check({ epochs }: Sample, found: Found, acknowledged: number = MESSAGES): 'refused' | 'whole' | 'lost' {
  if (found.refused !== undefined) {
    expect(found.refused).toMatch(/\w+ \w+/)
    return 'refused'
  }
  for (const [room, messages] of found.rooms.entries())
    expect(messages).toEqual(Array.from(messages, (_, at) => room + at * ROOMS))
  const there = found.rooms.flat().length
  if (there < acknowledged) expect(found.isLossLogged).toBe(true)
  for (const [room, epoch] of found.epochs.entries())
    if (found.isLossLogged) expect(epoch).not.toBe(epochs[room])
    else expect(epoch).toBe(epochs[room])
  return found.isLossLogged ? 'lost' : 'whole'
}

/** Whether all rooms together hold the messages 0, 1, 2 and so on, none left out. */
function expectOnePrefix({ rooms }: Found): void {
  const all = rooms.flat().toSorted((one, other) => one - other)
  expect(all).toEqual(Array.from(all, (_, at) => at))
}

async function damaged({ storage }: Sample, name: string, change: (bytes: Buffer) => Buffer): Promise<Found> {
  const copy = storage.afterKill()
  copy.damage(name, change(Buffer.from(copy.bytes(name))))
  return open(copy)
}

/** A copy whose journal, all segments together, lacks the last `cut` bytes. */
async function shortened(storage: SimulatedStorage, cut: number): Promise<SimulatedStorage> {
  const copy = storage.afterKill()
  let left = cut
  for (const name of (await copy.list())
    .filter((file) => file.startsWith('journal-'))
    .toSorted()
    .toReversed()) {
    const bytes = copy.bytes(name)
    if (left >= bytes.length) await copy.remove(name)
    else copy.damage(name, bytes.subarray(0, bytes.length - left))
    left = Math.max(0, left - bytes.length)
  }
  return copy
}

const flipped = (bytes: Buffer, bit: number): Buffer => {
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return bytes
}

const zeroed = (bytes: Buffer, from: number, length: number): Buffer => bytes.fill(0, from, from + length)

describe('F-58 a damaged journal', () => {
  let whole: Sample
  let last: string

  beforeAll(async () => {
    whole = await sample({})
    last =
      (await whole.storage.list())
        .filter((name) => name.startsWith('journal-'))
        .toSorted()
        .at(-1) ?? ''
  })

  it('is what the tests take it for: several segments, all of it read', async () => {
    expect((await whole.storage.list()).length).toBeGreaterThan(3)
    const found = await open(whole.storage.afterKill())
    expect([check(whole, found), found.rooms.flat().length]).toEqual(['whole', MESSAGES])
  })

  it('that was cut at any of its last 4096 bytes loses what was cut, and says so', async () => {
    for (let cut = 1; cut <= 4_096; cut += 1) {
      const found = await open(await shortened(whole.storage, cut))
      expect(check(whole, found)).toBe('lost')
      expectOnePrefix(found)
    }
  })

  it('that was cut in what was never acknowledged loses nothing, at whatever byte', async () => {
    const torn = await sample({ unacknowledged: 50 })
    const name =
      (await torn.storage.list())
        .filter((file) => file.startsWith('journal-'))
        .toSorted()
        .at(-1) ?? ''
    const size = torn.storage.bytes(name).length
    let fewest = MESSAGES
    for (let length = size; length > 0; length -= 1) {
      const found = await damaged(torn, name, (bytes) => bytes.subarray(0, length))
      if (check(torn, found, 50) === 'lost') break
      expectOnePrefix(found)
      fewest = Math.min(fewest, found.rooms.flat().length)
    }
    expect(fewest).toBe(50)
  })

  it('with any bit turned keeps what stands before it', async () => {
    const names = (await whole.storage.list()).filter((name) => name.startsWith('journal-'))
    for (let n = 0; n < 300; n += 1) {
      const name = names[n % names.length] ?? ''
      const bits = whole.storage.bytes(name).length * 8
      const found = await damaged(whole, name, (bytes) =>
        flipped(bytes, Math.floor((((n * 7_919) % 9_973) / 9_973) * bits)),
      )
      expect(check(whole, found)).toBe('lost')
      expectOnePrefix(found)
    }
  })

  it.each([64, 512, 1_024])('with %i bytes twice at its end is whole', async (length) => {
    const found = await damaged(whole, last, (bytes) => Buffer.concat([bytes, bytes.subarray(-length)]))
    expect([check(whole, found), found.rooms.flat().length]).toEqual(['whole', MESSAGES])
  })

  it('with a block in the place of another, or of nothing, keeps what stands before it', async () => {
    for (const name of (await whole.storage.list()).filter((file) => file.startsWith('journal-'))) {
      const size = whole.storage.bytes(name).length
      for (let at = 512; at + 512 <= size; at += 512) {
        for (const change of [
          (bytes: Buffer) => zeroed(bytes, at, 512),
          (bytes: Buffer) =>
            Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - 512, at), bytes.subarray(at + 512)]),
        ]) {
          const found = await damaged(whole, name, change)
          expect(check(whole, found)).toBe('lost')
          expectOnePrefix(found)
        }
      }
    }
  })

  it('of which a segment is missing keeps what stands before it', async () => {
    for (const name of (await whole.storage.list()).filter((file) => file.startsWith('journal-'))) {
      const copy = whole.storage.afterKill()
      await copy.remove(name)
      const found = await open(copy)
      expect(check(whole, found)).toBe('lost')
      expectOnePrefix(found)
    }
  })

  it('without its watermark may have lost anything, and says so', async () => {
    const copy = whole.storage.afterKill()
    await copy.remove('watermark')
    expect(check(whole, await open(copy))).toBe('lost')
    expect(check(whole, await damaged(whole, 'watermark', (bytes) => zeroed(bytes, 0, bytes.length)))).toBe('lost')
  })

  it('outlives half of its watermark', async () => {
    for (let bit = 0; bit < 128; bit += 1) {
      const older = check(whole, await damaged(whole, 'watermark', (bytes) => flipped(bytes, bit)))
      const newer = check(whole, await damaged(whole, 'watermark', (bytes) => flipped(bytes, 512 * 8 + bit)))
      expect([older, newer]).toEqual(['whole', 'whole'])
    }
  })

  it('that is gone altogether is missed', async () => {
    const copy = whole.storage.afterKill()
    for (const name of await copy.list()) if (name !== 'watermark') await copy.remove(name)
    const found = await open(copy)
    expect([check(whole, found), found.rooms.flat()]).toEqual(['lost', []])
  })

  it('is kept for people, and the loss is told once', async () => {
    const copy = whole.storage.afterKill()
    copy.damage(last, copy.bytes(last).subarray(0, 100))
    const found = await open(copy)
    expect(check(whole, found)).toBe('lost')
    expect(await copy.list()).toContain(`${last}.damaged`)
    const again = await open(copy)
    expect([again.isLossLogged, again.epochs]).toEqual([false, found.epochs])
  })

  it('knows the keys of what it kept, under the new epoch', async () => {
    const copy = new SimulatedStorage()
    const clock = new SimulatedClock()
    const keyed = { ...request(0), idempotency: { scope: 'u', key: 'k' } }
    const first = new DiskEngine({ dir: '' }, { clock, storage: copy })
    await first.start()
    const { id } = (await first.publish(keyed)) as { id: string }
    await first.close()
    await copy.remove('watermark')
    const second = new DiskEngine({ dir: '' }, { clock, storage: copy })
    await second.start()
    const { epoch } = await second.read(streamOf(0), KEPT, ALL)
    expect(await second.publish(keyed)).toEqual({ kind: 'published', epoch, offset: 1, id, duplicate: true })
    await second.close()
  })

  it('that another version wrote is refused', async () => {
    const copy = whole.storage.afterKill()
    const bytes = copy.bytes(last)
    bytes.writeUInt32LE(2, 4)
    const { crc32c } = await import('./crc32c.js')
    bytes.writeUInt32LE(crc32c(bytes, 0, 28), 28)
    expect((await open(copy)).refused).toContain('format version 2')
  })
})

describe('F-58 a damaged snapshot', () => {
  let whole: Sample
  let snapshot: string

  beforeAll(async () => {
    whole = await sample({ compactBytesMin: 5_000 })
    snapshot = (await whole.storage.list()).find((name) => name.startsWith('snapshot-')) ?? ''
  })

  it('cut at any byte keeps what stands before, and every epoch is another', async () => {
    const size = whole.storage.bytes(snapshot).length
    for (let length = 0; length < size; length += 7)
      expect(check(whole, await damaged(whole, snapshot, (bytes) => bytes.subarray(0, length)))).toBe('lost')
  })

  it('with any bit turned keeps what stands before it, and every epoch is another', async () => {
    const bits = whole.storage.bytes(snapshot).length * 8
    for (let n = 0; n < 200; n += 1) {
      const bit = Math.floor((((n * 7_919) % 9_973) / 9_973) * bits)
      expect(check(whole, await damaged(whole, snapshot, (bytes) => flipped(bytes, bit)))).toBe('lost')
    }
  })

  it('does no harm while what it covers is still there', async () => {
    const journal = await sample({})
    const copy = journal.storage.afterKill()
    const draft = await copy.create('snapshot-000002.state')
    await draft.write(Buffer.from('HFDS, and then nothing that makes sense'), 0)
    expect(check(journal, await open(copy))).toBe('whole')
  })
})
