import { createClient } from '@redis/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { systemRandom } from '../../random.js'
import { silentLogger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { Keys } from './keys.js'
import { MUSTER_LIMITS, Muster, type MusterLimits } from './muster.js'
import { VERIFY } from './muster-scripts.js'
import type { Commands, Reply, Script } from './shard.js'
import { SingleTopology } from './single-topology.js'
import { RedisProcess } from './testing/redis-process.js'

const DEADLINE_MS = 8_000

/** Marks often, so that nothing takes long. */
const QUICK: MusterLimits = { ...MUSTER_LIMITS, markMs: 20, lapseMs: 100, musterMs: 300 }

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 2)
    })
  }
}

const clientOf = (port: number) =>
  createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false }, disableOfflineQueue: true })

/** One node: its muster, and its link to the server. */
class Node {
  readonly muster: Muster
  readonly #port: number
  readonly #topology: SingleTopology
  #client: ReturnType<typeof clientOf> | undefined
  /** Added to what its clock says. */
  aheadMs = 0
  /** What the comparison of logs waits for. */
  comparing: Promise<void> = Promise.resolve()
  readonly #commands: Commands = {
    send: (args) => this.#send(args),
    run: (script, keys, args) => this.#run(script, keys, args),
  }

  constructor(port: number, limits: Partial<MusterLimits> = {}) {
    this.#port = port
    this.#topology = new SingleTopology({ host: '127.0.0.1', port })
    this.muster = new Muster({
      topology: this.#topology,
      commands: { of: () => this.#commands, shard: () => this.#commands },
      keys: new Keys('test', 'muster'),
      clock: { ...systemClock, now: () => systemClock.now() + this.aheadMs },
      random: systemRandom,
      log: silentLogger,
      limits: { ...QUICK, ...limits },
      isCluster: false,
    })
    this.muster.start()
  }

  /** Connects, and goes through what a link goes through before it lets anything else pass. */
  async arrive(): Promise<void> {
    this.leave()
    const client = clientOf(this.#port)
    client.on('error', () => undefined)
    await client.connect()
    this.#client = client
    await this.muster.arrived(this.#topology.shardOf(), this.#commands)
  }

  get generation(): string {
    return this.muster.generation('any')
  }

  /** The link breaks. */
  leave(): void {
    this.#client?.destroy()
    this.#client = undefined
  }

  async close(): Promise<void> {
    await this.muster.close()
    this.leave()
  }

  async #send(args: readonly string[]): Promise<Reply> {
    if (this.#client === undefined) throw new EngineUnavailableError('not connected')
    return (await this.#client.sendCommand([...args])) as Reply
  }

  async #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    if (script === VERIFY) await this.comparing
    return this.#send(['EVAL', script.text, String(keys.length), ...keys, ...args])
  }
}

describe('a muster', () => {
  let redis: RedisProcess
  const nodes: Node[] = []

  beforeEach(async () => {
    // Not `everysec`: while a flush to the disk takes its time, that keeps what it has acknowledged in memory.
    redis = await RedisProcess.start('--appendonly', 'yes', '--appendfsync', 'always')
    return () => redis.stop()
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.close()))
  })

  async function join(limits: Partial<MusterLimits> = {}): Promise<Node> {
    const node = new Node(redis.port, limits)
    nodes.push(node)
    await node.arrive()
    return node
  }

  async function restart(): Promise<void> {
    for (const node of nodes) node.leave()
    await redis.kill()
    await redis.begin()
  }

  /** The keys of the one shard. */
  const keys = new Keys('test', 'muster')
  const members = async (): Promise<number> => Number((await redis.command('HLEN', keys.own('marking', '0'))).slice(1))
  const marks = async (): Promise<number> =>
    Number(/\d+\r\n$/.exec(await redis.command('HGET', keys.own('marks', '0'), 'n'))?.[0] ?? 0)

  const musteredFor = (): Promise<string> => redis.command('HGET', keys.own('muster', '0'), 's')
  const muster = (): Promise<string> => redis.command('HKEYS', keys.own('muster', '0'))
  const reports = async (): Promise<number> => ((await muster()).match(/^r/gm) ?? []).length
  const coming = async (): Promise<number> => ((await muster()).match(/^c/gm) ?? []).length

  /** A condition that holds after ten looks of those who wait. */
  function later(): () => boolean {
    const from = performance.now()
    return () => performance.now() - from > 250
  }

  /** Everything that was told before is known to be stored. */
  async function marked(): Promise<void> {
    const from = await marks()
    await until('all have made marks', async () => (await marks()) > from + nodes.length * 2)
  }

  it('ends at once when all are back, and everybody goes on under the same generation', async () => {
    const [one, two] = [await join({ musterMs: 5_000 }), await join({ musterMs: 5_000 })]
    const before = one.generation
    expect([before, two.generation]).toEqual(['0000000000000001', '0000000000000001'])
    await marked()
    await restart()
    const from = performance.now()
    await Promise.all([one.arrive(), two.arrive()])
    expect(performance.now() - from).toBeLessThan(1_000)
    expect([one, two].map(({ generation, muster }) => [generation, muster.losses])).toEqual([
      [before, 0],
      [before, 0],
    ])
  })

  it('holds whoever is back first until the others are, and no longer than it must', async () => {
    const [one, two] = [await join(), await join()]
    const before = one.generation
    await restart()
    const from = performance.now()
    await one.arrive()
    expect(performance.now() - from).toBeGreaterThanOrEqual(QUICK.musterMs - 1)
    expect(one.generation > before).toBe(true)
    await two.arrive()
    expect(two.generation).toBe(one.generation)
    expect([one.muster.losses, two.muster.losses]).toEqual([1, 1])
  })

  it('does not hold against others that the clock was set, or that the process stood still', async () => {
    const [one, two] = [await join({ musterMs: 5_000 }), await join({ musterMs: 5_000 })]
    const before = one.generation
    await marked()
    const server = await musteredFor()
    await restart()
    const arriving = one.arrive()
    await until('it has reported', async () => (await musteredFor()) !== server && (await reports()) === 1)
    one.aheadMs = 3_600_000
    await until('it has looked again', later())
    await Promise.all([arriving, two.arrive()])
    expect([one, two].map(({ generation, muster }) => [generation, muster.losses])).toEqual([
      [before, 0],
      [before, 0],
    ])
  })

  it('waits longer for one who shows that it is coming', async () => {
    const [one, two] = [await join(), await join()]
    const before = one.generation
    await marked()
    two.muster.acknowledged('t', { epoch: 'e', offset: 1, id: 'i' })
    await restart()
    let compared: () => void = () => undefined
    two.comparing = new Promise((resolve) => {
      compared = resolve
    })
    const arriving = [two.arrive()]
    await until('it is coming', async () => (await coming()) === 1)
    const from = performance.now()
    arriving.push(one.arrive())
    await until('long after the others would have stopped waiting', () => performance.now() - from > QUICK.musterMs * 2)
    compared()
    await Promise.all(arriving)
    expect([one.generation, two.generation]).toEqual([before, before])
  })

  it('waits for nobody for ever', async () => {
    const [one, two] = [await join({ musterMs: 100 }), await join({ musterMs: 100 })]
    const before = one.generation
    two.muster.acknowledged('t', { epoch: 'e', offset: 1, id: 'i' })
    await restart()
    let compared: () => void = () => undefined
    two.comparing = new Promise((resolve) => {
      compared = resolve
    })
    const late = two.arrive()
    await one.arrive()
    expect(one.generation > before).toBe(true)
    compared()
    await late
    expect(two.generation).toBe(one.generation)
  })

  it('is not needed after a link broke: the server is the same', async () => {
    const [one] = [await join({ musterMs: 5_000 }), await join({ musterMs: 5_000 })]
    const from = performance.now()
    await one.arrive()
    expect(performance.now() - from).toBeLessThan(1_000)
    expect(one.muster.losses).toBe(0)
  })

  it('is attended by those who never lost their link', async () => {
    const [one, two] = [await join({ musterMs: 5_000 }), await join({ musterMs: 5_000 })]
    const before = one.generation
    await redis.command('DEBUG', 'CHANGE-REPL-ID')
    const from = performance.now()
    await one.arrive()
    expect(performance.now() - from).toBeLessThan(2_000)
    expect([one.generation, two.generation]).toEqual([before, before])
  })

  it('does not ask for one who was gone before: the others know that what it had been told is stored', async () => {
    const [one, two] = [await join({ musterMs: 5_000 }), await join({ musterMs: 5_000 })]
    const before = one.generation
    two.leave()
    await until('it is found gone', async () => (await members()) === 1)
    await marked()
    await restart()
    await one.arrive()
    expect([one.generation, one.muster.losses]).toEqual([before, 0])
  })

  it('does not ask for one who has left in order either', async () => {
    const [one] = [await join({ musterMs: 5_000 }), await join({ musterMs: 5_000 })]
    const before = one.generation
    await nodes.pop()?.close()
    await marked()
    await restart()
    await one.arrive()
    expect([one.generation, one.muster.losses]).toEqual([before, 0])
  })

  it('trusts no log when more was told than could be remembered', async () => {
    const one = await join({ topsMax: 2, markMs: 60_000 })
    const before = one.generation
    for (let n = 1; n <= 3; n += 1) one.muster.acknowledged(`log${n}`, { epoch: 'e', offset: 1, id: 'i' })
    await restart()
    await one.arrive()
    expect(one.generation > before).toBe(true)
  })

  it('does not take the time in which the server stood still for the absence of a node', async () => {
    const [one, two] = [await join(), await join()]
    await marked()
    redis.signal('SIGSTOP')
    await new Promise((resolve) => {
      setTimeout(resolve, QUICK.lapseMs * 3)
    })
    redis.signal('SIGCONT')
    await marked()
    expect(await members()).toBe(2)
    expect([one.muster.losses, two.muster.losses]).toEqual([0, 0])
  })

  it('lets one who finds the marks of others, and none of its own, compare all that it was told', async () => {
    const [one, two] = [await join(), await join()]
    one.muster.acknowledged('t', { epoch: 'mine', offset: 3, id: 'i' })
    const { top } = keys.named('t')
    await redis.command('HSET', top, 'e', 'mine', 'o', '2', 'i', 'h', 'g', one.generation)
    one.leave()
    // As after a fork: the others went on without the marks that it made.
    await redis.command('DEL', keys.own('tags', '0'))
    await marked()
    await one.arrive()
    expect(await redis.command('HGET', top, 'e')).not.toContain('mine')
    expect([one.muster.losses, two.muster.losses]).toEqual([1, 0])
  })

  it('ends no epoch that began after everything was lost, however late a node comes that was told of the one before', async () => {
    const [one, two] = [await join(), await join()]
    for (const { muster } of [one, two]) muster.acknowledged('t', { epoch: 'old', offset: 3, id: 'i' })
    for (const node of [one, two]) node.leave()
    await redis.command('FLUSHALL')
    await restart()
    await one.arrive()
    const { top } = keys.named('t')
    await redis.command('HSET', top, 'e', 'new', 'o', '1', 'i', 'j', 'g', one.generation)
    await two.arrive()
    expect(await redis.command('HGET', top, 'e')).toContain('new')
  })

  it('refuses a server that is a replica', async () => {
    const one = await join()
    await redis.command('REPLICAOF', '127.0.0.1', '1')
    await expect(one.arrive()).rejects.toThrow('role is slave')
  })
})
