import type { DecisionResult } from './decisions.js'
import type { FanOutResult } from './fan-out.js'
import type { MemoryRow } from './idle-memory.js'
import { faultCount } from './tally.js'

/** How many times cheaper than Socket.IO a delivery is to be, by k. */
const RATIO_TARGETS: ReadonlyMap<number, number> = new Map([
  [1, 1.4],
  [16, 10],
])
const IDLE_BYTES_TARGET = 14 * 1024

/** One promise of this bench, and what came of it. */
export interface Verdict {
  readonly target: string
  readonly measured: string
  readonly met: boolean
}

/** What a run measured; a scenario that did not run is absent. */
export interface Measurements {
  readonly fanOut?: FanOutResult
  readonly idleMemory?: readonly MemoryRow[]
  readonly decisions?: readonly DecisionResult[]
}

/** Every target that the measurements can answer. A ratio needs both candidates. */
export function judge({ fanOut, idleMemory }: Measurements): Verdict[] {
  return [...(fanOut?.rows ?? []).flatMap(judgeRatio), ...(idleMemory ?? []).flatMap(judgeMemory)]
}

/** The candidates that lost, doubled or reordered a message, in words. Empty is the only good value. */
export function faultsOf({ fanOut }: Measurements): string[] {
  return Object.entries(fanOut?.faults ?? {})
    .filter(([, faults]) => faultCount(faults) > 0)
    .map(
      ([name, { lost, duplicated, reordered }]) =>
        `${name}: ${lost} lost, ${duplicated} doubled, ${reordered} reordered`,
    )
}

function judgeRatio({ k, ratio }: FanOutResult['rows'][number]): Verdict[] {
  const wanted = RATIO_TARGETS.get(k)
  if (wanted === undefined || ratio === undefined) return []
  return [
    {
      target: `a delivery at k=${k} is ${wanted} times cheaper than Socket.IO's`,
      measured: `${ratio.median.toFixed(2)} times`,
      met: ratio.median >= wanted,
    },
  ]
}

function judgeMemory({ candidate, connections, residentBytesEach }: MemoryRow): Verdict[] {
  if (candidate !== 'holdfast') return []
  return [
    {
      target: `an idle connection takes less than ${IDLE_BYTES_TARGET / 1024} KiB`,
      measured: `${(residentBytesEach / 1024).toFixed(1)} KiB at ${connections} connections`,
      met: residentBytesEach < IDLE_BYTES_TARGET,
    },
  ]
}
