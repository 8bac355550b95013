import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DiskEngine, type LogPage, type Logger } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { SeededRandom, seedOfThisRun } from '../kit/seeded-random.js'
import { DiskProcess } from './disk-process.js'

const STREAM = { tenant: 't', channel: 'room:1' }
const KEPT = { size: 300, ttlMs: 3_600_000 }
const PUBLISHERS = 8

/** Small files, so that a kill often falls into the beginning of a segment or into a snapshot. */
const OPTIONS = { segmentBytesMax: 20_000, compactBytesMin: 60_000 }

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-kill-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** What must be found again. */
class Acknowledged {
  readonly messages = new Map<number, { epoch: string; offset: number; id: string }>()
  record = 0
  next = 0

  take({ said }: DiskProcess): void {
    for (const { acked, put } of said) {
      if (acked) this.messages.set(acked[0], { epoch: acked[1], offset: acked[2], id: acked[3] })
      this.record = Math.max(this.record, put ?? 0)
    }
  }

  /** The numbers that may have been published without an answer. */
  get unanswered(): number[] {
    const first = Math.max(0, this.next - 4 * PUBLISHERS)
    const end = Math.max(this.next, ...this.messages.keys()) + PUBLISHERS + 1
    const numbers = Array.from({ length: end - first }, (_, at) => first + at)
    this.next = end
    return numbers.filter((n) => !this.messages.has(n))
  }
}

/** Opens what the killed process left, and compares; then repeats what was never answered, so that it is there once. */
async function examine(acknowledged: Acknowledged): Promise<void> {
  const errors: unknown[] = []
  const silent = (): void => undefined
  const log: Logger = { debug: silent, info: silent, warn: silent, error: (fields) => errors.push(fields) }
  const engine = new DiskEngine({ dir, ...OPTIONS }, { log })
  await engine.start()
  const page = await engine.read(STREAM, KEPT, { limit: 1_000, bytesMax: Infinity, keep: 'oldest' })
  expectThere(page, acknowledged)
  expect((await engine.records.get('record'))?.version ?? 0).toBeGreaterThanOrEqual(acknowledged.record)
  for (const n of acknowledged.unanswered) {
    const data = JSON.stringify(String(n).padEnd(40))
    const idempotency = { scope: 'u', key: String(n) }
    const outcome = await engine.publish({
      stream: STREAM,
      event: 'e',
      data,
      from: { user: 'u' },
      at: '',
      retention: KEPT,
      idempotency,
    })
    if (outcome.kind !== 'published') throw new Error(outcome.kind)
    acknowledged.messages.set(n, outcome)
  }
  await engine.close()
  expect(errors).toEqual([])
}

function expectThere(page: LogPage, { messages }: Acknowledged): void {
  const newest = [...messages].filter(([, { offset }]) => offset >= page.first)
  const found = newest.map(([, { offset }]) => page.messages[offset - page.first])
  expect(found.map((message) => [message?.offset, message?.id, numberOf(message?.data)])).toEqual(
    newest.map(([n, { offset, id }]) => [offset, id, n]),
  )
  for (const { epoch } of messages.values()) if (epoch !== page.epoch) throw new Error('the epoch has changed')
}

function numberOf(data = '""'): number {
  return Number.parseInt(JSON.parse(data) as string)
}

describe('a process that is killed', () => {
  it('F-58 loses nothing that it acknowledged, 50 times in a row, and its epoch stays', async () => {
    const seed = seedOfThisRun()
    const random = new SeededRandom(seed)
    const acknowledged = new Acknowledged()
    for (let life = 0; life < 50; life += 1) {
      const child = new DiskProcess(dir, OPTIONS)
      await child.ready()
      child.tell({ do: 'publish', from: acknowledged.next, to: Number.MAX_SAFE_INTEGER, publishers: PUBLISHERS })
      child.tell({ do: 'put' })
      await pause(random.between(0, 60))
      await child.kill()
      acknowledged.take(child)
      await examine(acknowledged)
    }
    const messages = [...acknowledged.messages.values()]
    expect(messages.length, `seed ${seed}`).toBeGreaterThan(1_000)
    expect(new Set(messages.map(({ offset }) => offset)).size).toBe(messages.length)
    expect(Math.max(...messages.map(({ offset }) => offset))).toBe(messages.length)
  }, 180_000)
})

describe('a directory', () => {
  it('belongs to one process at a time, and is free when that one was killed', async () => {
    // The process with this number is gone: no system counts as far.
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), began: '' }))
    const rivals = Array.from({ length: 4 }, () => new DiskProcess(dir))
    const settled = (): boolean => rivals.every(({ said }) => said.some(({ ready, refused }) => ready ?? refused))
    await eventually('each of them got in or gave up', settled, 20_000)
    const [winner, ...others] = rivals.filter(({ said }) => said.some(({ ready }) => ready))
    expect(others).toEqual([])
    const refused = rivals.flatMap(({ said }) => said.flatMap((line) => line.refused ?? []))
    expect(refused).toHaveLength(3)
    for (const message of refused)
      expect(message).toMatch(/is in use by process \d+; a directory belongs to one process/)
    await winner?.kill()
    const next = new DiskProcess(dir)
    await next.ready()
    await next.kill()
  })
})
