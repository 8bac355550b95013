import { Worker } from 'node:worker_threads'

/** How long a thread that only sleeps may be late before the machine is said to have stood still, in milliseconds. */
const LATE_MS = 20
const SLEEP_MS = 5

/** Sleeps, and adds up by how much it was woken too late: it has nothing else to do, so the machine is to blame. */
const WATCH = `
  const { workerData } = require('node:worker_threads')
  const stoodStill = new Float64Array(workerData)
  const bed = new Int32Array(new SharedArrayBuffer(4))
  for (let slept = performance.now(); ; ) {
    Atomics.wait(bed, 0, 0, ${SLEEP_MS})
    const woken = performance.now()
    const late = woken - slept - ${SLEEP_MS}
    if (late > ${LATE_MS}) stoodStill[0] += late
    slept = woken
  }
`

let stoodStill: Float64Array | undefined

/**
 * Milliseconds from an origin that stays the same, without those in which the machine stood still: a virtual machine is paused, its processors
 * are lent to others. What a test claims to happen within a time is measured with this, so that it is the product that is late and not its host.
 * The first call begins the watch; what was before it is not known.
 */
export function machineTime(): number {
  stoodStill ??= watch()
  return performance.now() - (stoodStill[0] ?? 0)
}

function watch(): Float64Array {
  const memory = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  new Worker(WATCH, { eval: true, workerData: memory }).unref()
  return new Float64Array(memory)
}
