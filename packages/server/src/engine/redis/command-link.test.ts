import { afterEach, describe, expect, it } from 'vitest'
import { machineTime } from '../../../../../tests/kit/machine-time.js'
import { systemClock } from '../../clock.js'
import { silentLogger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { CommandLink, LINK_LIMITS, type LinkParts } from './command-link.js'
import { DriverConnector } from './connector.js'
import { REMEDIES } from './error-replies.js'
import { script } from './script.js'
import { type Answer, ScriptedRedis, bulk, greeting } from './testing/scripted-redis.js'
import { eventually } from './testing/deadline.js'

const HELD = script('return 1')

const closing: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function serve(answer: Answer = greeting(), port: number = 0): Promise<ScriptedRedis> {
  const redis = await ScriptedRedis.start(answer, port)
  closing.push(() => redis.stop())
  return redis
}

interface Linked {
  readonly link: CommandLink
  readonly told: string[]
}

/** A link whose delays are the shortest that there are. */
function connect(port: number, more: Partial<LinkParts> = {}): Linked {
  const told: string[] = []
  const link = new CommandLink(
    { id: 'one', address: { host: '127.0.0.1', port } },
    {
      connector: new DriverConnector({ tls: false, connectTimeoutMs: 1_000 }, systemClock),
      clock: systemClock,
      random: { id: () => 'x', fraction: () => 0 },
      log: silentLogger,
      limits: LINK_LIMITS,
      greet: async (_shard, line) => void (await line.send(['INFO'])),
      arrived: () => told.push('arrived'),
      left: () => told.push('left'),
      changed: () => undefined,
      astray: () => told.push('astray'),
      ...more,
    },
  )
  closing.push(() => link.close())
  link.start()
  return { link, told }
}

const up = (link: CommandLink): Promise<boolean> => eventually('the link is up', () => link.problem === undefined)

const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof EngineUnavailableError ? error.message : `another error: ${String(error)}`),
  )

describe('a command link', () => {
  it('sends commands and answers with their replies, in order', async () => {
    const redis = await serve((words) => (words[0] === 'ECHO' ? bulk(words[1] ?? '') : greeting()(words)))
    const { link } = connect(redis.port)
    await up(link)
    expect(await Promise.all(['a', 'ä\r\n', ''].map((word) => link.send(['ECHO', word])))).toEqual(['a', 'ä\r\n', ''])
  })

  it('lets nothing through before the greeting is over', async () => {
    const redis = await serve()
    let finish: () => void = () => undefined
    const { link } = connect(redis.port, { greet: () => new Promise((resolve) => (finish = resolve)) })
    await eventually('it is connected', () => redis.connections === 1)
    expect(await reasonOf(link.send(['PING']))).toMatch(/not connected/)
    expect(redis.commands).toEqual([])
    finish()
    await up(link)
    expect(await link.send(['PING'])).toBe('OK')
  })

  it('tries again when the greeting fails', async () => {
    const redis = await serve()
    let failures = 0
    const { link } = connect(redis.port, {
      greet: () => (++failures < 2 ? Promise.reject(new Error('not the right one')) : Promise.resolve()),
    })
    await eventually('it says why', () => link.problem?.includes('not the right one'))
    await up(link)
    expect(redis.connections).toBe(1)
  })

  it('refuses at once while it is down, and fails what was under way when it breaks', async () => {
    const redis = await serve((words) => (words[0] === 'WAIT' ? undefined : greeting()(words)))
    const { link, told } = connect(redis.port)
    await up(link)
    const waiting = reasonOf(link.send(['WAIT']))
    await eventually('it was sent', () => redis.commands.some(([word]) => word === 'WAIT'))
    redis.cut()
    expect(await waiting).toMatch(/broke/)
    expect(await reasonOf(link.send(['PING']))).toMatch(/broke/)
    await up(link)
    expect(told).toEqual(['arrived', 'left', 'astray', 'arrived'])
  })

  it('refuses what is too much', async () => {
    const redis = await serve((words) => (words[0] === 'WAIT' ? undefined : greeting()(words)))
    const { link } = connect(redis.port, { limits: { ...LINK_LIMITS, inFlightMax: 3 } })
    await up(link)
    const waiting = [1, 2, 3].map(() => reasonOf(link.send(['WAIT'])))
    expect(await reasonOf(link.send(['WAIT']))).toMatch(/3 commands of 12 characters wait/)
    redis.cut()
    expect(await Promise.all(waiting)).toHaveLength(3)
  })

  it('refuses what is too long together, until some of it is answered', async () => {
    const answers: (() => void)[] = []
    const redis = await serve((words) =>
      words[0] === 'WAIT' ? new Promise((resolve) => answers.push(() => resolve('+DONE'))) : greeting()(words),
    )
    const { link } = connect(redis.port, { limits: { ...LINK_LIMITS, inFlightCharactersMax: 1_000 } })
    await up(link)
    const waiting = link.send(['WAIT', 'x'.repeat(1_000)])
    expect(await reasonOf(link.send(['PING']))).toMatch(/1004 characters wait/)
    await eventually('it was sent', () => answers.length === 1)
    for (const answer of answers) answer()
    expect(await waiting).toBe('DONE')
    expect(await link.send(['PING'])).toBe('OK')
  })

  it('F-02 drops a connection whose command was not answered in time, so that a late answer meets nobody', async () => {
    const late: (() => void)[] = []
    const redis = await serve((words) =>
      words[0] === 'SLOW' ? new Promise((resolve) => late.push(() => resolve('+LATE'))) : greeting()(words),
    )
    const { link } = connect(redis.port, { limits: { ...LINK_LIMITS, commandTimeoutMs: 100 } })
    await up(link)
    const began = machineTime()
    const [slow, behind] = await Promise.all([reasonOf(link.send(['SLOW'])), reasonOf(link.send(['SLOW', '2']))])
    expect([slow, behind]).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/did not answer within 100/)))
    expect(machineTime() - began).toBeLessThan(1_000)
    await up(link)
    for (const send of late) send()
    expect(await link.send(['PING'])).toBe('OK')
    expect(redis.accepted).toBe(2)
  })

  it('F-14 makes one attempt at a time while nobody answers, and is back within two seconds', async () => {
    const first = await serve()
    const { link, told } = connect(first.port, { random: { id: () => 'x', fraction: () => 0.99 } })
    await up(link)
    await first.stop()
    closing.splice(0, 1)
    await eventually('it has tried often', () => told.filter((what) => what === 'astray').length > 5)
    expect(link.problem).toContain('ECONNREFUSED')
    const again = await serve(greeting(), first.port)
    const began = machineTime()
    await up(link)
    expect(machineTime() - began).toBeLessThan(2_100)
    expect([again.accepted, again.connections]).toEqual([1, 1])
  })

  it('F-14 gives up on a server that accepts and says nothing, and leaves no connection behind', async () => {
    const redis = await serve(() => undefined)
    const { link } = connect(redis.port, {
      connector: new DriverConnector({ tls: false, password: 'p', connectTimeoutMs: 50 }, systemClock),
    })
    await eventually('it has tried three times', () => redis.accepted >= 1 && link.problem?.includes('within 50 ms'))
    link.close()
    await eventually('nothing stays open', () => redis.connections === 0)
  })

  it('does not give up on a server for the time in which this process stood still', async () => {
    let answer: () => void = () => undefined
    const redis = await serve((words) =>
      words[0] === 'AUTH' ? new Promise((resolve) => (answer = () => resolve('+OK'))) : greeting()(words),
    )
    const connector = new DriverConnector({ tls: false, password: 'p', connectTimeoutMs: 100 }, systemClock)
    const { link } = connect(redis.port, { connector })
    await eventually('it is asked who we are', () => redis.commands.some(([word]) => word === 'AUTH'))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150)
    answer()
    await up(link)
    expect(redis.accepted).toBe(1)
  })

  it('goes to another server at once when its shard moved while the one before did not answer', async () => {
    const [silent, other] = [await serve(() => undefined), await serve()]
    const delays: number[] = []
    const { link } = connect(silent.port, {
      connector: new DriverConnector({ tls: false, password: 'p', connectTimeoutMs: 50 }, systemClock),
      clock: {
        ...systemClock,
        after: (ms, task) => {
          delays.push(ms)
          return systemClock.after(ms, task)
        },
      },
    })
    await eventually('it is asked who we are', () => silent.commands.length > 0)
    link.moveTo({ host: '127.0.0.1', port: other.port })
    await up(link)
    expect(link.address.port).toBe(other.port)
    expect(delays).toEqual([0, 0])
  })

  it('follows its shard to another server', async () => {
    const [one, other] = [await serve(), await serve()]
    const { link } = connect(one.port)
    await up(link)
    link.moveTo({ host: '127.0.0.1', port: other.port })
    await eventually('it is there', () => link.problem === undefined && other.connections === 1)
    await eventually('it left', () => one.connections === 0)
    expect(await link.send(['PING'])).toBe('OK')
  })

  it('runs a script by its name, and sends its text where that is unknown', async () => {
    const known = new Set<string>()
    const redis = await serve((words) => {
      if (words[0] === 'EVAL') known.add(HELD.sha)
      else if (words[0] !== 'EVALSHA') return greeting()(words)
      else if (!known.has(words[1] ?? '')) return '-NOSCRIPT No matching script.'
      return `*2\r\n${bulk(words[3] ?? '')}\r\n${bulk(words[4] ?? '')}`
    })
    const { link } = connect(redis.port)
    await up(link)
    expect(await link.run(HELD, ['key'], ['argument'])).toEqual(['key', 'argument'])
    expect(await link.run(HELD, ['key'], ['argument'])).toEqual(['key', 'argument'])
    expect(redis.commands.filter(([word]) => word?.startsWith('EVAL')).map(([word]) => word)).toEqual([
      'EVALSHA',
      'EVAL',
      'EVALSHA',
    ])
  })

  describe('F-16', () => {
    const replies = [
      ['LOADING Redis is loading the dataset in memory', 'resolve'],
      ['READONLY You can not write against a read only replica.', 'resolve'],
      ['MASTERDOWN Link with MASTER is down', 'resolve'],
      ['NOAUTH Authentication required.', 'resolve'],
      ['WRONGPASS invalid username-password pair', 'resolve'],
      ['CLUSTERDOWN The cluster is down', 'resolve'],
      ['UNBLOCKED force unblock from blocking operation', 'resolve'],
      ['ERR max number of clients reached', 'resolve'],
      ['BUSY Redis is busy running a script.', 'refuse'],
      ['MISCONF Redis is configured to save RDB snapshots', 'refuse'],
      ['OOM command not allowed', 'refuse'],
      ['NOREPLICAS Not enough good replicas to write.', 'refuse'],
      ['NOPERM this user has no permissions', 'refuse'],
      ['TRYAGAIN Multiple keys request during rehashing of slot', 'refuse'],
      ['CROSSSLOT Keys in request do not hash to the same slot', 'refuse'],
      ['WRONGTYPE Operation against a key', 'refuse'],
      ['ERR unknown command', 'refuse'],
      ['NEWWORD that nobody knows', 'refuse'],
    ] as const

    it.each(replies)('fails the command on %s: %s', async (text, remedy) => {
      let isWell = false
      const redis = await serve((words) => (words[0] === 'DO' && !isWell ? `-${text}` : greeting()(words)))
      const { link, told } = connect(redis.port)
      await up(link)
      expect(await reasonOf(link.send(['DO']))).toContain(text)
      if (remedy === 'resolve') {
        expect(told).toEqual(['arrived', 'left', 'astray'])
        await eventually('another connection is made', () => redis.accepted === 2)
      } else {
        expect([told, link.problem, redis.accepted]).toEqual([['arrived'], undefined, 1])
      }
      isWell = true
      await up(link)
      expect(await link.send(['DO'])).toBe('OK')
    })

    it('knows every reply by what it asks for', () => {
      const tested = new Set<string>(replies.map(([text]) => text.slice(0, text.indexOf(' '))))
      const elsewhere = ['MOVED', 'ASK', 'NOSCRIPT']
      expect(Object.keys(REMEDIES).filter((word) => !tested.has(word) && !elsewhere.includes(word))).toEqual([])
    })
  })
})
