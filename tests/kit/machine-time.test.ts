import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { pause } from './deadline.js'
import { machineTime, machineTimeBetween } from './machine-time.js'

const since = (whole: number, lived: number): [whole: number, lived: number] => [
  performance.now() - whole,
  machineTime() - lived,
]

it('goes by for a thread that is busy as for one that waits', async () => {
  await pause(100)
  const from = [performance.now(), machineTime()] as const
  while (performance.now() - from[0] < 300);
  await pause(100)
  const [whole, lived] = since(...from)
  expect(lived).toBeGreaterThan(200)
  expect(lived).toBeLessThanOrEqual(whole)
})

it('leaves out what everything stood still for', async () => {
  await pause(100)
  const from = [performance.now(), machineTime()] as const
  const stopper = spawn('sh', ['-c', `kill -STOP ${process.pid}; sleep 1; kill -CONT ${process.pid}`])
  await once(stopper, 'exit')
  await pause(100)
  const [whole, lived] = since(...from)
  expect(whole).toBeGreaterThan(1_000)
  expect(lived).toBeLessThan(whole - 800)
  const [begun, woken] = [performance.timeOrigin + from[0], performance.timeOrigin + from[0] + whole]
  expect(machineTimeBetween(begun, woken)).toBeLessThan(whole - 800)
  expect(machineTimeBetween(woken - 50, woken)).toBeGreaterThan(0)
  expect(machineTimeBetween(begun - 2_000, begun - 1_000)).toBe(1_000)
})
