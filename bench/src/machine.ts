import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { canPin } from './child.js'
import { timestamp } from './clock.js'

const require = createRequire(import.meta.url)

/** Milliseconds that all processors together have worked since the machine started. */
export function workedMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}

/** Where and when a run took place. */
export interface Machine {
  readonly at: string
  readonly node: string
  readonly socketIo: string
  readonly system: string
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  /** Processes that wanted a processor in the minute before the run; what is not near 0 competed with it. */
  readonly loadBefore: number
  /** Whether server and generator were tied to a processor each. */
  readonly pinned: boolean
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    at: timestamp(),
    node: process.version,
    socketIo: (require('socket.io/package.json') as { version: string }).version,
    system: `${process.platform} ${release()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    pinned: canPin(),
  }
}
