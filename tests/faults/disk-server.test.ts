import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Published } from '@holdfast/client'
import { eventually, pause } from '../kit/deadline.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { ServerProcess } from '../kit/server-process.js'

const READERS = 12
const CHANNEL = 'room:news'
const KILLS = 3
const MESSAGES_PER_LIFE = 60

describe('a server on disk that is killed again and again under its clients', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-server-'))
  const settings = { dataDir, channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } } }
  let server: ServerProcess
  let readers: Recorder[]
  let publisher: Recorder

  beforeAll(async () => {
    server = await ServerProcess.start(settings)
    readers = Array.from({ length: READERS }, (_, at) => new Recorder(server.url, `user-${at}`, CHANNEL))
    publisher = new Recorder(server.url, 'publisher', 'room:other')
    await eventually(
      'all have begun',
      () => [...readers, publisher].every(({ verdicts }) => verdicts.length > 0),
      30_000,
    )
  })

  afterAll(async () => {
    for (const { client } of [...readers, publisher]) client.disconnect()
    await server.kill()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('F-28 loses nothing, tells nobody of a gap, and tells nobody anything twice', async () => {
    const channel = publisher.client.channel(CHANNEL)
    const acknowledged: Promise<Published>[] = []
    for (let life = 0; life <= KILLS; life += 1) {
      for (let n = 0; n < MESSAGES_PER_LIFE; n += 1) {
        acknowledged.push(channel.publish('news', life * MESSAGES_PER_LIFE + n))
        await pause(5)
      }
      if (life === KILLS) break
      await server.kill()
      server = await ServerProcess.start(settings, server.port)
    }
    const all = await Promise.all(acknowledged)
    await eventually('everybody has everything', () => readers.every(({ data }) => data.length >= all.length), 30_000)
    const history = all.map(asAcknowledged).toSorted((one, other) => one.offset - other.offset)
    expect(new Set(history.map(({ epoch }) => epoch)).size).toBe(1)
    for (const reader of readers) {
      expect(reader.counts).toEqual({ messages: all.length, gaps: 0 })
      expect(checkHistory(reader.told, history)).toEqual([])
    }
  }, 90_000)
})

function asAcknowledged({ epoch = '', offset = 0, id }: Published): Acknowledged {
  return { epoch, offset, id }
}
