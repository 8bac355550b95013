import { getHeapStatistics } from 'node:v8'

/** Bytes of memory: what the process uses, and what it can have. */
export interface MemoryUse {
  readonly used: number
  readonly max: number
}

/** The port through which a node looks at its memory. */
export type MemoryProbe = () => MemoryUse

/** A limit of a container that is higher than this is none. */
const CONSTRAINT_BYTES_MAX = 2 ** 50

/** The heap against its limit, or the whole process against that of its container: whichever is nearer to its end. */
export const systemMemory: MemoryProbe = () => {
  const { used_heap_size: used, heap_size_limit: max } = getHeapStatistics()
  const heap = { used, max }
  const constraint = process.constrainedMemory()
  if (constraint === undefined || constraint <= 0 || constraint > CONSTRAINT_BYTES_MAX) return heap
  const whole = { used: process.memoryUsage.rss(), max: constraint }
  return whole.used / whole.max > heap.used / heap.max ? whole : heap
}
