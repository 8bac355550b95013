import { Worker } from 'node:worker_threads'

/** How long a thread that only sleeps may be late before the machine is said to have stood still, in milliseconds. */
const LATE_MS = 20
const SLEEP_MS = 5

/** Standstills that are remembered; of older ones it is forgotten when they were. */
const REMEMBERED = 16_384

/** Where things are in the memory that is shared with the watch: the sum of all standstills, how many there were, when it last looked; then their beginnings and ends. */
const [SUM, COUNT, LOOKED, FIRST] = [0, 1, 2, 3]

/** Sleeps, and writes down when it was woken too late: it has nothing else to do, so the machine is to blame. */
const WATCH = `
  const { workerData } = require('node:worker_threads')
  const shared = new Float64Array(workerData)
  const bed = new Int32Array(new SharedArrayBuffer(4))
  const now = () => performance.timeOrigin + performance.now()
  for (let slept = now(); ; ) {
    Atomics.wait(bed, 0, 0, ${SLEEP_MS})
    const woken = now()
    const late = woken - slept - ${SLEEP_MS}
    if (late > ${LATE_MS}) {
      const at = ${FIRST} + (shared[${COUNT}] % ${REMEMBERED}) * 2
      shared[at] = woken - late
      shared[at + 1] = woken
      shared[${COUNT}] += 1
      shared[${SUM}] += late
    }
    shared[${LOOKED}] = woken
    slept = woken
  }
`

// Begun with the test, not with its first question: a standstill while the watch itself starts would be charged to the product.
const shared = watch()

/**
 * Milliseconds from an origin that stays the same, without those in which the machine stood still: a virtual machine is paused, its processors
 * are lent to others. What a test claims to happen within a time is measured with this, so that it is the product that is late and not its host.
 * What was before this module was loaded is not known.
 */
export function machineTime(): number {
  const [, lateMs] = present()
  return performance.now() - valueAt(SUM) - lateMs
}

/** This moment, in milliseconds since 1970, as in histories and logs. */
export function moment(): number {
  return present()[0]
}

/** How much of the time between two moments the machine ran, in milliseconds. Of what was before this module was loaded nothing is known. */
export function machineTimeBetween(from: number, to: number): number {
  const [now, lateMs] = present()
  let stoodStill = overlap(from, to, now - lateMs, now)
  const count = valueAt(COUNT)
  for (let index = Math.max(0, count - REMEMBERED); index < count; index += 1) {
    const at = FIRST + (index % REMEMBERED) * 2
    stoodStill += overlap(from, to, valueAt(at), valueAt(at + 1))
  }
  return to - from - stoodStill
}

/** Now, and the standstill that the watch has not woken up from: it may be a moment behind us. */
function present(): [now: number, lateMs: number] {
  const now = performance.timeOrigin + performance.now()
  const looked = valueAt(LOOKED)
  const lateMs = looked === 0 ? 0 : now - looked - SLEEP_MS
  return [now, lateMs > LATE_MS ? lateMs : 0]
}

function overlap(from: number, to: number, begin: number, end: number): number {
  return Math.max(0, Math.min(to, end) - Math.max(from, begin))
}

function valueAt(index: number): number {
  return shared[index] ?? 0
}

function watch(): Float64Array {
  const memory = new SharedArrayBuffer((FIRST + REMEMBERED * 2) * Float64Array.BYTES_PER_ELEMENT)
  new Worker(WATCH, { eval: true, workerData: memory }).unref()
  return new Float64Array(memory)
}
