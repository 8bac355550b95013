import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemRandom } from '../../random.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { DirectoryLock } from './directory-lock.js'

function place(): string {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-lock-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function lockOf(dir: string, clock: SimulatedClock = new SimulatedClock()): DirectoryLock {
  const lock = new DirectoryLock(dir, { clock, random: systemRandom })
  onTestFinished(() => lock.release())
  return lock
}

const left = (dir: string, holder: object | string): void =>
  writeFileSync(join(dir, 'lock'), typeof holder === 'string' ? holder : JSON.stringify(holder))

describe('the lock of a directory', () => {
  it('is held once in a process, and free after its release', async () => {
    const dir = place()
    const lock = lockOf(dir)
    await lock.take()
    await expect(lockOf(`${dir}/.`).take()).rejects.toThrow(`this very process (${process.pid})`)
    await lock.take()
    await lock.release()
    await lockOf(dir).take()
  })

  it('names the process that holds it', async () => {
    const dir = place()
    const other = spawn('sleep', ['60'])
    await once(other, 'spawn')
    left(dir, { pid: other.pid, host: hostname(), began: '' })
    await expect(lockOf(dir).take()).rejects.toThrow(`in use by process ${other.pid};`)
    other.kill('SIGKILL')
    await once(other, 'exit')
    await lockOf(dir).take()
    expect(JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() })
  })

  it('is taken over from a process that ended and was not waited for', async () => {
    const dir = place()
    // The shell becomes a program that never waits for what the shell started.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'])
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer]
    left(dir, { pid: Number(pid), host: hostname(), began: '' })
    for (;;) {
      if (readFileSync(`/proc/${Number(pid)}/stat`, 'utf8').includes(') Z ')) break
      await nextTurn()
    }
    await lockOf(dir).take()
  })

  it.each([
    ['a process whose number is used again', { pid: process.pid, host: hostname(), began: '1' }],
    ['a machine that lost power while it wrote', ''],
    ['a machine that lost power while it wrote, half of it', '{"pid": 12'],
  ])('is taken over from %s', async (_title, holder) => {
    const dir = place()
    left(dir, holder)
    await lockOf(dir).take()
    expect(JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid })
  })

  it('of another machine is respected as long as that one touches it', async () => {
    const dir = place()
    const clock = new SimulatedClock()
    left(dir, { pid: 1, host: 'elsewhere', began: '' })
    const taking = lockOf(dir, clock).take()
    const touching = setInterval(() => utimesSync(join(dir, 'lock'), new Date(), new Date()), 50)
    onTestFinished(() => clearInterval(touching))
    await expect(taking).rejects.toThrow('in use by process 1 on elsewhere')
  })

  it('of another machine is taken over when nobody touched it for a while', async () => {
    const dir = place()
    const clock = new SimulatedClock()
    left(dir, { pid: 1, host: 'elsewhere', began: '' })
    let isTaken = false
    const taking = lockOf(dir, clock)
      .take()
      .then(() => (isTaken = true))
    while (!isTaken) {
      await clock.pass(1_000)
      await nextTurn()
    }
    await taking
  })
})
