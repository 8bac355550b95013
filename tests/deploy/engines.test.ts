import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Workplace, createWorkplace } from '../cli/command.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'

// Processes start slowly on a machine that tests other things.
vi.setConfig({ testTimeout: 60_000 })

let place: Workplace

beforeEach(async () => {
  place = await createWorkplace({ HOLDFAST_SECRET: SECRET })
})

afterEach(() => place.close())

/** What `/health/ready` answers. */
async function readiness(url: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url}/health/ready`)
  return { status: answer.status, body: await answer.json() }
}

describe('holdfast serve on disk', () => {
  it('is what production does without a Redis', async () => {
    place.env['HOLDFAST_ENV'] = 'production'
    const { url } = await place.serve()
    expect(await readiness(url)).toEqual({ status: 200, body: { status: 'ready', engine: 'disk' } })
  })

  it('is what a named data directory does in development; what was acknowledged is there after a kill -9', async () => {
    const { url, running } = await place.serve('--no-demo', '--data-dir', 'state')
    expect(await readiness(url)).toEqual({ status: 200, body: { status: 'ready', engine: 'disk' } })
    expect(await place.run('publish', 'room:1', '{"told":"before"}')).toMatchObject({ code: 0 })
    running.child.kill('SIGKILL')
    await running.ended
    await place.serve('--no-demo', '--data-dir', 'state')
    expect((await place.run('publish', 'room:1', '{"told":"after"}')).stdout).toContain('"offset":2')
    const listening = place.start('listen', 'room:1', '--since', 'newest:2', '--json')
    await listening.printed(/"told":"before"[\s\S]*"told":"after"/)
  })

  it('refuses a data directory that another process uses, and says which', async () => {
    await place.serve('--no-demo', '--data-dir', 'state')
    const { code, stderr } = await place.run('serve', '--no-demo', '--data-dir', 'state')
    expect(code).toBe(1)
    expect(stderr).toContain(join(place.directory, 'state', 'engine'))
  })
})

describe('holdfast serve on Redis', () => {
  let redis: RedisServer

  beforeEach(async () => {
    redis = await RedisServer.start()
  })

  afterEach(() => redis?.stop())

  it('F-39 starts while Redis is away, says what is wrong and that it is unready, and serves when Redis is there', async () => {
    await redis.kill()
    const { url, running } = await place.serve('--no-demo', '--engine', redis.url)
    await running.printed(/serving without its engine, which is away/)
    expect(await readiness(url)).toEqual({
      status: 503,
      body: {
        status: 'unready',
        reason: expect.stringContaining(`127.0.0.1:${redis.port}`) as string,
        engine: 'redis',
      },
    })
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    await redis.restart()
    await eventually('it is ready', async () => (await readiness(url)).status === 200)
    expect(await readiness(url)).toEqual({ status: 200, body: { status: 'ready', engine: 'redis' } })
    expect(await place.run('publish', 'room:1', '1')).toMatchObject({ code: 0 })
  })

  it('shares what one was told with another, and keeps it when both are gone', async () => {
    const first = await place.serve('--no-demo', '--engine', redis.url)
    expect(await place.run('publish', 'room:1', '{"told":"first"}')).toMatchObject({ code: 0 })
    await place.serve('--no-demo', '--engine', redis.url)
    expect((await place.run('publish', 'room:1', '{"told":"second"}')).stdout).toContain('"offset":2')
    first.running.child.kill('SIGTERM')
    expect((await first.running.ended).code).toBe(0)
    const { running } = await place.serve('--no-demo', '--engine', redis.url)
    const listening = place.start('listen', 'room:1', '--since', 'newest:2', '--json')
    await listening.printed(/"told":"first"[\s\S]*"told":"second"/)
    expect(running.child.exitCode).toBeNull()
  })

  it('ends with 2 where an address is none, without repeating the password in it', async () => {
    const { code, stderr } = await place.run('serve', '--engine', 'redis://:hunter2@host:port')
    expect(code).toBe(2)
    expect(stderr).toContain('engine.redis must be an address like redis://')
    expect(stderr).not.toContain('hunter2')
  })
})
