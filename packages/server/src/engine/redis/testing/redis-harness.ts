import { systemClock } from '../../../clock.js'
import { systemRandom } from '../../../random.js'
import { type Logger, silentLogger } from '../../../telemetry/log.js'
import type { EngineHarness } from '../../conformance/suite.js'
import type { Engine, Receiver } from '../../engine.js'
import { DriverConnector } from '../connector.js'
import { RedisEngine } from '../redis-engine.js'
import type { RedisEngineOptions } from '../redis-options.js'

let used = 0

/** An engine on servers that run, under a prefix of its own if none is given. */
export function engineOn(options: RedisEngineOptions, log: Logger = silentLogger): RedisEngine {
  used += 1
  const prefix = `t${process.pid}-${used}`
  return new RedisEngine({ prefix, ...options }, { clock: systemClock, random: systemRandom, log })
}

/** What the conformance suite needs: `masters` are the ports of all servers that keys are on. */
export function harnessOf(engine: RedisEngine, masters: () => Promise<readonly number[]>): EngineHarness {
  return {
    engine,
    pass: async (ms) => {
      for (const port of await masters()) await passOn(port, ms)
    },
    delivered: () => delivered(engine),
  }
}

const connector = new DriverConnector({ tls: false, connectTimeoutMs: 5_000 }, systemClock)

const PASS = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if redis.call('TYPE', key).ok == 'zset' and not string.find(key, '}:order:', 1, true) then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ARGV[1], member) end
  end
  if left > tonumber(ARGV[1]) then redis.call('PEXPIRE', key, left - ARGV[1]) elseif left >= 0 then redis.call('DEL', key) end
end`

/** Lets time pass on one server: every lifetime gets shorter by `ms`. Exact, because nothing else in it knows what time it is but the sorted sets of registers and indexes whose scores are times. */
async function passOn(port: number, ms: number): Promise<void> {
  const connection = await connector.open({ host: '127.0.0.1', port }, { broken: () => undefined })
  try {
    await connection.sendCommand(['EVAL', PASS, '0', String(ms)])
  } finally {
    connection.destroy()
  }
}

/** Resolves when what was announced before has arrived: announcements of one server come in order, so one more per server tells. */
async function delivered(engine: Engine): Promise<void> {
  for (let n = 0; n < 12; n += 1) await heardOnce(engine, `probe:${n}`)
}

function heardOnce(engine: Engine, channel: string): Promise<void> {
  const stream = { tenant: 'probe', channel }
  return new Promise((resolve, reject) => {
    const ignore = (): void => undefined
    const signal = (): void => void end.then((undo) => undo()).then(resolve, reject)
    const receiver: Receiver = { message: ignore, signal, members: ignore, rotated: ignore, uncertain: ignore }
    const end = engine.listen(stream, receiver)
    end.then(() => engine.announce(stream, { event: 'probe', data: '0', from: { system: true }, at: '' })).catch(reject)
  })
}
