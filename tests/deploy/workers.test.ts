import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { signToken } from '@holdfast/server'
import { type Running, type Workplace, createWorkplace } from '../cli/command.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually, pause } from '../kit/deadline.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'

const WORKERS = 3
const CLIENTS = 30

/** Processes start slowly on a machine that tests other things. */
const PATIENCE_MS = 60_000
vi.setConfig({ testTimeout: 120_000 })

const SETTINGS = {
  channels: { 'room:*': { publish: 'member', history: { size: 5_000, ttl: '1h' } } },
  drain: { delayMs: 0, windowMs: 500, deadlineMs: 3_000 },
  log: { format: 'json' },
}

/** A line of the log, as far as the tests look. */
interface Line {
  readonly msg: string
  readonly worker?: number
  readonly pid?: number
  readonly node?: string
}

let redis: RedisServer
let place: Workplace
let file: string
let running: Running
let url: string
let printed: string
let recorders: Recorder[] = []

beforeAll(async () => {
  redis = await RedisServer.start()
  await start()
})

afterEach(() => {
  for (const { client } of recorders.splice(0)) client.disconnect()
})

afterAll(async () => {
  await place?.close()
  await redis?.stop()
})

/** Starts a server with workers and waits until all of them serve. */
async function start(): Promise<void> {
  await place?.close()
  printed = ''
  place = await createWorkplace({ HOLDFAST_SECRET: SECRET, REDIS_URL: redis.url, HOLDFAST_WORKERS: String(WORKERS) })
  file = join(place.directory, 'settings.yaml')
  await writeFile(file, JSON.stringify(SETTINGS))
  running = place.start('serve', '--no-demo', '--config', file)
  running.child.stderr?.on('data', (text: string) => void (printed += text))
  const [address] = await running.printed(/ws:\/\/[\d.:]+\/ws/)
  url = address
  await eventually('all workers serve', () => nodes().size === WORKERS, PATIENCE_MS)
}

/** What has been logged. */
function lines(): Line[] {
  const whole = printed.slice(0, printed.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
}

/** The processes that were started as worker `worker`, or as any, in order. */
function pidsOf(worker?: number): number[] {
  const started = lines().filter((line) => line.msg === 'worker started' && worker === (worker && line.worker))
  return started.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
}

const hasLogged = (text: string): boolean => lines().some(({ msg }) => msg === text)

const tokenOf = (user: string): string => signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 600 })

/** Clients of a channel that each test has for itself. */
async function connectAll(channel: string): Promise<void> {
  recorders = Array.from({ length: CLIENTS }, (_, at) => new Recorder(url, `user-${at}`, channel))
  await eventually('all have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
}

/** The node in each place, by what was logged last. */
function nodes(): Map<number, string> {
  return new Map(
    lines().flatMap(({ msg, worker, node }) =>
      msg === 'serving' && worker !== undefined && node !== undefined ? [[worker, node]] : [],
    ),
  )
}

/** The nodes that answer when many ask. Connections are not dealt out evenly to the last one. */
async function answering(): Promise<Set<string>> {
  const clients = await Promise.all(
    Array.from({ length: 4 * WORKERS }, (_, at) => WireClient.welcomed(url, { token: tokenOf(`asks-${at}`) })),
  )
  const names = clients.map((client) => client.of('welcome')[0]?.node ?? '')
  await Promise.all(clients.map((client) => client.close()))
  return new Set(names)
}

/** Publishes through all clients in turn while `work` is done; then everybody is judged. */
async function judged(channel: string, work: () => Promise<void>): Promise<void> {
  const acknowledged: Acknowledged[] = []
  const state = { isOver: false }
  const publishing: Promise<void>[] = []
  const publish = async (round: number): Promise<void> => {
    const writer = recorders[round % CLIENTS]!
    const { epoch = '', offset = 0, id } = await writer.client.channel(channel).publish('said', round)
    acknowledged.push({ epoch, offset, id })
  }
  const flow = (async () => {
    for (let round = 0; !state.isOver; round += 1) {
      const published = publish(round)
      publishing.push(published)
      // It is waited for below, unless the test has failed by then.
      published.catch(() => undefined)
      await pause(10)
    }
  })()
  try {
    await eventually('messages flow', () => acknowledged.length > 20)
    await work()
  } finally {
    state.isOver = true
    await flow
  }
  await Promise.all(publishing)
  acknowledged.sort((one, other) => one.offset - other.offset)
  const last = acknowledged.at(-1)?.id
  await eventually(
    'everybody has the last message',
    () => recorders.every(({ told }) => told.some((one) => one.kind === 'message' && one.id === last)),
    PATIENCE_MS,
  )
  for (const { told, counts } of recorders) {
    expect(checkHistory(told, acknowledged)).toEqual([])
    expect(counts).toEqual({ messages: acknowledged.length, gaps: 0 })
  }
}

describe('holdfast serve --workers', () => {
  it('is one address with several nodes behind it, and what one is told the others tell', async () => {
    expect(await answering()).toEqual(new Set(nodes().values()))
    expect(nodes().size).toBe(WORKERS)
    await connectAll('room:told')
    await recorders[0]?.client.channel('room:told').publish('said', 'to all')
    await eventually('all have heard', () => recorders.every(({ data }) => data[0] === 'to all'))
    const ready = await fetch(`${url.replace('ws', 'http').replace('/ws', '')}/health/ready`)
    expect(await ready.json()).toEqual({ status: 'ready', engine: 'redis' })
  })

  it('starts a worker again that was killed; its clients come back on others and miss nothing', async () => {
    await connectAll('room:killed')
    const before = new Set(nodes().values())
    const victim = pidsOf(2).at(-1)
    if (victim === undefined) throw new Error('there is no second worker')
    await judged('room:killed', async () => {
      process.kill(victim, 'SIGKILL')
      await eventually('it is started again', () => pidsOf(2).at(-1) !== victim, PATIENCE_MS)
      await eventually('clients noticed', () => recorders.some(({ states }) => states.length > 1))
      await eventually('all came back', () => recorders.every(({ client }) => client.status === 'open'), PATIENCE_MS)
    })
    const moved = recorders.filter(({ client }) => client.statistics.reconnects > 0)
    expect(moved.length).toBeGreaterThan(0)
    expect(moved.length).toBeLessThan(CLIENTS)
    await eventually('it serves', () => !before.has(nodes().get(2) ?? ''), PATIENCE_MS)
    expect([...nodes().values()].filter((name) => before.has(name))).toHaveLength(WORKERS - 1)
  })

  it('replaces its workers one by one on SIGHUP, and no client notices', async () => {
    await connectAll('room:replaced')
    const before = new Set(nodes().values())
    await judged('room:replaced', async () => {
      running.child.kill('SIGHUP')
      await eventually('they are replaced', () => hasLogged('the workers are restarted'), PATIENCE_MS)
    })
    for (const { states, client } of recorders) {
      expect(states.map(({ state }) => state)).toEqual(['open'])
      expect(client.statistics.reconnects).toBe(0)
    }
    const after = await answering()
    expect(after).toEqual(new Set(nodes().values()))
    expect([...after].filter((name) => before.has(name))).toEqual([])
  })

  it('goes on as it is when the new settings are wrong', async () => {
    const before = new Set(nodes().values())
    await writeFile(file, JSON.stringify({ ...SETTINGS, limits: { messageBytesMax: '64k' } }))
    running.child.kill('SIGHUP')
    await running.printed(/holdfast: limits\.messageBytesMax must be an integer .*, received "64k"/)
    await eventually('it is called off', () => hasLogged('the restart was called off'), PATIENCE_MS)
    await writeFile(file, JSON.stringify(SETTINGS))
    expect(await answering()).toEqual(before)
  })

  it('drains all workers on SIGTERM, closes who stays in order, and ends with 0', async () => {
    const client = await WireClient.welcomed(url, { token: tokenOf('stays') })
    const pids = pidsOf()
    running.child.kill('SIGTERM')
    await expect(client.ended).resolves.toEqual({ code: 1012, reason: 'Service restart' })
    expect((await running.ended).code).toBe(0)
    expect(pids.filter(isRunning)).toEqual([])
  })

  it('ends with 0, and at once, when it is told to while its workers are still starting', async () => {
    const hasty = place.start('serve', '--no-demo', '--config', file)
    await hasty.printed(/ws:\/\//)
    hasty.child.kill('SIGTERM')
    expect((await hasty.ended).code).toBe(0)
  })

  it('is refused where processes share nothing; what needs no server is not', async () => {
    const alone = await createWorkplace({ HOLDFAST_WORKERS: '2' })
    const { code, stderr } = await alone.run('serve', '--no-demo')
    const { code: minted } = await alone.run('token', '--tenant', 'acme', '--user', 'ada')
    await alone.close()
    expect(code).toBe(2)
    expect(stderr).toContain('need an engine that processes share: --engine redis://127.0.0.1:6379, or REDIS_URL')
    expect(minted).toBe(0)
  })

  it('leaves no worker behind when it is killed itself', async () => {
    await start()
    const pids = pidsOf()
    running.child.kill('SIGKILL')
    await eventually('the workers are gone', () => pids.every((pid) => !isRunning(pid)), PATIENCE_MS)
  })
})

/** Whether a process runs; one that has ended and was not asked about yet does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
