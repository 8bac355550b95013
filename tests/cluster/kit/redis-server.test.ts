import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, within } from '../../kit/deadline.js'
import { GUARD_SCRIPT, guard } from './guard.js'
import { RedisServer, redisBinary } from './redis-server.js'

const servers: RedisServer[] = []

async function start(...config: Parameters<typeof RedisServer.start>): Promise<RedisServer> {
  const server = await RedisServer.start(...config)
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

describe('a Redis server of a test', () => {
  it('comes back after a kill with what it had, on the same port', async () => {
    const server = await start({ appendonly: true, appendfsync: 'always' })
    await server.command('SET', 'greeting', 'hello')
    await server.kill()
    expect(server.isRunning).toBe(false)
    await server.restart()
    expect(await server.command('GET', 'greeting')).toBe('hello')
  })

  it('comes back empty when it is told to', async () => {
    const server = await start({ appendonly: true })
    await server.command('SET', 'greeting', 'hello')
    await server.restart({ empty: true })
    expect(await server.command('GET', 'greeting')).toBe('')
  })

  it('answers nothing while it is paused, and everything after', async () => {
    const server = await start()
    server.pause()
    const answer = server.command('PING')
    await expect(within('an answer', answer, 200)).rejects.toThrow('not within')
    server.resume()
    expect(await answer).toBe('PONG')
  })

  it('asks for its password', async () => {
    const server = await start({ requirepass: 'p@ss/word' })
    expect(server.url).toBe(`redis://:p%40ss%2Fword@127.0.0.1:${server.port}`)
    expect(await server.command('PING')).toBe('PONG')
  })

  it('leaves nothing behind', async () => {
    const server = await RedisServer.start()
    await server.stop()
    expect(existsSync(server.folder)).toBe(false)
    expect(existsSync(`/proc/${server.pid}`)).toBe(false)
  })

  it('says what to install when it is not there', () => {
    expect(() => redisBinary('redis-server-that-is-not-there')).toThrow('apt-get install')
  })
})

describe('a guard', () => {
  it('ends a process, stopped or not, when the one that set it up is killed', async () => {
    const sleeper = spawn('sleep', ['60'])
    sleeper.kill('SIGSTOP')
    // Stands for the test process: holds the other end of the pipe, and dies.
    const args = ['-c', GUARD_SCRIPT, 'guard', String(sleeper.pid), '']
    const watcher = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'] })
    watcher.stdin.end()
    await eventually('the process is gone', () => sleeper.signalCode === 'SIGKILL')
  })

  it('leaves a process alone once it is released', async () => {
    const sleeper = spawn('sleep', ['60'])
    guard(sleeper.pid ?? 0).release()
    expect(execFileSync('ps', ['-o', 'stat=', '-p', String(sleeper.pid)], { encoding: 'utf8' })).not.toMatch(/Z/)
    sleeper.kill('SIGKILL')
  })
})
