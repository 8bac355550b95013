import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, pause, within } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { printFigures } from '../kit/figures.js'
import { WireClient } from '../kit/wire-client.js'
import type { NodeOptions } from '../cluster/kit/node-questions.js'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { CHANNELS, join, tokenOf } from './pair.js'

const MEBIBYTE = 1_048_576

let redis: RedisServer
let node: NodeProcess

const start = async (options: NodeOptions = {}): Promise<void> => {
  node = await NodeProcess.start({ channels: CHANNELS, engine: { redis: redis.url }, ...options })
  await node.isReady()
}

beforeEach(async () => {
  redis = await RedisServer.start()
})

afterEach(async () => {
  await node.stop()
  await redis.stop()
})

describe('a node without file descriptors', () => {
  it('F-33 takes nobody more, keeps what it has, Redis included, and takes clients again as soon as it can', async () => {
    await start()
    const early = await join(node.url, 'early')
    await early.get('subscribed', { type: 'subscribe', channel: 'room:1' })
    await limitDescriptors(readdirSync(`/proc/${node.pid}/fd`).length + SPARE)

    const crowd = Array.from({ length: CROWD }, () => new WireClient(node.url))
    const isIn = (client: WireClient): Promise<boolean> =>
      Promise.race([client.opened(), client.ended]).then(
        (opened) => opened === true,
        () => false,
      )
    const places = await Promise.all(crowd.map(isIn))
    const taken = places.filter(Boolean).length
    expect(taken).toBeGreaterThan(0)
    // The node may have closed a file of its own meanwhile.
    expect(taken).toBeLessThanOrEqual(SPARE + 2)

    for (let said = 1; said <= 5; said += 1) await early.get('ok', { type: 'publish', channel: 'room:1', data: said })
    await eventually('all are heard', () => early.of('message').length === 5)
    expect(node.logged('engine.degraded')).toEqual([])
    await node.isReady()

    await limitDescriptors(DESCRIPTORS)
    const raised = machineTime()
    await join(node.url, 'late')
    expect(machineTime() - raised).toBeLessThan(1_000)
  }, 40_000)
})

/** Connections that still find a descriptor, and how many try. */
const SPARE = 10
const CROWD = 40
const DESCRIPTORS = 4_096

/** The soft limit; the hard one stays, so that it can be raised again. */
async function limitDescriptors(max: number): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(node.pid), `--nofile=${max}:${DESCRIPTORS}`])
}

describe('a node with little memory', () => {
  it('F-32 gives up readers that do not read before its memory is full, and serves the others through a flood', async () => {
    await startWithHeap(HEAP_MEBIBYTES, {
      limits: { outboxTotalBytesMax: 8 * MEBIBYTE, connectionsPerUserMax: 100 },
      channels: { 'room:*': { publish: 'member', history: { size: 50, ttl: '1h' } } },
    })
    const reader = await join(node.url, 'reader')
    await reader.get('subscribed', { type: 'subscribe', channel: 'room:flood' })
    const sluggards = await Promise.all(Array.from({ length: SLUGGARDS }, () => sluggard(node.url)))
    const writers = await Promise.all(Array.from({ length: WRITERS }, (_, index) => join(node.url, `writer-${index}`)))
    const { residentBytes: before } = await node.ask('stats', null)
    let most = 0
    let isOver = false
    const watching = (async () => {
      for (; !isOver; await pause(50)) most = Math.max(most, (await node.ask('stats', null)).residentBytes)
    })()
    await Promise.all(writers.map((writer) => publishMany(writer, FLOOD_MESSAGES / WRITERS)))
    isOver = true
    await watching
    await eventually('the reader has everything', () => reader.of('message').length === FLOOD_MESSAGES, 20_000)
    await eventually(
      'who does not read is gone',
      async () => (await node.ask('stats', null)).connections <= WRITERS + 1,
    )
    printFigures(`a flood of ${FLOOD_MESSAGES} messages of ${FILLER.length} bytes`, {
      'heap, MiB': HEAP_MEBIBYTES,
      'grown by at most, MiB': (most - before) / MEBIBYTE,
    })
    expect(reader.of('gap')).toEqual([])
    expect(most - before).toBeLessThan(GROWN_BYTES_MAX)
    await node.isReady()
    await reader.get('ok', { type: 'publish', channel: 'room:after', data: 1 })
    for (const socket of sluggards) socket.terminate()
  }, 60_000)
})

const HEAP_MEBIBYTES = 64
const SLUGGARDS = 20
const WRITERS = 4
const FILLER = 'x'.repeat(60_000)

/** More than a heap full, for each reader. */
const FLOOD_MESSAGES = 1_280

/** Less than the flood, many times what queues may hold. */
const GROWN_BYTES_MAX = 64 * MEBIBYTE

/** A node whose heap may grow so far. */
async function startWithHeap(mebibytes: number, options: NodeOptions): Promise<void> {
  const before = process.env['NODE_OPTIONS']
  process.env['NODE_OPTIONS'] = `--max-old-space-size=${mebibytes}`
  try {
    await start(options)
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
  }
}

/** A client that subscribes and then reads nothing more. */
async function sluggard(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ['holdfast.v1+json'], { perMessageDeflate: false })
  socket.on('error', () => undefined)
  const subscribed = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      if (data.toString().includes('"type":"subscribed","id":1')) resolve()
    })
  })
  socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'hello', token: tokenOf('sluggard') }))
    socket.send(JSON.stringify({ type: 'subscribe', id: 1, channel: 'room:flood' }))
  })
  await within('a subscription', subscribed)
  socket.pause()
  return socket
}

/** Publishes so many, eight at a time. */
async function publishMany(writer: WireClient, count: number): Promise<void> {
  let left = count
  const work = async (): Promise<void> => {
    while (left-- > 0) await writer.get('ok', { type: 'publish', channel: 'room:flood', data: FILLER })
  }
  await Promise.all(Array.from({ length: 8 }, work))
}
