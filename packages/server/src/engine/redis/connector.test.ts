import { expect, it, vi } from 'vitest'
import { systemClock } from '../../clock.js'
import { systemRandom } from '../../random.js'
import { silentLogger } from '../../telemetry/log.js'
import { RedisEngine } from './redis-engine.js'

vi.mock('@redis/client', () => {
  throw new Error('Cannot find package')
})

it('an engine without its driver does not start, and says what to install', async () => {
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
  const engine = new RedisEngine({ servers: [{ host: '127.0.0.1', port: 6_379 }] }, parts)
  await expect(engine.start()).rejects.toThrow(
    'the redis engine needs the package @redis/client: npm install @redis/client',
  )
})
