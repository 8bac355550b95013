import { performance } from 'node:perf_hooks'
import { monotonicMs } from './clock.js'
import type { Crowd } from './crowd.js'
import type { Faults } from './tally.js'

/** One turn of one candidate. */
export interface SliceOptions {
  readonly channel: string
  /** Messages that a connection gets per write. */
  readonly k: number
  /** Milliseconds after which no new batch begins. */
  readonly durationMs: number
}

/** What the generator saw during a slice. */
export interface SliceLoad {
  readonly deliveries: number
  readonly elapsedMs: number
  /** Since the crowd gathered. */
  readonly faults: Faults
  /** The share of the slice during which the generator's event loop was busy, 0 to 1. */
  readonly generatorBusy: number
  /** CPU time of the generator, user and kernel. */
  readonly generatorCpuMs: number
}

/**
 * Publishes batches of k messages, each when the one before it has reached everybody. One batch at a time keeps k honest: with
 * two under way a server could find both in one read and send 2k at once.
 */
export async function runSlice(crowd: Crowd, { channel, k, durationMs }: SliceOptions): Promise<SliceLoad> {
  const busyBefore = performance.eventLoopUtilization()
  const cpuBefore = process.cpuUsage()
  const startedAt = monotonicMs()
  let deliveries = 0
  while (monotonicMs() - startedAt < durationMs) {
    await crowd.publish(channel, k)
    deliveries += k * crowd.size
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  return {
    deliveries,
    elapsedMs: monotonicMs() - startedAt,
    faults: crowd.faults(),
    generatorBusy: performance.eventLoopUtilization(busyBefore).utilization,
    generatorCpuMs: (user + system) / 1000,
  }
}
