import { pause } from '../../kit/deadline.js'
import type { SeededRandom } from '../../kit/seeded-random.js'
import type { RedisServer } from './redis-server.js'
import type { Run } from './run.js'

/** What there is to be harmed. */
export interface Victims {
  readonly run: Run
  readonly redis: RedisServer
  readonly random: SeededRandom
  readonly nodes: number
}

/** One kind of harm: done, held for `ms`, and healed when it resolves. */
export type Harm = (victims: Victims, ms: number) => Promise<unknown>

/** Redis being killed, paused, or replaced, or a node: one at a time, because nobody is spared who loses everything at once. */
let isGrave = false

/** Harm that is not done while other harm of the kind is. */
function grave(harm: Harm): Harm {
  return async (victims, ms) => {
    if (isGrave) return
    isGrave = true
    try {
      await harm(victims, ms)
    } finally {
      isGrave = false
    }
  }
}

const anyNode = ({ random, nodes }: Victims): number => random.between(0, nodes - 1)

const anyProxy = (victims: Victims): ReturnType<Run['fleet']['proxy']> => victims.run.fleet.proxy(anyNode(victims))

/** What every message of a run contains, and nothing else that nodes tell each other. */
const MESSAGE = { text: '"canary"' }

/** A condition of one line to Redis, for a while. */
function line(begin: (proxy: ReturnType<typeof anyProxy>['tcp'], victims: Victims) => void): Harm {
  return async (victims, ms) => {
    const { tcp } = anyProxy(victims)
    begin(tcp, victims)
    await pause(ms)
    tcp.heal()
    // What was swallowed leaves a line in the middle of a word.
    tcp.killAll()
  }
}

/** One reply becomes an error. */
function reply(error: string): Harm {
  return async (victims, ms) => {
    const faults = Array.from({ length: victims.nodes }, (_, index) =>
      victims.run.fleet.proxy(index).onReply('EVALSHA', error, { nth: victims.random.between(1, 5), times: 3 }),
    )
    await pause(ms)
    for (const fault of faults) fault.cancel()
  }
}

/** Faults after which nothing that was acknowledged is lost to Redis. */
export const HARMS: Readonly<Record<string, Harm>> = {
  'Redis is killed': grave(async ({ redis }, ms) => {
    await redis.kill()
    await pause(ms)
    await redis.restart()
  }),
  'Redis is paused': grave(async ({ redis }, ms) => {
    redis.pause()
    await pause(ms)
    redis.resume()
  }),
  'announcement links are killed': ({ redis }) => redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub').catch(() => ''),
  'command links are killed': ({ redis }) => redis.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => ''),
  'scripts are forgotten': ({ redis }) => redis.command('SCRIPT', 'FLUSH').catch(() => ''),
  'a push is dropped': async (victims) => void anyProxy(victims).onPush('drop', MESSAGE),
  'a push is doubled': async (victims) => void anyProxy(victims).onPush('duplicate', MESSAGE),
  'a push is late': async (victims) => void anyProxy(victims).onPush('swap', MESSAGE),
  'a push is very late': async (victims, ms) => void anyProxy(victims).onPush({ delayMs: ms }, MESSAGE),
  'replies say LOADING': reply('LOADING Redis is loading the dataset in memory'),
  'replies say BUSY': reply('BUSY Redis is busy running a script'),
  'replies say READONLY': reply("READONLY You can't write against a read only replica."),
  'Redis is far away': line((tcp) => tcp.latency(150)),
  'the line to Redis is narrow': line((tcp) => tcp.bandwidth(32_000)),
  'the line to Redis comes in pieces': line((tcp) => tcp.slice(7, 1)),
  'Redis hears nothing': line((tcp) => tcp.blackhole('up')),
  'Redis is not heard': line((tcp) => tcp.blackhole('down')),
  'a node is cut off': line((tcp) => {
    tcp.stopAccept()
    tcp.killAll()
  }),
  'the line to Redis swallows': line((tcp) => tcp.sink('down')),
  'a line breaks in the middle of a word': line((tcp, { random }) => {
    tcp.resetAfter(random.between(1, 2_000), random.once(2) ? 'up' : 'down')
  }),
  'a node is killed': grave(async (victims, ms) => {
    const index = anyNode(victims)
    await victims.run.fleet.kill9(index)
    await victims.run.reroute()
    await pause(ms)
    await victims.run.fleet.replace(index)
    await victims.run.reroute()
  }),
  'a node is drained': grave(async (victims) => {
    const index = anyNode(victims)
    const left = victims.run.fleet.term(index)
    await victims.run.reroute()
    await left
    await victims.run.fleet.replace(index)
    await victims.run.reroute()
  }),
  'a node is paused': async (victims, ms) => {
    const node = victims.run.fleet.node(anyNode(victims))
    node.pause()
    await pause(ms)
    node.resume()
  },
  'clients are cut': ({ run, random }) => run.clients.cut(random.fraction() / 3),
}

/** Faults after which something is lost, and has to be told. */
export const LOSSES: Readonly<Record<string, Harm>> = {
  'Redis is emptied': ({ redis }) => redis.command('FLUSHALL').catch(() => ''),
  'Redis is restarted empty': grave(async ({ redis }, ms) => {
    await redis.kill()
    await pause(ms)
    await redis.restart({ empty: true })
  }),
}

/** Does harm for so many seconds, each kind as often as any other, sometimes two at a time; resolves when all is healed. */
export async function harmFor(seconds: number, harms: Readonly<Record<string, Harm>>, victims: Victims): Promise<void> {
  const { random, run } = victims
  const end = performance.now() + seconds * 1_000
  const names = Object.keys(harms)
  const lasting: Promise<unknown>[] = []
  while (performance.now() < end) {
    const name = random.pick(names)
    const done = run.fault(name, () => harms[name]?.(victims, random.between(200, 6_000)))
    if (random.once(3)) lasting.push(done)
    else await done
    await pause(random.between(300, 3_000))
  }
  await Promise.all(lasting)
}
