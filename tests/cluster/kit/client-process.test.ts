import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../kit/deadline.js'
import { check } from './checker/checker.js'
import { ClientProcess } from './client-process.js'
import type { Where } from './facts.js'
import { History, readHistory } from './history.js'
import { noteLogs, readTops } from './logs-read.js'
import { NodeProcess } from './node-process.js'

const TENANTS = ['acme', 'globex']
const CHANNELS = ['room:1', 'room:2', 'room:3']
const WHERE: Where[] = TENANTS.flatMap((tenant) => CHANNELS.map((channel) => ({ tenant, channel })))

const OPTIONS = {
  channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } },
  drain: { windowMs: 300, deadlineMs: 5_000 },
} as const

describe('clients in a process of their own', () => {
  let folder: string
  let file: string
  let history: History
  let node: NodeProcess
  let clients: ClientProcess

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-history-'))
    file = join(folder, 'history.jsonl')
    history = new History(file, 'test')
    node = await NodeProcess.start({ ...OPTIONS, node: 'one' })
    clients = await ClientProcess.start({ history: file, urls: [node.url], seed: 1 })
    await clients.connect({
      name: 'reader',
      clients: Array.from({ length: 40 }, (_, index) => ({ tenant: TENANTS[index % 2] ?? '', channels: CHANNELS })),
      options: { backoff: { minMs: 50, maxMs: 500 } },
    })
    const publishers = Array.from({ length: 6 }, (_, index) => ({ client: `reader-${index}`, channels: CHANNELS }))
    await clients.publish({ publishers, perSecond: 200 })
  })

  afterEach(async () => {
    await clients.stop()
    await node.stop()
    history.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const delivered = (count: number): Promise<unknown> =>
    eventually(`${count} deliveries`, async () => (await clients.figures()).deliveries >= count)

  it('write a history of which the checker makes what happened', async () => {
    await delivered(4_000)
    await clients.cut(0.5)
    await delivered(8_000)
    expect(await clients.stopPublishing()).toBe(0)
    await clients.caughtUp(() => readTops(node, WHERE))
    await clients.rest()
    await noteLogs(history, node, WHERE)
    history.flush()
    const verdict = check(() => readHistory(file))
    expect(verdict.violations).toEqual([])
    const { deliveries, publishes, acknowledged, readers } = verdict.figures
    expect({ acknowledged, readers }).toEqual({ acknowledged: publishes, readers: 120 })
    expect(deliveries).toBe((publishes ?? 0) * 20)
    const { open, reconnects } = await clients.figures()
    expect(open).toBe(40)
    expect(reconnects).toBeGreaterThan(5)
  })

  it('tell of a node that forgets everything: gaps, and no silence', async () => {
    await delivered(2_000)
    const { port } = node
    await node.kill9()
    node = await NodeProcess.start({ ...OPTIONS, node: 'again' }, port)
    await delivered(6_000)
    await clients.stopPublishing()
    await clients.caughtUp(() => readTops(node, WHERE))
    await clients.rest()
    await noteLogs(history, node, WHERE)
    history.flush()
    const verdict = check(() => readHistory(file))
    expect(verdict.violations).toEqual([])
    expect(verdict.figures['signalled gaps']).toBe(120)
  })
})
